"""Fitting on parts of the images: the targets' region with what surrounds it, and random windows.

Memory and tail are convolutions, so recall needs the region and a border alone, and what must stay
unchanged can be checked on windows that take turns. All windows are equally large: a step computes
targets and preserved samples as one batch.

Shapes: T targets; N samples; C, h, w the value; H, W height and width of the image.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from regen.generators.crops import CropSplit, Window, cut
from regen.generators.split import Activation, Split
from regen.images.raster import size_of
from regen.rewriting.rule import Rule

_SEEN = 0.02  # of the mask; a feathered edge below it is outside
_BORDER = 1 / 10  # of the image's shorter side, around the region
_LEAST_BORDER = 6  # pixels: every window of SSIM that touches the region is whole
_WORTHWHILE = 0.75  # share of the image above which whole images are as quick


@dataclass(frozen=True)
class Crops:
    """Windows of one size.

    Attributes:
        split: Computes them.
        targets: One for each target.
        size: Height and width of the image.
    """

    split: CropSplit
    targets: tuple[Window, ...]
    size: tuple[int, int]

    def rule(self, rule: Rule) -> Rule:
        """The part of a rule inside the targets' windows; its mask is that of the window."""
        values, images = self.split.value_windows(self.targets), self.targets
        return Rule(
            keys=self.split.crop_key(rule.keys, self.targets),
            before=self.split.crop_value(rule.before, self.targets),
            wanted=cut(rule.wanted, values),
            mask=cut(rule.mask, values),
            images=cut(rule.images, images),
            composites=cut(rule.composites, images),
            image_mask=cut(rule.image_mask, images),
            changeable=None if rule.changeable is None else cut(rule.changeable, images),
        )

    def keys(self, keys: Activation, windows: Sequence[Window]) -> Activation:
        """Keys of whole samples, limited to windows."""
        return self.split.crop_key(keys, windows)

    def images(
        self, whole: Tensor, windows: Sequence[Window], index: Sequence[int] | None = None
    ) -> Tensor:
        """``[N, C, H, W]``, limited to windows; of the samples `index`, if it is given."""
        return cut(whole, windows, index)

    def values(
        self, whole: Tensor, windows: Sequence[Window], index: Sequence[int] | None = None
    ) -> Tensor:
        """``[N, C, h, w]``, limited to what is recalled for windows; as `images`."""
        return cut(whole, self.split.value_windows(windows), index)

    def draw(self, count: int, random: torch.Generator) -> list[Window]:
        """Windows of samples that must stay unchanged.

        Every other one is a target's, where a rule first has side effects; the others cover the
        image evenly.
        """
        return [_chosen(self.targets if i % 2 else self.tiles, random) for i in range(count)]

    @cached_property
    def tiles(self) -> list[Window]:
        """As few windows as cover the image, evenly spread."""
        height, width = self.targets[0].height, self.targets[0].width
        rows, columns = (
            _tiles(whole, part, self.split.cell)
            for whole, part in zip(self.size, (height, width), strict=True)
        )
        return [Window(top, left, height, width) for top in rows for left in columns]


def _chosen(windows: Sequence[Window], random: torch.Generator) -> Window:
    return windows[int(torch.randint(len(windows), (), generator=random))]


def _tiles(whole: int, part: int, cell: int) -> list[int]:
    """Where tiles of a length begin, in multiples of a cell, so that they cover the whole."""
    count = -(-whole // part)
    last = -(-(whole - part) // cell)
    return [cell * round(i * last / max(count - 1, 1)) for i in range(count)]


def plan_crops(split: Split, rule: Rule) -> Crops | None:
    """Windows around the targets' regions.

    Args:
        split: The generator, cut.
        rule: Its image mask says where the regions are.

    Returns:
        The windows, or None where whole images are as quick: the family cannot crop, or the
        regions are large.
    """
    if not isinstance(split, CropSplit):
        return None
    size = size_of(rule.image_mask)
    border = max(round(min(size) * _BORDER), _LEAST_BORDER)
    bounds = [_bounds(mask, border) for mask in rule.image_mask[:, 0]]
    tops, lefts = ([b[i] - b[i] % split.cell for b in bounds] for i in (0, 2))
    height = min(max(b[1] - top for b, top in zip(bounds, tops, strict=True)), size[0])
    width = min(max(b[3] - left for b, left in zip(bounds, lefts, strict=True)), size[1])
    if height * width > _WORTHWHILE * size[0] * size[1]:
        return None
    windows = (Window(top, left, height, width) for top, left in zip(tops, lefts, strict=True))
    return Crops(split, tuple(windows), size)


def _bounds(mask: Tensor, border: int) -> tuple[int, int, int, int]:
    """Top, bottom, left and right of a mask ``[H, W]`` with a border, limited to the image."""
    rows = (mask.amax(dim=1) > _SEEN).nonzero()[:, 0]
    columns = (mask.amax(dim=0) > _SEEN).nonzero()[:, 0]
    if not len(rows):
        return 0, mask.shape[0], 0, mask.shape[1]
    return (
        max(int(rows[0]) - border, 0),
        min(int(rows[-1]) + 1 + border, mask.shape[0]),
        max(int(columns[0]) - border, 0),
        min(int(columns[-1]) + 1 + border, mask.shape[1]),
    )
