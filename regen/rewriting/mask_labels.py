"""Is a mask a map of labels? Such a map has few levels, each in whole areas."""

from __future__ import annotations

import torch
from torch import Tensor

LABEL_SHARE = 0.05
"""Share of a mask's inside that squares of one level must cover to make it a label. The edge of a
smooth mask has many levels, of which each covers less; that of a brush along the rows or columns
has one, which may cover more, but is a line."""
LABELS_TOGETHER = 0.75
"""Share of a mask's inside that all labels cover. A map of labels has nothing else; of regions that
were found by what looks alike, up to half had the faintest level, and the rest all others."""


def label_levels(mask: Tensor) -> list[int]:
    """Levels from 1 to 255 that are the labels of a mask ``[1, 1, H, W]``, in order."""
    levels = (mask[0, 0] * 255).round().long()
    neighbours = levels[1:, :-1], levels[:-1, 1:], levels[1:, 1:]
    square = torch.stack([levels[:-1, :-1] == other for other in neighbours]).all(0)
    counts, squares = (
        torch.bincount(found, minlength=256)[1:]
        for found in (levels.flatten(), levels[:-1, :-1][square])
    )
    common = squares >= max(1.0, LABEL_SHARE * float(counts.sum()))
    if counts[common].sum() < LABELS_TOGETHER * counts.sum():
        return []
    return [int(level) + 1 for level in common.nonzero().flatten()]
