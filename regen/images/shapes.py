"""The shapes that a region consists of: boxes, ellipses, polygons and masks.

Coordinates are pixels of the image that a shape belongs to, x to the right and y down, and pixel
(i, j) covers [j, j + 1] x [i, i + 1]. A shape becomes a mask by *coverage*: the part of each pixel
that lies inside. Areas are exact, so edges are smooth and a box on whole pixels is exactly 0 and 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from regen.errors import RegionError
from regen.files.budget import is_finite
from regen.files.limits import MAX_POINTS, MAX_SHAPES
from regen.images.given import check_plain
from regen.images.raster import Bounds, Point, bounds, fill_polygon, resize_mask, warp
from regen.numbers import plain

_SMALLEST_AREA = 1e-6  # pixels
_ROUND = 256  # corners of an ellipse
_SPECK = 0.05  # parts of a mask below this share of the largest are merged into another part


class Shape(Protocol):
    """A closed shape with an area above zero."""

    @property
    def bounds(self) -> Bounds: ...
    def coverage(self, height: int, width: int) -> Tensor: ...
    def scaled(self, sx: float, sy: float) -> Shape: ...
    def shifted(self, dx: float, dy: float) -> Shape: ...


class _Outlined:
    """A shape known by its corners."""

    @property
    def corners(self) -> tuple[Point, ...]:
        raise NotImplementedError

    @property
    def bounds(self) -> Bounds:
        """The smallest box around the shape."""
        xs, ys = zip(*self.corners, strict=True)
        return min(xs), min(ys), max(xs), max(ys)

    def coverage(self, height: int, width: int) -> Tensor:
        """The part of each pixel that lies inside, ``[1, 1, height, width]`` in [0, 1]."""
        return fill_polygon(self.corners, height, width)[None, None]


@dataclass(frozen=True)
class Box(_Outlined):
    """From the corner (x0, y0) to the corner (x1, y1), which lies right of and below the first."""

    x0: float
    y0: float
    x1: float
    y1: float

    def __post_init__(self) -> None:
        numbers = [self.x0, self.y0, self.x1, self.y1]
        _check_finite("box", numbers)
        if self.x1 < self.x0 or self.y1 < self.y0:
            raise RegionError(
                "box", got=_short(numbers), expected="[x0, y0, x1, y1] with x0 < x1 and y0 < y1"
            )
        _check_area("box", numbers, (self.x1 - self.x0) * (self.y1 - self.y0))

    @property
    def corners(self) -> tuple[Point, ...]:
        """Clockwise from the top left one."""
        x0, y0, x1, y1 = self.x0, self.y0, self.x1, self.y1
        return (x0, y0), (x1, y0), (x1, y1), (x0, y1)

    def scaled(self, sx: float, sy: float) -> Box:
        """The box in an image that is `sx` times as wide and `sy` times as high."""
        return Box(self.x0 * sx, self.y0 * sy, self.x1 * sx, self.y1 * sy)

    def shifted(self, dx: float, dy: float) -> Box:
        """The box moved right by `dx` and down by `dy` pixels."""
        return Box(self.x0 + dx, self.y0 + dy, self.x1 + dx, self.y1 + dy)


@dataclass(frozen=True)
class Ellipse(_Outlined):
    """Centre (cx, cy) and the half axes rx and ry."""

    cx: float
    cy: float
    rx: float
    ry: float

    def __post_init__(self) -> None:
        numbers = [self.cx, self.cy, self.rx, self.ry]
        _check_finite("ellipse", numbers)
        if self.rx < 0 or self.ry < 0:
            raise RegionError(
                "ellipse", got=_short(numbers), expected="[cx, cy, rx, ry] with rx > 0 and ry > 0"
            )
        _check_area("ellipse", numbers, math.pi * self.rx * self.ry)

    @property
    def bounds(self) -> Bounds:
        """The smallest box around the ellipse."""
        return self.cx - self.rx, self.cy - self.ry, self.cx + self.rx, self.cy + self.ry

    @property
    def corners(self) -> tuple[Point, ...]:
        """Enough points on the outline that they miss only 1e-4 of the area."""
        turns = [2 * math.pi * i / _ROUND for i in range(_ROUND)]
        return tuple(
            (self.cx + self.rx * math.cos(t), self.cy + self.ry * math.sin(t)) for t in turns
        )

    def scaled(self, sx: float, sy: float) -> Ellipse:
        """The ellipse in an image that is `sx` times as wide and `sy` times as high."""
        return Ellipse(self.cx * sx, self.cy * sy, self.rx * sx, self.ry * sy)

    def shifted(self, dx: float, dy: float) -> Ellipse:
        """The ellipse moved right by `dx` and down by `dy` pixels."""
        return Ellipse(self.cx + dx, self.cy + dy, self.rx, self.ry)


@dataclass(frozen=True)
class Polygon(_Outlined):
    """Three corners or more, in order; where it crosses itself, inside is by the even-odd rule."""

    points: tuple[Point, ...]

    def __post_init__(self) -> None:
        if len(self.points) < 3:
            raise RegionError("polygon", got=f"{len(self.points)} points", expected="at least 3")
        if len(self.points) > MAX_POINTS:
            got, expected = f"{len(self.points)} points", f"at most {MAX_POINTS}"
            raise RegionError("polygon", got=got, expected=expected, remedy="draw a mask instead")
        _check_finite("polygon", [number for point in self.points for number in point])
        (x0, y0), rest = self.points[0], self.points[1:]
        sides = [(x - x0, y - y0) for x, y in rest]
        u, v = max(sides, key=lambda side: math.hypot(*side))
        spread = max(abs(u * y - v * x) for x, y in sides)
        _check_area("polygon", [list(point) for point in self.points], spread / 2)

    @property
    def corners(self) -> tuple[Point, ...]:
        """The points themselves."""
        return self.points

    def scaled(self, sx: float, sy: float) -> Polygon:
        """The polygon in an image that is `sx` times as wide and `sy` times as high."""
        return Polygon(tuple((x * sx, y * sy) for x, y in self.points))

    def shifted(self, dx: float, dy: float) -> Polygon:
        """The polygon moved right by `dx` and down by `dy` pixels."""
        return Polygon(tuple((x + dx, y + dy) for x, y in self.points))


@dataclass(frozen=True, eq=False)
class Mask:
    """A mask, ``[1, 1, H, W]`` in [0, 1], as large as its image.

    Attributes:
        mask: The mask itself.
        source: The file or data URI it was read from, if any.
    """

    mask: Tensor
    source: str | None = None

    def __post_init__(self) -> None:
        check_plain(self.mask, "mask", RegionError)
        shape = list(self.mask.shape)
        if len(shape) != 4 or shape[:2] != [1, 1] or not self.mask.is_floating_point():
            raise RegionError(
                "mask", got=f"{self.mask.dtype} {shape}", expected="floats [1, 1, H, W]"
            )
        if not bool(((self.mask >= 0) & (self.mask <= 1)).all()):
            raise RegionError("mask", expected="numbers from 0 to 1 only")
        if float(self.mask.sum()) < _SMALLEST_AREA:
            got = f"{shape[3]} x {shape[2]} pixels without any white"
            raise RegionError("mask has zero area", got=got, expected="white where it is inside")

    @property
    def bounds(self) -> Bounds:
        """The box around all pixels above half of the largest value, on whole pixels."""
        return bounds(self.mask, 0.5 * float(self.mask.amax()))

    def coverage(self, height: int, width: int) -> Tensor:
        """The mask, ``[1, 1, height, width]``. Raises RegionError if it has another size."""
        self.check_size(height, width)
        return self.mask

    def check_size(self, height: int, width: int) -> None:
        """Raise RegionError if it does not have the size of its image."""
        if self.mask.shape[2:] != (height, width):
            raise RegionError(
                "mask",
                got=f"{self.mask.shape[3]} x {self.mask.shape[2]} pixels",
                expected=f"the size of its image, {width} x {height}",
            )

    def scaled(self, sx: float, sy: float) -> Mask:
        """The mask of an image that is `sx` times as wide and `sy` times as high, rounded."""
        height, width = self.mask.shape[2:]
        return Mask(resize_mask(self.mask, round(height * sy), round(width * sx)))

    def shifted(self, dx: float, dy: float) -> Mask:
        """The mask moved right by `dx` and down by `dy` pixels, on an image of the same size."""
        height, width = self.mask.shape[2:]
        edge = 1 + math.ceil(max(abs(dx), abs(dy)))
        wide = pad(self.mask, (edge, edge, edge, edge))
        moved = warp(wide, (height, width), (1, 1), (dx - edge, dy - edge), "linear")
        return Mask(moved)

    def parts(self) -> list[Mask]:
        """The connected parts; faint pixels and specks belong to the nearest of them.

        A mask of more parts than a region may have shapes is not taken apart.
        """
        from scipy.ndimage import distance_transform_edt, label  # a third of a second

        grey = self.mask[0, 0].numpy(force=True)
        labels, count = label(grey > 0.5 * grey.max(), np.ones((3, 3)))
        areas = np.bincount(labels.ravel(), minlength=count + 1)[1:]
        kept = [index + 1 for index in np.flatnonzero(areas >= _SPECK * areas.max())]
        if not 2 <= len(kept) <= MAX_SHAPES:
            return [self]
        nearest = distance_transform_edt(
            ~np.isin(labels, kept), return_distances=False, return_indices=True
        )
        owner = torch.from_numpy(labels[tuple(nearest)]).to(self.mask.device)
        return [Mask(self.mask * (owner == index)) for index in kept]


def _check_finite(what: str, numbers: list[float]) -> None:
    if not all(is_finite(plain(number)) for number in numbers):
        raise RegionError(what, got=_short(numbers), expected="finite numbers")


def _check_area(what: str, got: object, area: float) -> None:
    if area < _SMALLEST_AREA:
        raise RegionError(f"{what} has zero area", got=_short(got))


def _short(numbers: object) -> str:
    if isinstance(numbers, list):
        parts = [_short(number) for number in numbers]
        return f"[{', '.join(parts[:6])}{', ...' if len(parts) > 6 else ''}]"
    return f"{numbers:g}" if isinstance(numbers, float) else str(numbers)
