"""Which part of each layer of a StyleGAN2 a window of its image depends on.

A 3x3 convolution needs a border of one position, an enlarging one 1 + half its filter's taps at the
size of its output, and the enlarged RGB image half its filter's taps. Computed backwards from the
image, layer by layer, so that at every layer as little as possible is computed, and everything that
is computed is exact.

Shapes: N samples; L convolutions; r size of a layer; R side of the image.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from regen.generators.crops import Window
from regen.generators.stylegan2.config import StyleGAN2Config


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


class Spans(NamedTuple):
    """Along one axis: what is needed after each step of `LayerRun.run`, by its layer, 0 to L + 1.

    Attributes:
        features: Of the output of convolution l, at its resolution.
        image: Of the RGB image after step l, at the resolution of convolution l - 1.
    """

    features: tuple[Span, ...]
    image: tuple[Span, ...]


@lru_cache(maxsize=256)
def spans(config: StyleGAN2Config, size: int) -> Spans:
    """What a window of `size` pixels along one axis needs of each layer."""
    reach, image_reach = 1 + len(config.resample_taps) // 2, _image_reach(config)
    last = config.convolutions + 1
    features, image = [Span(0, size)] * (last + 1), [Span(0, size)] * (last + 1)
    for layer in range(last, 0, -1):
        below = features[layer]
        if layer < last:
            below = below.grown(1) if layer % 2 else below.grown(reach).halved()
        image[layer - 1] = image[layer]
        if layer % 2 == 0:  # the RGB layer of convolution l - 1 runs in step l
            below = image[layer] if layer == last else below.joined(image[layer])
            image[layer - 1] = image[layer].grown(image_reach).halved()
        features[layer - 1] = below
    return Spans(tuple(features), tuple(image))


def _image_reach(config: StyleGAN2Config) -> int:
    return len(config.rgb_resample_taps or config.resample_taps) // 2


@dataclass(frozen=True)
class Crop:
    """Windows of the image, one for each sample, that a run of layers is limited to.

    Attributes:
        config: The architecture.
        windows: N, equally large, each beginning at a multiple of the cell.
    """

    config: StyleGAN2Config
    windows: tuple[Window, ...]

    def __post_init__(self) -> None:
        sizes = {(window.height, window.width) for window in self.windows}
        assert len(sizes) == 1, f"windows of several sizes: {sorted(sizes)}"

    @property
    def axes(self) -> tuple[Spans, Spans]:
        """What is needed along rows and along columns."""
        first = self.windows[0]
        return spans(self.config, first.height), spans(self.config, first.width)

    def select(self, index: Iterable[int]) -> Crop:
        """The windows of the samples `index`."""
        return Crop(self.config, tuple(self.windows[i] for i in index))

    def join(self, others: Sequence[Crop]) -> Crop:
        """These windows followed by those of `others`."""
        return Crop(self.config, sum((other.windows for other in others), self.windows))

    def features(self, layer: int) -> list[Window]:
        """Windows of the output of convolution `layer`, in its positions."""
        return self._windows([axis.features[layer] for axis in self.axes], layer)

    def image(self, layer: int) -> list[Window]:
        """Windows of the RGB image after step `layer`, in its positions."""
        return self._windows([axis.image[layer] for axis in self.axes], image_layer(layer))

    def noise(self, layer: int) -> list[Window]:
        """Windows that convolution `layer` computes, before they are trimmed."""
        return self._windows([self._computed(axis, layer) for axis in self.axes], layer)

    def trim_features(self, layer: int, x: Tensor) -> Tensor:
        """What convolution `layer` computed, limited to what is needed of it."""
        computed = [self._computed(axis, layer) for axis in self.axes]
        x = _trimmed(x, computed, [axis.features[layer] for axis in self.axes])
        return self._inside(x, self.features(layer), layer)

    def trim_image(self, layer: int, colour: Tensor, enlarged: Tensor | None) -> Tensor:
        """The RGB image after step `layer`, from what that step adds and the image before.

        Args:
            layer: The step.
            colour: RGB of the output of convolution ``layer - 1``.
            enlarged: The image before, enlarged to the same resolution, or None.
        """
        needed = [axis.image[layer] for axis in self.axes]
        image = _trimmed(colour, [axis.features[layer - 1] for axis in self.axes], needed)
        if enlarged is not None:
            covered = [axis.image[layer - 1].doubled() for axis in self.axes]
            image = image + _trimmed(enlarged, covered, needed)
        return self._inside(image, self.image(layer), image_layer(layer))

    def _computed(self, axis: Spans, layer: int) -> Span:
        below = axis.features[layer - 1]
        return below if layer % 2 else below.doubled()

    def _windows(self, needed: Sequence[Span], layer: int) -> list[Window]:
        rows, columns = needed
        shrink = self.config.resolution // self.config.resolution_of(layer)
        return [
            Window(
                window.top // shrink + rows.start,
                window.left // shrink + columns.start,
                rows.end - rows.start,
                columns.end - columns.start,
            )
            for window in self.windows
        ]

    def _inside(self, x: Tensor, windows: Sequence[Window], layer: int) -> Tensor:
        """`x` with 0 outside the image, as the padding of the uncropped network has it."""
        side = self.config.resolution_of(layer)
        if all(window.within((side, side)) for window in windows):
            return x
        rows = _valid([w.top for w in windows], int(x.shape[2]), side, x)
        columns = _valid([w.left for w in windows], int(x.shape[3]), side, x)
        return x * (rows[:, None, :, None] & columns[:, None, None, :])


def image_layer(step: int) -> int:
    """The convolution at whose resolution the RGB image is after a step of `LayerRun.run`."""
    return max(step - 1 if step % 2 == 0 else step - 2, 0)


def _trimmed(x: Tensor, given: Sequence[Span], needed: Sequence[Span]) -> Tensor:
    if list(given) == list(needed):
        return x
    slices = [slice(n.start - g.start, n.end - g.start) for g, n in zip(given, needed, strict=True)]
    channels_last = x.is_contiguous(memory_format=torch.channels_last) and x.shape[1] > 1
    part = x[..., slices[0], slices[1]]
    return part.contiguous(
        memory_format=torch.channels_last if channels_last else torch.contiguous_format
    )


def _valid(starts: Sequence[int], count: int, side: int, like: Tensor) -> Tensor:
    """Which positions from each start are inside a layer of this side, ``[N, count]``."""
    position = torch.tensor(starts, device=like.device)[:, None] + torch.arange(
        count, device=like.device
    )
    return (position >= 0) & (position < side)
