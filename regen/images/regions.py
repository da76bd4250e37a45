"""Where a pattern is in an image.

A `Region` is one shape or several (two eyes) in pixels of its image. `paste` blends one image into
another by a mask; `regen.images.alignment` moves it to where it belongs before.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from regen.errors import RegionError
from regen.files.limits import MAX_FILLED_PIXELS, MAX_SHAPES
from regen.images.raster import Bounds, bounds, feather, resize_mask
from regen.images.shapes import Box, Ellipse, Mask, Polygon, Shape

__all__ = [
    "Region",
    "bounds",
    "feather",
    "paste",
    "resize_mask",
]

_SLACK = 1e-3  # pixels that a region may reach outside its image, for rounding


@dataclass(frozen=True)
class Region:
    """One or more shapes in pixels of one image, x to the right and y down.

    Raises:
        RegionError: From the constructors: no shape or too many, zero area, corners in the wrong
            order, fewer than three points, numbers that are not finite.
    """

    shapes: tuple[Shape, ...]

    def __post_init__(self) -> None:
        if not self.shapes:
            raise RegionError("region is empty", expected="at least one shape")
        if len(self.shapes) > MAX_SHAPES:
            got, expected = f"{len(self.shapes)} shapes", f"at most {MAX_SHAPES}"
            raise RegionError("region", got=got, expected=expected, remedy="draw a mask instead")

    @classmethod
    def box(cls, x0: float, y0: float, x1: float, y1: float) -> Region:
        """From the corner (x0, y0) to the corner (x1, y1)."""
        return cls((Box(x0, y0, x1, y1),))

    @classmethod
    def ellipse(cls, cx: float, cy: float, rx: float, ry: float) -> Region:
        """Centre and half axes."""
        return cls((Ellipse(cx, cy, rx, ry),))

    @classmethod
    def polygon(cls, points: Iterable[Sequence[float]]) -> Region:
        """Three corners (x, y) or more."""
        try:
            corners = tuple((x, y) for x, y in points)
        except (TypeError, ValueError) as error:
            raise RegionError("polygon", got=repr(points), expected="points (x, y)") from error
        return cls((Polygon(corners),))

    @classmethod
    def from_mask(cls, mask: Tensor) -> Region:
        """A mask ``[1, 1, H, W]`` in [0, 1] of the image's size."""
        return cls((Mask(mask),))

    @classmethod
    def union(cls, regions: Iterable[Region]) -> Region:
        """All shapes of all regions."""
        return cls(tuple(shape for region in regions for shape in region.shapes))

    @property
    def bounds(self) -> Bounds:
        """The box around all shapes: x0, y0, x1, y1."""
        x0, y0, x1, y1 = zip(*(shape.bounds for shape in self.shapes), strict=True)
        return min(x0), min(y0), max(x1), max(y1)

    def scaled(self, sx: float, sy: float) -> Region:
        """The region in the same image made `sx` times as wide and `sy` times as high."""
        return Region(tuple(shape.scaled(sx, sy) for shape in self.shapes))

    def shifted(self, dx: float, dy: float) -> Region:
        """The region moved right by `dx` and down by `dy` pixels."""
        return Region(tuple(shape.shifted(dx, dy) for shape in self.shapes))

    def mask(self, height: int, width: int) -> Tensor:
        """The part of each pixel that lies inside.

        Returns:
            ``[1, 1, height, width]`` in [0, 1], the size of the image it belongs to, in pixels.

        Raises:
            RegionError: If the region reaches outside the image, or covers none of it.
        """
        self.check_inside(height, width)
        boxes = [(box[2] - box[0]) * (box[3] - box[1]) for box in (s.bounds for s in self.shapes)]
        if sum(boxes) > MAX_FILLED_PIXELS:
            expected = f"shapes around {MAX_FILLED_PIXELS // 1_000_000} million pixels at most"
            raise RegionError("region", got=f"{sum(boxes):.3g} pixels", expected=expected)
        mask = self.shapes[0].coverage(height, width)
        for shape in self.shapes[1:]:
            mask = torch.maximum(mask, shape.coverage(height, width))
        if mask.sum() <= 0:
            raise RegionError("region has zero area")
        return mask

    def check_inside(self, height: int, width: int) -> None:
        """Raise RegionError if the region reaches outside an image of this size.

        A mask must be as large as the image, wherever it is white.
        """
        for shape in self.shapes:
            if isinstance(shape, Mask):
                shape.check_size(height, width)
        x0, y0, x1, y1 = self.bounds
        if min(x0, y0) < -_SLACK or x1 > width + _SLACK or y1 > height + _SLACK:
            raise RegionError(
                "region reaches outside its image",
                got=f"x from {x0:g} to {x1:g} and y from {y0:g} to {y1:g}",
                expected=f"x from 0 to {width} and y from 0 to {height}",
                remedy="give pixels of this image at its own size",
            )

    def split(self) -> list[Region]:
        """Single shapes, in the order given; a single mask is split into its connected parts."""
        if len(self.shapes) == 1 and isinstance(self.shapes[0], Mask):
            return [Region((part,)) for part in self.shapes[0].parts()]
        return [Region((shape,)) for shape in self.shapes]


def paste(values: Tensor, pasted: Tensor, mask: Tensor) -> Tensor:
    """``values * (1 - mask) + pasted * mask``.

    Args:
        values: ``[N, C, h, w]``.
        pasted: ``[N, C, h, w]``, or one for all ``[1, C, h, w]``.
        mask: ``[N, 1, h, w]`` or ``[1, 1, h, w]`` in [0, 1].

    Raises:
        RegionError: If the shapes differ.
    """
    shapes = [list(tensor.shape) for tensor in (values, pasted, mask)]
    count, channels, *size = shapes[0]
    fits = shapes[1] in ([count, channels, *size], [1, channels, *size])
    if not fits or shapes[2] not in ([count, 1, *size], [1, 1, *size]):
        raise RegionError(
            "cannot paste",
            got=f"values {shapes[0]}, pasted {shapes[1]}, mask {shapes[2]}",
            expected="one height and width, and a mask of one channel",
        )
    return values * (1 - mask) + pasted * mask
