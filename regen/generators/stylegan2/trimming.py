"""A part of a layer, cut out with one copy, and with zero outside the image.

Shapes: N samples; C channels; h, w size of a layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor


class Span(NamedTuple):
    """Positions along one axis, relative to where a window begins: start included, end not."""

    start: int
    end: int

    def grown(self, reach: int) -> Span:
        """With a border of `reach` positions."""
        return Span(self.start - reach, self.end + reach)

    def halved(self) -> Span:
        """The positions of half the resolution that it touches."""
        return Span(self.start // 2, -(-self.end // 2))

    def doubled(self) -> Span:
        """The positions of twice the resolution that it covers."""
        return Span(2 * self.start, 2 * self.end)

    def joined(self, other: Span) -> Span:
        """The smallest span that holds both."""
        return Span(min(self.start, other.start), max(self.end, other.end))


Inside = tuple[tuple[int, Span, Span], ...]
"""Numbers of samples, and the rows and columns of each that lie inside the image."""


def trimmed(x: Tensor, given: Sequence[Span], needed: Sequence[Span], inside: Inside) -> Tensor:
    """What is needed of a layer, with 0 outside the image, as the uncropped network's padding is.

    One copy, where slices and a mask take three, and one in the gradient, in the memory format of
    `x`, which slices do not keep: whatever follows in the backward pass would have to convert it.

    Args:
        x: ``[N, C, h, w]``.
        given: Its rows and columns.
        needed: Those to keep, within the given ones.
        inside: For a sample that reaches outside the image, which of the needed ones do not.
    """
    if list(given) == list(needed) and not inside:
        return x
    rows, columns = (
        Span(n.start - g.start, n.end - g.start) for g, n in zip(given, needed, strict=True)
    )
    channels_last = x.is_contiguous(memory_format=torch.channels_last) and x.shape[1] > 1
    layout = torch.channels_last if channels_last else torch.contiguous_format
    part: Tensor = _Part.apply(x, _Place(x.shape, rows, columns, inside, layout))
    return part


class _Place(NamedTuple):
    """Where a part of a layer is.

    Attributes:
        shape: Of the layer.
        rows: Of the part in the layer.
        columns: Likewise.
        inside: What of the part lies inside the image, see `trimmed`.
        layout: Memory format of both.
    """

    shape: torch.Size
    rows: Span
    columns: Span
    inside: Inside
    layout: torch.memory_format

    def of(self, layer: Tensor) -> Tensor:
        """A view of the part."""
        return layer[..., slice(*self.rows), slice(*self.columns)]

    def clear_outside(self, part: Tensor) -> None:
        """Write 0 into what lies outside the image."""
        for i, rows, columns in self.inside:
            _clear_around(part[i], rows, columns)


class _Part(torch.autograd.Function):
    """A part of a layer. Its gradient is `_Whole`, and that one's this: any order is exact."""

    @staticmethod
    def forward(ctx: Any, layer: Tensor, place: _Place) -> Tensor:
        ctx.place = place
        part = place.of(layer).clone(memory_format=place.layout)
        place.clear_outside(part)
        return part

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return _Whole.apply(gradient, ctx.place), None


class _Whole(torch.autograd.Function):
    """A layer that is 0 but for a part of it."""

    @staticmethod
    def forward(ctx: Any, part: Tensor, place: _Place) -> Tensor:
        ctx.place = place
        layer = torch.empty(
            place.shape, dtype=part.dtype, device=part.device, memory_format=place.layout
        )
        place.of(layer).copy_(part)
        place.clear_outside(place.of(layer))
        _clear_around(layer, place.rows, place.columns)
        return layer

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return _Part.apply(gradient, ctx.place), None


def _clear_around(layer: Tensor, rows: Span, columns: Span) -> None:
    """Write 0 into the rows and columns of ``[..., h, w]`` that are not given."""
    for strip in (
        layer[..., : rows.start, :],
        layer[..., rows.end :, :],
        layer[..., : columns.start],
        layer[..., columns.end :],
    ):
        if strip.numel():
            strip.zero_()
