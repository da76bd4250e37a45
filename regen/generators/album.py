"""Images at a generator's size: files are read and resized, people are drawn.

The shorter side of a file is brought to that size, and the longer one follows in proportion, so
images differ in size; those that are computed at once may not.

Shapes: H, W height and width in pixels.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from regen.errors import GeneratorError
from regen.files.budget import MOST_FILLED_PIXELS
from regen.generators.pictures import Person, Picture, PictureFile
from regen.images import load_image
from regen.images.raster import size_of
from regen.portraits import attributes, render, seed_to_z

LONGEST = 4  # times the shorter side; images that are longer are refused
_KEPT = 1024  # people that are drawn once


@dataclass(frozen=True)
class Loaded:
    """An image at a generator's size.

    Attributes:
        image: ``[1, 3, H, W]`` in [-1, 1].
        own_size: Height and width that it has by itself.
    """

    image: Tensor
    own_size: tuple[int, int]

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of `image`."""
        return size_of(self.image)


class Album:
    """Loads images at a generator's size; people are drawn together, and kept.

    Args:
        size: What the shorter side of an image is brought to, in pixels.
        multiple: Of which the longer side becomes one; `size` is one.
    """

    def __init__(self, size: int, multiple: int = 1) -> None:
        self.size, self.multiple = size, multiple
        self._drawn: OrderedDict[int, Tensor] = OrderedDict()

    def load(self, pictures: Sequence[Picture]) -> list[Loaded]:
        """Images, each with the shorter side as long as `size`.

        Raises:
            GeneratorError: If an image is far longer than wide, or the other way round.
            ImageError: If a file cannot be read.
        """
        people = self._people([p.seed for p in pictures if isinstance(p, Person)])
        square = self.size, self.size
        return [
            Loaded(people[picture.seed], square)
            if isinstance(picture, Person)
            else self._file(picture)
            for picture in pictures
        ]

    def _people(self, seeds: Sequence[int]) -> dict[int, Tensor]:
        missing = [seed for seed in dict.fromkeys(seeds) if seed not in self._drawn]
        known = {seed: self._drawn[seed] for seed in seeds if seed in self._drawn}
        if missing:
            with torch.no_grad():
                drawn = render(attributes(seed_to_z(missing)), self.size).split(1)
            known |= dict(zip(missing, drawn, strict=True))
        self._drawn |= known
        while len(self._drawn) > _KEPT:
            self._drawn.popitem(last=False)
        return known

    def _file(self, picture: PictureFile) -> Loaded:
        image = load_image(picture.location)
        height, width = size = size_of(image)
        scale = self.size / min(size)
        m = self.multiple
        wanted = (round(height * scale / m) * m, round(width * scale / m) * m)
        most = min(LONGEST * self.size**2, MOST_FILLED_PIXELS)
        if wanted[0] * wanted[1] > most:
            raise GeneratorError(
                f"{picture.label}: size",
                got=f"{width} x {height}",
                expected=f"at most {most / self.size**2:.2g} times as long one way as the other",
                remedy="crop it",
            )
        if wanted != size:
            image = load_image(picture.location, size=wanted, fit="stretch")
        return Loaded(image, size)


def check_sizes(labels: Sequence[str], loaded: Sequence[Loaded]) -> None:
    """Raise GeneratorError if images are not all of one size."""
    sizes = {one.size: label for label, one in zip(labels, loaded, strict=True)}
    if len(sizes) > 1:
        got = ", ".join(f"{width} x {height} of {name}" for (height, width), name in sizes.items())
        raise GeneratorError(
            "sizes of images",
            got=got,
            expected="one height and width in proportion",
            remedy="crop them alike, or take them one at a time",
        )
