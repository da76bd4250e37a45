"""What a generator's samples are made from, and what a page can say of them.

Families differ in what a sample has beside its seed: truncation, an image of one's own, a hole, a
style. Nothing here names a family; the generator is asked what it takes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regen.errors import RegenError

if TYPE_CHECKING:
    from torch import Tensor

    from regen.api import Generator, Sample, Workbench
    from regen.editor.painting import Target

Json = dict[str, Any]
_KEPT = 20  # masks of where targets can change


@dataclass(frozen=True)
class GridOptions:
    """What all samples of the grid have.

    Attributes:
        truncation: psi, for a generator that has it.
        hole: The hole, as an edits file has it, or None for random ones.
    """

    truncation: float = 1.0
    hole: Mapping[str, Any] | None = None

    def request(self) -> Json:
        """The keys that it adds to a sample."""
        psi: Json = {} if self.truncation == 1 else {"truncation": self.truncation}
        return psi if self.hole is None else {**psi, "hole": dict(self.hole)}


class Sampling:
    """The samples of a generator.

    Args:
        bench: With the generator.
        images: Folder that it takes its samples from, if it needs images.
    """

    def __init__(self, bench: Workbench, images: Path | None) -> None:
        self.bench, self.images = bench, images
        self.generator: Generator = bench.generator
        self._changeable: dict[str, Tensor | None] = {}

    @cached_property
    def size(self) -> tuple[int, int]:
        """Height and width of the images; those of a folder may be of another shape."""
        if self.images is None:
            return self.generator.image_size
        height, width = self.bench.view().images.shape[2:]
        return int(height), int(width)

    @cached_property
    def holes(self) -> bool:
        """Whether it fills holes."""
        return self._takes({"holes": "random"})

    @cached_property
    def styles(self) -> bool:
        """Whether it translates in styles."""
        return self._takes({"styles": "random"})

    @cached_property
    def truncation(self) -> bool:
        """Whether seeds can be truncated."""
        try:
            self.generator.sample({"seed": 0, "truncation": 0.5})
        except RegenError:
            return False
        return True

    @property
    def parts(self) -> list[str]:
        """Names of regions that its samples have; images of one's own have none."""
        oracle = self.generator.oracle
        return [] if oracle is None or self.images is not None else list(oracle.regions)

    def _takes(self, inputs: Mapping[str, object]) -> bool:
        try:
            self.generator.source(self.images, inputs)
        except RegenError:
            return False
        return True

    def described(self) -> Json:
        """What a page says of them."""
        height, width = self.size
        return {
            "height": height,
            "width": width,
            "count": self.bench.source.count,
            "regions": self.parts,
            "holes": self.holes,
            "styles": self.styles,
            "truncation": self.truncation,
        }

    def numbered(
        self, numbers: Sequence[int], options: GridOptions
    ) -> tuple[list[Sample], list[Json]]:
        """Samples of the grid, and what describes each as a target.

        An image of one's own is described without a hole, which no file can name if it is random:
        a person paints it.
        """
        samples = self.bench.source.samples(numbers)
        requests = [self._request(sample, options) for sample in samples]
        if self.images is None:
            samples = [self.sample(request) for request in requests]
        return samples, requests

    def _request(self, sample: Sample, options: GridOptions) -> Json:
        style = {"style": {"seed": sample.index}} if self.styles else {}
        if self.images is None:
            return {"seed": sample.index, **style, **options.request()}
        location = getattr(getattr(sample, "picture", None), "location", None)
        if location is None:
            raise RegenError(f"{sample.label} cannot be named in an edits file")
        return {"picture": str(location), **style}

    def sample(self, request: Mapping[str, Any]) -> Sample:
        """The sample that keys of an edits file describe. Raises RegenError if there is none."""
        from regen import api

        return api.sample(self.generator, request)

    def of_target(self, target: Target) -> Sample:
        """The sample that a target of a painting is."""
        return self.sample(target.described(self.size))

    def label(self, request: Mapping[str, Any]) -> str:
        """Its name; an image of one's own has one before it has a hole.

        Raises:
            RegenError: If there is no such sample.
        """
        hole = (request.get("hole") or {}).get("portraits")
        if hole is not None and hole not in self.parts:
            known = " or ".join(self.parts) or "one that is painted"
            raise RegenError("hole", got=str(hole)[:40], expected=known)
        lacks = self._lacks_hole(request)
        return self.sample(self._uncovered(request) if lacks else request).label

    def own_size(self, request: Mapping[str, Any]) -> tuple[int, int] | None:
        """Height and width of an image of one's own, None for other samples."""
        from regen import api

        if "picture" not in request:
            return None
        height, width = api.exemplar_image(str(request["picture"])).shape[2:]
        return int(height), int(width)

    def images_of(self, request: Mapping[str, Any], own_size: tuple[int, int] | None) -> Images:
        """The images of a target."""
        import torch

        lacks, uncovered = self._lacks_hole(request), self._uncovered(request, own_size)
        with torch.no_grad():
            least = self.generator.latents([self.sample(uncovered)])
            latent = least if lacks else self.generator.latents([self.sample(request)])
            image = self.generator(latent).float().cpu().clamp(-1, 1)
            given, whole = (self.generator.shown_input(one) for one in (latent, least))
            changeable = self.generator.changeable(latent)
        return Images(
            image[0],
            None if given is None else given[0].cpu(),
            None if whole is None or not self.holes else whole[0].cpu(),
            None if changeable is None or lacks else changeable[0, 0].cpu(),
        )

    def changeable(self, request: Mapping[str, Any]) -> Tensor | None:
        """Where the image of a target can change, ``[H, W]`` of 0 and 1; None for everywhere."""
        key = json.dumps(request, sort_keys=True)
        if key not in self._changeable:
            mask = self.generator.changeable(self.generator.latents([self.sample(request)]))
            self._changeable[key] = None if mask is None else mask[0, 0].cpu()
            while len(self._changeable) > _KEPT:
                del self._changeable[next(iter(self._changeable))]
        return self._changeable[key]

    def _uncovered(
        self, request: Mapping[str, Any], own_size: tuple[int, int] | None = None
    ) -> Mapping[str, Any]:
        """A request with a hole of one pixel, the least that there is."""
        high, wide = own_size or self.size
        corner = [0, 0, wide / self.size[1], high / self.size[0]]
        return {**request, "hole": {"box": corner}} if self.holes else request

    def _lacks_hole(self, request: Mapping[str, Any]) -> bool:
        return self.holes and "picture" in request and "hole" not in request


@dataclass(frozen=True)
class Images:
    """What a page shows of a target, ``[3, H, W]`` in [-1, 1] on the CPU.

    Attributes:
        image: As generated, without a rule.
        given: What the generator sees of the image that it changes, or None if it is given none.
        whole: The same without a hole; None for a generator that fills none.
        changeable: Where the image can change, ``[H, W]`` of 0 and 1, or None for everywhere.
    """

    image: Tensor
    given: Tensor | None
    whole: Tensor | None
    changeable: Tensor | None
