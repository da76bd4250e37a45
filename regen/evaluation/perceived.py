"""LPIPS of all that the metrics of a rewrite compare, sample by sample; each image is seen once."""

from __future__ import annotations

import functools
from collections.abc import Mapping

import torch
from torch import Tensor

from regen.metrics import Lpips

_AT_ONCE = 4  # samples that are copied and compared

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
    there = {name: image for name, image in images.items() if image is not None}
    pieces = []
    for i in range(0, len(regions), _AT_ONCE):
        few = slice(i, i + _AT_ONCE)
        pieces.append(_of_few({n: image[few] for n, image in there.items()}, regions[few], lpips))
    return functools.reduce(together, pieces)


def _of_few(images: Mapping[str, Tensor], regions: Tensor, lpips: Lpips) -> Perceived:
    """As `perceive`; each image is copied for each part that is compared."""
    compared = [pair for pair in (*_CHANGE, *_ORACLE, *_PLAIN) if {*pair[:2]} <= images.keys()]
    masks = {"inside": regions, "outside": 1 - regions}
    parts = {
        f"{name} {part}": images[name] * masks[part]
        for one, two, part in compared
        for name in (one, two)
    }
    pairs = [(f"{one} {part}", f"{two} {part}") for one, two, part in compared]
    found = lpips.distances(parts, pairs)
    return {names: found[pair] for names, pair in zip(compared, pairs, strict=True)}


def together(one: Perceived, two: Perceived) -> Perceived:
    """The distances of two lists of samples."""
    return {names: torch.cat([one[names], two[names]]) for names in one}
