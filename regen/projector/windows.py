"""Training on windows: B is fully convolutional, so it can learn from parts of images.

A window costs its share of an image: the layers before the value are computed for it alone, and so
are B and the tail. At equal time that means many more steps than on whole images. Two things need
care. The tail looks at neighbours: around B's prediction it is given the sample's own value, so
that the window decodes exactly. And B meets an edge of zeros where the window was cut: a margin
there, as wide as B sees at the value's size, is left out of the losses. What B sees at its coarser
sizes reaches further, but changes slowly.

Shapes: N windows of S x S pixels; H, W height and width of the image; C, h, w the value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from regen.errors import GeneratorError, ProjectorError
from regen.generators.crops import CropSplit, Window
from regen.generators.protocol import Generator
from regen.generators.split import Split
from regen.projector.config import ProjectorConfig


@dataclass(frozen=True)
class WindowPlan:
    """Which windows of samples are trained on.

    Attributes:
        side: S, in pixels.
        step: Pixels of which their first row and column are multiples.
        margin: Pixels at a cut edge that are left out of the losses.
        image_size: H and W.
        ratio: Pixels to a position of the value.
    """

    side: int
    step: int
    margin: int
    image_size: tuple[int, int]
    ratio: int

    @classmethod
    def of(cls, side: int, split: Split, architecture: ProjectorConfig) -> WindowPlan:
        """The plan for windows of a side.

        Raises:
            ProjectorError: If the family cannot compute windows, or the side does not fit.
        """
        if not isinstance(split, CropSplit):
            raise ProjectorError(
                "windows of samples",
                got="a family that generates whole images only",
                expected="0, whole images",
            )
        height, width = architecture.image_size
        coarsest = architecture.ratio << (len(architecture.widths) - 1)
        step, margin = max(split.cell, coarsest), architecture.reach
        if side % step or not 2 * margin < side < min(height, width):
            raise ProjectorError(
                "windows of samples: side in pixels",
                got=side,
                expected=f"a multiple of {step}, above {2 * margin} and below "
                f"{min(height, width)}, or 0 for whole images",
            )
        return cls(side, step, margin, (height, width), architecture.ratio)

    def choose(self, count: int, random: torch.Generator) -> list[Window]:
        """Random windows, all places equally likely."""
        places = [(side - self.side) // self.step + 1 for side in self.image_size]
        numbers = [torch.randint(n, [count], generator=random).tolist() for n in places]
        return [
            Window(top * self.step, left * self.step, self.side, self.side)
            for top, left in zip(*numbers, strict=True)
        ]

    def counted(self, windows: Sequence[Window]) -> Tensor:
        """Which pixels of windows count in the losses, ``[N, 1, S, S]``, 1 or 0."""
        counted = torch.ones(len(windows), 1, self.side, self.side)
        height, width = self.image_size
        for one, window in zip(counted[:, 0], windows, strict=True):
            if window.top > 0:
                one[: self.margin] = 0
            if window.left > 0:
                one[:, : self.margin] = 0
            if window.top + self.side < height:
                one[-self.margin :] = 0
            if window.left + self.side < width:
                one[:, -self.margin :] = 0
        return counted

    def ring(self, split: Split, windows: Sequence[Window]) -> tuple[int, int]:
        """Rows above and columns left of the predicted value that the tail needs beside it."""
        assert isinstance(split, CropSplit)
        first, needed = windows[0], split.value_windows(windows[:1])[0]
        return first.top // self.ratio - needed.top, first.left // self.ratio - needed.left


def split_for_windows(generator: Generator, value_layer: int, side: int) -> Split:
    """A generator cut at a value layer, for training on windows of a side; 0 for whole images.

    For windows the memory is as long as their places allow: what is computed for the whole
    image ends where layers are still small.

    Raises:
        GeneratorError: If the generator has no such layer.
    """
    shortest = generator.split(value_layer, 1)
    if not side:
        return shortest
    for length in range(value_layer, 1, -1):
        try:
            split = generator.split(value_layer, length)
        except GeneratorError:
            continue
        if isinstance(split, CropSplit) and side % split.cell == 0 and 4 * split.cell <= side:
            return split
    return shortest
