"""Regions that the generator proposes: around a click, and in the other targets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from regen.editor.encoding import mask_image_uri
from regen.editor.painted import painted, rasterized
from regen.editor.painting import Json, Painting, Target
from regen.editor.sampling import Sampling
from regen.errors import RegenError

if TYPE_CHECKING:
    from torch import Tensor


class Suggestions:
    """Regions of a generator's samples.

    Args:
        sampling: The samples.
    """

    def __init__(self, sampling: Sampling) -> None:
        self.sampling, self.bench = sampling, sampling.bench

    def suggest(self, target: Target, x: float, y: float, wanted: str = "") -> list[Json]:
        """Regions of a target around a point, the most particular first.

        Args:
            target: The sample.
            x, y: The point, in pixels.
            wanted: Name of a region to put first wherever it is, if the generator has it.

        Returns:
            ``name``, to display, and ``mask``, a data URI, of each.
        """
        sample, found = self.sampling.of_target(target), []
        oracle = self.bench.generator.oracle
        if oracle is not None and oracle.knows(sample):
            named = [(name, oracle.region(name, [sample])) for name in oracle.regions]
            hit = [one for one in named if _covers(one[1], x, y) or one[0] == wanted]
            found += sorted(hit, key=lambda one: (one[0] != wanted, float(one[1].sum())))
        found.append(("what looks alike", self.bench.part_at(sample, x, y)))
        return [{"name": name, "mask": mask_image_uri(mask)} for name, mask in found]

    def carried(self, painting: Painting, target: Target) -> dict[str, str]:
        """The region of a target, found in the painting's other targets: masks by their keys.

        Raises:
            RegenError: If nothing is painted on the target, or there are no others.
        """
        others = [one for one in painting.targets if one.key != target.key]
        size = self.sampling.size
        if painted(target.strokes, size) is None or not others:
            problem = "paint on this target first" if others else "there is no other target"
            raise RegenError(f"find it in the other targets: {problem}")
        import torch

        region = torch.from_numpy(rasterized(target.strokes, size) / 255).float()
        samples = [self.sampling.of_target(one) for one in others]
        masks = self.bench.same_part(self.sampling.of_target(target), region[None, None], samples)
        return {one.key: mask_image_uri(m[None]) for one, m in zip(others, masks, strict=True)}


def _covers(mask: Tensor, x: float, y: float) -> bool:
    """Whether the point lies in a mask ``[1, 1, H, W]``."""
    height, width = mask.shape[2:]
    return bool(mask[0, 0, min(int(y), height - 1), min(int(x), width - 1)] > 0.3)
