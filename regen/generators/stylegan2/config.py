"""The architecture of a StyleGAN2 generator, as its files record it.

Convolutions are counted from 1 (the one at 4x4); an image of size R has ``2 log2(R) - 3`` of
them: one at 4x4 and two at every larger resolution, of which the first enlarges.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from regen.errors import GeneratorError
from regen.files.budget import (
    LARGEST_CHANNEL_BASE,
    LARGEST_RESOLUTION,
    LARGEST_WIDTH,
    MOST_CHANNELS,
    MOST_CLASSES,
    MOST_LAYERS,
    MOST_TAPS,
    is_finite,
)

# Least and most of each. A file says them before any of its tensors is looked at.
_RANGES = {
    "resolution": (8, LARGEST_RESOLUTION),
    "z_dim": (1, LARGEST_WIDTH),
    "w_dim": (1, LARGEST_WIDTH),
    "label_dim": (0, MOST_CLASSES),
    "channel_base": (1, LARGEST_CHANNEL_BASE),
    "channel_max": (1, MOST_CHANNELS),
    "mapping_layers": (1, MOST_LAYERS),
    "num_fp16_res": (0, MOST_LAYERS),
}


@dataclass(frozen=True)
class StyleGAN2Config:
    """The architecture; together with the tensors it is the whole generator.

    Attributes:
        resolution: Height and width in pixels, a power of two from 8 to 4096.
        z_dim: Dimensions of the latent z, at least 1.
        w_dim: Dimensions of the style code w, at least 1.
        label_dim: Number of classes, 0 for an unconditional generator.
        channel_base: Channels at resolution r are ``min(channel_base // r, channel_max)``;
            32768 in configuration f, 16384 in e.
        channel_max: Upper limit of the channels.
        mapping_layers: Fully connected layers from z to w, 1 to 64.
        mapping_lr_multiplier: Learning-rate factor of the mapping, built into its scale.
        conv_clamp: Limit of the activations' magnitude, or None.
        resample_taps: One-dimensional filter of the convolutions that enlarge, at most 32 numbers.
        rgb_resample_taps: The same for the image, where it is another one; None where it is not.
        num_fp16_res: How many of the highest resolutions NVIDIA's code computes in float16 on a
            GPU. regen computes in `StyleGAN2.precision`; kept for writing files back.

    Raises:
        GeneratorError: If a value is of the wrong kind or out of its range.

    Example:
        >>> StyleGAN2Config(resolution=1024).convolutions
        17
    """

    resolution: int = 128
    z_dim: int = 512
    w_dim: int = 512
    label_dim: int = 0
    channel_base: int = 32768
    channel_max: int = 512
    mapping_layers: int = 8
    mapping_lr_multiplier: float = 0.01
    conv_clamp: float | None = None
    resample_taps: tuple[float, ...] = (1.0, 3.0, 3.0, 1.0)
    num_fp16_res: int = 0
    rgb_resample_taps: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        for name, (least, most) in _RANGES.items():
            check_size(name, getattr(self, name), least, most)
        if self.resolution & (self.resolution - 1):
            raise GeneratorError("resolution", got=self.resolution, expected="a power of two")
        check_size("channel_base", self.channel_base, self.resolution, LARGEST_CHANNEL_BASE)
        check_positive("mapping_lr_multiplier", self.mapping_lr_multiplier)
        if self.conv_clamp is not None:
            check_positive("conv_clamp", self.conv_clamp)
        for name in ("resample_taps", "rgb_resample_taps"):
            taps = getattr(self, name)
            if taps is not None or name == "resample_taps":
                object.__setattr__(self, name, checked_taps(name, taps))

    @property
    def convolutions(self) -> int:
        """Number L of convolutions."""
        return 2 * int(math.log2(self.resolution)) - 3

    def channels(self, resolution: int) -> int:
        """Channels at a resolution."""
        return min(self.channel_base // resolution, self.channel_max)

    @staticmethod
    def resolution_of(convolution: int) -> int:
        """Resolution of the output of a convolution, counted from 1."""
        return int(4 << (convolution // 2))


def check_size(name: str, size: object, least: int, most: int) -> None:
    """Raise GeneratorError for what is not an integer in a range."""
    if not isinstance(size, int) or isinstance(size, bool) or not least <= size <= most:
        raise GeneratorError(name, got=repr(size), expected=f"an integer from {least} to {most}")


def check_positive(name: str, value: object) -> None:
    """Raise GeneratorError for what is not a finite number above 0."""
    if not is_finite(value) or not value > 0:  # type: ignore[operator]
        raise GeneratorError(name, got=repr(value), expected="a number above 0")


def checked_taps(name: str, taps: object) -> tuple[float, ...]:
    """The taps of a filter, a list of 1 to 32 numbers with a sum other than 0.

    Raises:
        GeneratorError: If they are something else.
    """
    if not isinstance(taps, (list, tuple)) or not 0 < len(taps) <= MOST_TAPS:
        raise GeneratorError(name, got=repr(taps), expected=f"a list of 1 to {MOST_TAPS} numbers")
    if not all(is_finite(tap) for tap in taps):
        raise GeneratorError(name, got=repr(taps), expected="a list of finite numbers")
    if sum(taps) == 0:
        raise GeneratorError(name, got=repr(taps), expected="a sum other than 0")
    return tuple(float(tap) for tap in taps)
