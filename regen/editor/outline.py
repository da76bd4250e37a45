"""The outline of a mask, as a polygon that encloses the pixels of its largest part exactly.

It is walked along the edges of the pixels; holes are passed over.

Shapes: H, W height and width of the image.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

_STEPS = ((0, 1), (1, 0), (0, -1), (-1, 0))  # right, down, left, up, as (dy, dx)


def outline(mask: np.ndarray[Any, Any]) -> list[list[float]]:
    """The outline of the largest part of a mask ``[H, W]``, as ``[[x, y], ...]``.

    With it one part of an exemplar can serve several parts of a target, which a mask cannot say.
    """
    from scipy.ndimage import binary_fill_holes, label

    labels, _ = label(mask > 0.5 * int(mask.max()))
    areas = np.bincount(labels.ravel())
    areas[0] = 0
    inside = np.pad(binary_fill_holes(labels == int(areas.argmax())), 1)
    return _corners(_walk(inside))


def _walk(inside: np.ndarray[Any, Any]) -> list[tuple[int, int]]:
    """Around the part with its pixels on the right hand: corners (y, x) of `inside`."""
    rows, columns = np.nonzero(inside)
    start = int(rows[0]), int(columns[0])
    at, heading, path = start, 0, [start]
    while True:
        at = at[0] + _STEPS[heading][0], at[1] + _STEPS[heading][1]
        if at == start:
            return path
        path.append(at)
        heading = _turned(inside, at, heading)


def _turned(inside: np.ndarray[Any, Any], at: tuple[int, int], heading: int) -> int:
    """Left where the pixel ahead on the left is inside, right where neither is, else ahead."""
    y, x = at
    quarters = (inside[y - 1, x], inside[y, x], inside[y, x - 1], inside[y - 1, x - 1])
    left, right = quarters[heading], quarters[(heading + 1) % 4]
    if left:
        return (heading - 1) % 4
    return heading if right else (heading + 1) % 4


def _corners(path: Sequence[tuple[int, int]]) -> list[list[float]]:
    """Only the points at which a path turns, as [x, y] without the border of one pixel."""
    kept = []
    for i, (y, x) in enumerate(path):
        before, after = path[i - 1], path[(i + 1) % len(path)]
        if (y - before[0], x - before[1]) != (after[0] - y, after[1] - x):
            kept.append([float(x - 1), float(y - 1)])
    return kept
