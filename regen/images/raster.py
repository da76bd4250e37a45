"""Fill polygons, and shift, scale and shrink tensors [N, C, H, W], without aliasing.

Resampling along an axis is a matrix whose row i holds the weights of the input pixels for output
pixel i, so every operation here is linear, differentiable and does one axis after the other. Pixel
i covers the interval [i, i + 1]. When shrinking, the filter widens by the same factor.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad

from regen.errors import RegionError
from regen.files.limits import MAX_CROSSINGS, MAX_FEATHER

Kernel = Literal["cubic", "linear"]
Border = Literal["continued", "zero"]
Point = tuple[float, float]
Bounds = tuple[float, float, float, float]  # x0, y0, x1, y1

_SLABS = 8  # horizontal cuts of a pixel
_ROUNDING = 1e-9  # of a pixel, below which it is not covered
_NO_RADIUS = 0.1  # pixels, up to which the next pixel weighs e^-200, nothing
_MANY_TAPS = 33  # of a filter; of more, matrices are quicker than a convolution of one channel


def size_of(layer: Tensor) -> tuple[int, int]:
    """Height and width of ``[N, C, H, W]``."""
    return int(layer.shape[2]), int(layer.shape[3])


def fill_polygon(corners: Sequence[Point], height: int, width: int) -> Tensor:
    """The part of each pixel inside a polygon, by the even-odd rule: ``[height, width]`` in [0, 1].

    The image is cut into horizontal slabs, at every corner among others, so that the sides are
    straight within a slab and its cover along x, taken at mid height, gives the exact area. In each
    slab the outline's crossings, sorted by x, are entries and leaves in turn; both add to the
    pixels left of them, an entry negatively, so that sums from the right give the cover.

    Raises:
        RegionError: If the outline crosses the slabs more often than `MAX_CROSSINGS`.
    """
    start = torch.tensor(corners, dtype=torch.float64)  # [n, 2]
    top, bottom = start[:, 1].clamp(0, height).aminmax()
    even = torch.arange(height * _SLABS + 1, dtype=torch.float64) / _SLABS
    cuts = torch.cat([even, start[:, 1]]).clamp(top, bottom).unique()
    slab, x = _crossings(start, cuts, width)
    sign = torch.ones(len(x), dtype=torch.float64)
    sign[::2] = -1  # entries
    middle, thickness = (cuts[1:] + cuts[:-1]) / 2, cuts.diff()
    row, weight = middle[slab].long(), sign * thickness[slab]
    whole = x.floor()
    part, column = x - whole, whole.long()
    filled = torch.zeros(height, width)
    if len(x) == 0:
        return filled
    (y0, y1), (x0, x1) = ((int(low), int(high) + 1) for low, high in (row.aminmax(), x.aminmax()))
    wide = x1 - x0 + 2
    steps = torch.zeros(y1 - y0, wide, dtype=torch.float64)  # column j stands for pixel x0 + j - 1
    place = (row - y0) * wide + column - x0
    steps.view(-1).index_add_(0, place + 1, weight * part)
    steps.view(-1).index_add_(0, place, weight * (1 - part))
    cover = steps.flip(1).cumsum_(1).flip(1)[:, 1 : width - x0 + 1]
    cover[cover < _ROUNDING] = 0
    filled[y0:y1, x0 : x0 + cover.shape[1]] = cover.clamp_(max=1)
    return filled


def _crossings(corners: Tensor, cuts: Tensor, width: int) -> tuple[Tensor, Tensor]:
    """Where a closed outline crosses the middles of slabs, by slab and then by x.

    Args:
        corners: ``[n, 2]``, x and y.
        cuts: The borders of the slabs in order.
        width: What x is clipped to, from 0.

    Returns:
        Numbers of slabs and x of all crossings; an even number for each slab.
    """
    end = corners.roll(-1, 0)
    ys, next_ys = corners[:, 1].contiguous(), end[:, 1].contiguous()
    low, high = torch.minimum(ys, next_ys), torch.maximum(ys, next_ys)
    middle = (cuts[1:] + cuts[:-1]) / 2
    first, last = torch.searchsorted(middle, low), torch.searchsorted(middle, high)
    counts = last - first
    total = int(counts.sum())
    if total > MAX_CROSSINGS:
        raise RegionError(
            "polygon",
            got=f"{len(corners)} points, whose outline runs up and down too often",
            expected="an outline with fewer points, or a mask",
        )
    side = torch.arange(len(corners)).repeat_interleave(counts)
    slab = torch.arange(total) - (counts.cumsum(0) - counts - first)[side]
    x0, y0 = corners[side].unbind(1)
    x1, y1 = end[side].unbind(1)
    x = (x0 + (middle[slab] - y0) / (y1 - y0) * (x1 - x0)).clamp(0, width)
    order = x.argsort()
    order = order[slab[order].argsort(stable=True)]
    return slab[order], x[order]


def bounds(mask: Tensor, threshold: float = 0.5) -> Bounds:
    """The box around all pixels above `threshold`: x0, y0, x1, y1, with x1 and y1 exclusive.

    Args:
        mask: ``[N, 1, H, W]``; of several, the box is around all.
        threshold: Exclusive.

    Raises:
        RegionError: If no pixel is above it.
    """
    seen = (mask > threshold).any(dim=0)[0]  # [H, W]
    rows, columns = seen.any(dim=1).nonzero(), seen.any(dim=0).nonzero()
    if len(rows) == 0:
        raise RegionError("mask is empty", expected=f"a pixel above {threshold:g}")
    return (
        float(columns[0]),
        float(rows[0]),
        float(columns[-1]) + 1,
        float(rows[-1]) + 1,
    )


def resize_mask(mask: Tensor, height: int, width: int) -> Tensor:
    """Resize by area: each output pixel is the mean of what it covers of the input.

    Args:
        mask: ``[N, C, H, W]``; any tensor, but meant for masks, whose mean is kept exactly.
        height: Of the result, in pixels.
        width: Of the result, in pixels.

    Returns:
        ``[N, C, height, width]``, within the range of the input.

    Raises:
        RegionError: If `mask` is not four-dimensional or a size is below 1.
    """
    if mask.dim() != 4 or height < 1 or width < 1:
        raise RegionError(
            "mask cannot be resized",
            got=f"{list(mask.shape)} to {height} x {width}",
            expected="[N, C, H, W] to at least 1 x 1",
        )
    rows = _overlaps(height, mask.shape[2])
    columns = _overlaps(width, mask.shape[3])
    return _apply(rows, mask, columns).clamp(mask.amin(), mask.amax())


def feather(mask: Tensor, radius_px: float) -> Tensor:
    """Soften the edges of a mask with a Gaussian whose standard deviation is half the radius.

    Args:
        mask: ``[N, 1, H, W]`` in [0, 1].
        radius_px: About how far the edge spreads to either side, in pixels; 0, or less than a tenth
            of a pixel, changes nothing.

    Returns:
        ``[N, 1, H, W]`` in [0, 1]. A mask that touches the border stays whole there.

    Raises:
        RegionError: If the radius is not from 0 to `MAX_FEATHER`.
    """
    if not 0 <= radius_px <= MAX_FEATHER:
        expected = f"a radius from 0 to {MAX_FEATHER:g} pixels"
        raise RegionError("feather", got=radius_px, expected=expected)
    if radius_px <= _NO_RADIUS:
        return mask
    reach = math.ceil(1.5 * radius_px)
    offsets = torch.arange(-reach, reach + 1, dtype=mask.dtype, device=mask.device)
    weights = torch.exp(-2 * (offsets / radius_px) ** 2)
    weights = weights / weights.sum()
    if len(weights) > _MANY_TAPS:
        rows, columns = (_filtering(weights, side) for side in mask.shape[2:])
        return _apply(rows, mask, columns).clamp(0, 1)
    padded = pad(mask, (reach, reach, reach, reach), mode="replicate")
    blurred = conv2d(padded, weights.view(1, 1, 1, -1))
    return conv2d(blurred, weights.view(1, 1, -1, 1)).clamp(0, 1)


def _filtering(weights: Tensor, side: int) -> Tensor:
    """``[side, side]``: the part of each input pixel in each output pixel, borders continued."""
    reach = len(weights) // 2
    places = torch.arange(side, device=weights.device)[:, None]
    taken = places + torch.arange(-reach, reach + 1, device=weights.device)
    matrix = weights.new_zeros(side, side)
    return matrix.scatter_add_(1, taken.clamp(0, side - 1), weights.expand(side, -1))


def warp(
    values: Tensor,
    size: tuple[int, int],
    scale: tuple[float, float],
    shift: tuple[float, float],
    kernel: Kernel = "cubic",
    border: Border = "continued",
) -> Tensor:
    """Scale about the origin, then shift: what was at x comes to lie at scale * x + shift.

    Args:
        values: ``[N, C, H, W]``, an image, mask or feature map.
        size: Height and width of the result, in pixels.
        scale: Along x and along y, above 0.
        shift: Along x and along y, in pixels of the result.
        kernel: "cubic" (Keys, 1981, a = -1/2) is sharper, "linear" never overshoots.
        border: What is outside of the input: its border "continued", as suits colours, or "zero",
            as suits masks.

    Returns:
        ``[N, C, *size]`` within the range of the input.
    """
    if border == "zero":
        edges = [math.ceil(2 * max(1.0, 1 / factor)) + 1 for factor in scale]
        values = pad(values, (edges[0], edges[0], edges[1], edges[1]))
        shift = shift[0] - scale[0] * edges[0], shift[1] - scale[1] * edges[1]
    weigh = _cubic if kernel == "cubic" else _linear
    rows = _weights(size[0], values.shape[2], scale[1], shift[1], weigh)
    columns = _weights(size[1], values.shape[3], scale[0], shift[0], weigh)
    return _apply(rows, values, columns).clamp(values.amin(), values.amax())


def _apply(rows: Tensor, values: Tensor, columns: Tensor) -> Tensor:
    rows, columns = rows.to(values), columns.to(values)
    return rows @ values @ columns.T


def _overlaps(out_size: int, in_size: int) -> Tensor:
    """``[out, in]``: the part of output pixel i that lies in input pixel j."""
    edges = torch.arange(out_size + 1, dtype=torch.float64) * in_size / out_size
    within = (edges[:, None] - torch.arange(in_size, dtype=torch.float64)).clamp(0, 1)
    return within.diff(dim=0) * out_size / in_size


def _weights(
    out_size: int, in_size: int, scale: float, shift: float, weigh: Callable[[Tensor], Tensor]
) -> Tensor:
    """``[out, in]``, rows summing to 1; a centre outside of the input is moved to its border."""
    centres = (torch.arange(out_size, dtype=torch.float64) + 0.5 - shift) / scale
    centres = centres.clamp(0, in_size)
    pixels = torch.arange(in_size, dtype=torch.float64) + 0.5
    weights = weigh((pixels - centres[:, None]).abs() / max(1.0, 1 / scale))
    return weights / weights.sum(1, keepdim=True)


def _cubic(distance: Tensor) -> Tensor:
    near = (1.5 * distance - 2.5) * distance**2 + 1
    far = ((2.5 - 0.5 * distance) * distance - 4) * distance + 2
    return torch.where(distance < 1, near, torch.where(distance < 2, far, torch.zeros_like(far)))


def _linear(distance: Tensor) -> Tensor:
    return (1 - distance).clamp_min(0)
