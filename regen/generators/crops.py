"""Parts of images: a generator's memory and tail computed for a window of the image alone.

Convolutions look at their neighbourhood only, so a part of an image follows from a somewhat larger
part of the layers before it. A family whose split can compute that is fitted several times faster;
nothing else is required of it. A family that cannot is fitted on whole images.

Shapes: N samples; C channels; h, w the size of a layer; H, W that of the image.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
import torch.nn.functional as F
from torch import Tensor

from regen.generators.split import Activation
from regen.images.raster import size_of


@dataclass(frozen=True)
class Window:
    """A part of a layer or of the image; it may reach outside, where everything is 0.

    Attributes:
        top: First row, negative where it begins outside.
        left: First column.
        height: Number of rows, at least 1.
        width: Number of columns, at least 1.
    """

    top: int
    left: int
    height: int
    width: int

    def within(self, size: tuple[int, int]) -> bool:
        """Whether it lies inside a layer or image of this height and width."""
        rows, columns = size
        inside = self.top >= 0 and self.left >= 0
        return inside and self.top + self.height <= rows and self.left + self.width <= columns


@runtime_checkable
class CropSplit(Protocol):
    """A split that can compute a window of the image.

    The windows of a batch are equally large, one for each sample, and begin at multiples of `cell`.
    ``tail(memory(crop_key(key, windows)))`` equals ``cut(tail(memory(key)), windows)`` up to
    rounding, at every pixel inside the image.
    """

    @property
    def cell(self) -> int:
        """Pixels of the image, of which the first row and column of a window are multiples."""
        ...

    def crop_key(self, key: Activation, windows: Sequence[Window]) -> Activation:
        """The part of a whole key that memory and tail need for the windows.

        Args:
            key: From `Split.head`, N samples.
            windows: N, in pixels of the image.
        """
        ...

    def crop_value(self, value: Activation, windows: Sequence[Window]) -> Activation:
        """The part of a whole value that the tail needs for the windows; as `crop_key`."""
        ...

    def value_windows(self, windows: Sequence[Window]) -> list[Window]:
        """The windows of the value that `crop_key` recalls, in positions of the value."""
        ...


def cut(layer: Tensor, windows: Sequence[Window], index: Sequence[int] | None = None) -> Tensor:
    """One window of each sample, with 0 where it reaches outside.

    Args:
        layer: ``[N, C, h, w]``, or of more samples.
        windows: N, equally large.
        index: Which samples, by default all in their order.

    Returns:
        ``[N, C, height, width]`` in the memory format of `layer`.
    """
    index = range(len(layer)) if index is None else index
    assert len(index) == len(windows), f"{len(windows)} windows for {len(index)} samples"
    parts = [_one(layer[i : i + 1], window) for i, window in zip(index, windows, strict=True)]
    joined = torch.cat(parts)
    channels_last = layer.is_contiguous(memory_format=torch.channels_last)
    return joined.contiguous(
        memory_format=torch.channels_last if channels_last else torch.contiguous_format
    )


def _one(layer: Tensor, window: Window) -> Tensor:
    rows, columns = size_of(layer)
    top, left = max(window.top, 0), max(window.left, 0)
    bottom = max(min(window.top + window.height, rows), top)
    right = max(min(window.left + window.width, columns), left)
    part = layer[..., top:bottom, left:right]
    if part.shape[2:] == (window.height, window.width):
        return part
    if part.numel() == 0:
        return layer.new_zeros(1, layer.shape[1], window.height, window.width)
    before, above = left - window.left, top - window.top
    after, below = window.width - before - (right - left), window.height - above - (bottom - top)
    return F.pad(part, (before, after, above, below))
