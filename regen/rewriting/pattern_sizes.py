"""How large what is pasted is to the keys, and whether its region or its outline is the cause.

Shapes: T targets; H, W height and width of the image; kh, kw of the keys.
"""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor

from regen.images.raster import size_of
from regen.images.regions import resize_mask
from regen.rewriting.composite import Example, compose
from regen.rewriting.rule import Rule
from regen.rewriting.settings import RuleSettings

LEAST_PASTED = 0.5
"""Share of the opacity of a pattern that its soft edge should leave of it anywhere."""
LEAST_POSITIONS = 4.0
"""Positions of the key that a region should cover. On fewer, a square of 2, every key also sees
the surroundings; a cheek of 6 was still found."""
LEAST_FILLED = 0.5
"""Share of the positions of a region that the region itself should fill. It was 0.96 and more for
whole parts, 0.8 for brows, and 0.45 for the round frame of glasses, which showed on six of twelve
faces; with a memory of four instead of six convolutions, where it was 0.74, on eleven."""


def left_by_edge(example: Example, settings: RuleSettings, rule: Rule, row: int) -> float:
    """How much a soft edge leaves of a pattern where it leaves most, as a share of its opacity.

    Args:
        example: Whose pattern is pasted.
        settings: How.
        rule: What it became.
        row: Of the rule.
    """
    left = float(rule.image_mask[row].amax())
    if left >= LEAST_PASTED or not settings.feather_px:  # what follows takes as long as pasting it
        return 1.0
    hard = replace(settings, feather_px=0.0, blend="none")
    _, mask = compose(example, rule.images[row : row + 1], hard)
    return left / max(float(mask.amax()), 1e-6)


def is_thin(inside: Tensor) -> bool:
    """Whether regions fill too little of the positions that they touch, ``[T, 1, kh, kw]``."""
    return float(inside.sum()) < LEAST_FILLED * int((inside >= 0.5 * inside.max()).sum())


def at_keys(example: Example, rule: Rule) -> Tensor:
    """The region of a target at the size of the keys, ``[1, 1, kh, kw]`` in [0, 1]."""
    region = example.target_region.mask(*size_of(rule.image_mask))
    return resize_mask(region, *size_of(rule.keys.features))


def has_own_outline(example: Example, settings: RuleSettings) -> bool:
    """Whether a pattern may fill less than the region: what is transparent is never pasted."""
    return example.alpha is not None or example.outline(settings.shape) == "source"


def between_keys(rule: Rule) -> int:
    """Pixels between two positions of the keys."""
    return max(1, round(rule.image_mask.shape[-2] / rule.keys.features.shape[-2]))
