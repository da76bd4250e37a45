"""The exemplars of an edits file: images read or drawn, each with the region of its pattern."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from regen.edits.schema import Edit, Edits, Image, NamedRegion, Pattern
from regen.errors import EditsError, RegionError, within
from regen.files.limits import MAX_EDITS_PIXELS, MAX_WHOLE_PIXELS
from regen.generators import bundled
from regen.generators.protocol import Generator, Sample
from regen.generators.registry import open_generator
from regen.images.regions import Region
from regen.images.shapes import Mask
from regen.images.transparency import VISIBLE, seen


@dataclass(frozen=True)
class Exemplar:
    """The image that an edit takes its pattern from.

    Attributes:
        image: ``[1, 3, H, W]`` in [-1, 1].
        region: Where the pattern is, in pixels of `image`.
        label: Its name, to display.
        alpha: Opacity, ``[1, 1, H, W]`` in [0, 1], or None where it is opaque.
        drawn: Whether the region is a mask of the pattern itself, not only a shape around it.
    """

    image: Tensor
    region: Region
    label: str
    alpha: Tensor | None
    drawn: bool


def load_exemplars(edits: Edits, generator: Generator) -> list[Exemplar]:
    """The exemplar of every edit: read, or drawn by the renderer of the portraits.

    Args:
        edits: The edits.
        generator: Decides at which size the renderer draws.

    Raises:
        EditsError: If a region is given by a name that no oracle knows.
        ImageError: If an exemplar cannot be read.
        RegionError: If a region reaches outside its image, or shows nothing of its exemplar.
    """
    images = _Images()
    return [
        _exemplar(edit, edits.where(f"edits[{index}]"), generator, images)
        for index, edit in enumerate(edits.edits)
    ]


def check_inside(region: Region, path: str, height: int, width: int) -> None:
    """Raise RegionError, naming the path in the edits file, if a region is not inside its image."""
    with within(path):
        region.mask(height, width)


def _label(edit: Edit) -> str:
    """Name of an edit's exemplar, to display."""
    exemplar = edit.exemplar
    if isinstance(exemplar, Pattern):
        return f"{exemplar.pattern.replace('_', ' ')} on the face of seed {exemplar.seed}"
    return "embedded image" if exemplar.source.startswith("data:") else exemplar.source


def _is_drawn(region: Region | NamedRegion) -> bool:
    """Whether a region of an exemplar is a mask that somebody drew around the pattern itself."""
    return isinstance(region, Region) and all(isinstance(s, Mask) for s in region.shapes)


class _Images:
    """The images of an edits file, each loaded once, and all together of a bounded size."""

    def __init__(self) -> None:
        self._loaded: dict[Image, tuple[Tensor, Tensor | None]] = {}
        self._pixels_left = MAX_EDITS_PIXELS

    def load(self, image: Image, where: str) -> tuple[Tensor, Tensor | None]:
        if image not in self._loaded:
            most = min(self._pixels_left, MAX_WHOLE_PIXELS)
            loaded = image.load_layers(within=where, most_pixels=most)
            self._pixels_left -= loaded[0][0, 0].numel()
            self._loaded[image] = loaded
        return self._loaded[image]


def _exemplar(edit: Edit, where: str, generator: Generator, images: _Images) -> Exemplar:
    image, alpha, region = _image_and_region(edit, where, generator, images)
    check_inside(region, f"{where}.region", *image.shape[2:])
    if alpha is not None and seen(region.mask(*alpha.shape[2:]), alpha).amax() < VISIBLE:
        got = "only transparent pixels of the exemplar"
        raise RegionError(f"{where}.region", got=got, expected="a region where it is visible")
    return Exemplar(image, region, _label(edit), alpha, _is_drawn(edit.region))


def _image_and_region(
    edit: Edit, where: str, generator: Generator, images: _Images
) -> tuple[Tensor, Tensor | None, Region]:
    """The exemplar's image, its opacity if any of it is transparent, and its region."""
    exemplar = edit.exemplar
    if not isinstance(exemplar, Pattern):
        if isinstance(edit.region, NamedRegion):
            raise EditsError(
                f"{where}.region",
                got=f"the portraits' region {edit.region.name!r}",
                expected="a box, polygon, ellipse or mask in pixels of the exemplar",
                remedy="only images of the renderer have named regions",
            )
        return *images.load(exemplar, f"{where}.exemplar"), edit.region
    with within(f"{where}.exemplar"):
        image, region = _drawn(exemplar, edit.region, generator)
    return image, None, region


def _drawn(
    exemplar: Pattern, region: Region | NamedRegion, generator: Generator
) -> tuple[Tensor, Region]:
    """The face that the renderer draws, or that a generator makes of its seed, and its region."""
    person = Sample(label=f"seed {exemplar.seed}", index=exemplar.seed)
    if exemplar.generator is None:
        oracle = generator.oracle or bundled.renderer(generator.image_size)
        image = oracle.wanted([person], exemplar.pattern)
    else:
        other = open_generator(exemplar.generator)
        oracle = other.oracle or bundled.renderer(other.image_size)
        image = other.images([other.sample({"seed": exemplar.seed})])
    if not isinstance(region, NamedRegion):
        return image, region
    return image, Region.from_mask(oracle.region(region.name, [person]))
