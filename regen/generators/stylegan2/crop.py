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

from torch import Tensor

from regen.generators.crops import Window
from regen.generators.stylegan2.config import StyleGAN2Config
from regen.generators.stylegan2.trimming import Inside, Span, trimmed


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
        needed = [axis.features[layer] for axis in self.axes]
        return trimmed(x, computed, needed, self._inside(self.features(layer), layer))

    def trim_image(self, layer: int, colour: Tensor, enlarged: Tensor | None) -> Tensor:
        """The RGB image after step `layer`, from what that step adds and the image before.

        Args:
            layer: The step.
            colour: RGB of the output of convolution ``layer - 1``.
            enlarged: The image before, enlarged to the same resolution, or None.
        """
        needed = [axis.image[layer] for axis in self.axes]
        inside = self._inside(self.image(layer), image_layer(layer))
        computed = [axis.features[layer - 1] for axis in self.axes]
        image = trimmed(colour, computed, needed, inside)
        if enlarged is not None:
            covered = [axis.image[layer - 1].doubled() for axis in self.axes]
            image = image + trimmed(enlarged, covered, needed, inside)
        return image

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

    def _inside(self, windows: Sequence[Window], layer: int) -> Inside:
        """What lies inside the image, of those windows that reach outside."""
        side = self.config.resolution_of(layer)
        return tuple(
            (i, _valid(w.top, w.height, side), _valid(w.left, w.width, side))
            for i, w in enumerate(windows)
            if not w.within((side, side))
        )


def image_layer(step: int) -> int:
    """The convolution at whose resolution the RGB image is after a step of `LayerRun.run`."""
    return max(step - 1 if step % 2 == 0 else step - 2, 0)


def _valid(start: int, count: int, side: int) -> Span:
    """Which of `count` positions from `start` are inside a layer of this side."""
    first = min(max(-start, 0), count)
    return Span(first, min(max(side - start, first), count))
