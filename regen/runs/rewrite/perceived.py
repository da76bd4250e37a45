"""LPIPS of all that the metrics of a rewrite compare, sample by sample; each image is seen once."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from regen.metrics import Lpips

Perceived = Mapping[tuple[str, str, str], Tensor]
"""Distances ``[N]`` by the names of both images and "inside" or "outside"."""

_CHANGE = [("before", "after", "inside"), ("before", "after", "outside")]
_ORACLE = [(time, "oracle", part) for time in ("before", "after") for part in ("inside", "outside")]
_PLAIN = [
    ("before", "plain", "inside"),
    ("before", "plain", "outside"),
    ("after", "plain", "outside"),
]


def perceive(images: Mapping[str, Tensor | None], regions: Tensor, lpips: Lpips) -> Perceived:
    """Distances inside the regions and outside of them.

    Args:
        images: ``before`` and ``after``, ``[N, 3, H, W]`` in [-1, 1], and, unless they are None,
            ``oracle`` and ``plain``.
        regions: ``[N, 1, H, W]`` in [0, 1].
        lpips: What compares; the rest of each image is painted grey for it.
    """
    there = {name for name, image in images.items() if image is not None}
    compared = [pair for pair in (*_CHANGE, *_ORACLE, *_PLAIN) if {pair[0], pair[1]} <= there]
    masks = {"inside": regions, "outside": 1 - regions}
    parts = {
        f"{name} {part}": image * masks[part]
        for one, two, part in compared
        for name, image in ((one, images[one]), (two, images[two]))
        if image is not None
    }
    pairs = [(f"{one} {part}", f"{two} {part}") for one, two, part in compared]
    found = lpips.distances(parts, pairs)
    return {names: found[pair] for names, pair in zip(compared, pairs, strict=True)}


def together(one: Perceived, two: Perceived) -> Perceived:
    """The distances of two lists of samples."""
    return {names: torch.cat([one[names], two[names]]) for names in one}
