"""The architecture of a StyleGAN2 generator, as its files record it.

Convolutions are counted from 1 (the one at 4x4); an image of size R has ``2 log2(R) - 3`` of
them: one at 4x4 and two at every larger resolution, of which the first enlarges.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from regen.errors import GeneratorError

_LOWEST = {
    "resolution": 8,
    "z_dim": 1,
    "w_dim": 1,
    "label_dim": 0,
    "channel_base": 1,
    "channel_max": 1,
    "mapping_layers": 1,
    "num_fp16_res": 0,
}


@dataclass(frozen=True)
class StyleGAN2Config:
    """The architecture; together with the tensors it is the whole generator.

    Attributes:
        resolution: Height and width in pixels, a power of two from 8.
        z_dim: Dimensions of the latent z, at least 1.
        w_dim: Dimensions of the style code w, at least 1.
        label_dim: Number of classes, 0 for an unconditional generator.
        channel_base: Channels at resolution r are ``min(channel_base // r, channel_max)``;
            32768 in configuration f, 16384 in e.
        channel_max: Upper limit of the channels.
        mapping_layers: Fully connected layers from z to w, at least 1.
        mapping_lr_multiplier: Learning-rate factor of the mapping, built into its scale.
        conv_clamp: Limit of the activations' magnitude, or None.
        resample_taps: One-dimensional filter used in up- and downsampling.
        num_fp16_res: How many of the highest resolutions NVIDIA's code computes in float16 on a
            GPU. regen computes in `StyleGAN2.precision`; kept for writing files back.

    Raises:
        GeneratorError: If a value is of the wrong kind or below its minimum.

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

    def __post_init__(self) -> None:
        for name, lowest in _LOWEST.items():
            _check_size(name, getattr(self, name), lowest)
        if self.resolution & (self.resolution - 1):
            raise GeneratorError("resolution", got=self.resolution, expected="a power of two")
        _check_size("channel_base", self.channel_base, self.resolution)
        _check_positive("mapping_lr_multiplier", self.mapping_lr_multiplier)
        if self.conv_clamp is not None:
            _check_positive("conv_clamp", self.conv_clamp)
        object.__setattr__(self, "resample_taps", _checked_taps(self.resample_taps))

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


def _check_size(name: str, size: object, lowest: int) -> None:
    if not isinstance(size, int) or isinstance(size, bool) or size < lowest:
        raise GeneratorError(name, got=repr(size), expected=f"an integer from {lowest}")


def _is_finite(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return math.isfinite(value)


def _check_positive(name: str, value: float) -> None:
    if not _is_finite(value) or value <= 0:
        raise GeneratorError(name, got=repr(value), expected="a number above 0")


def _checked_taps(taps: object) -> tuple[float, ...]:
    if not isinstance(taps, (list, tuple)) or not all(_is_finite(tap) for tap in taps):
        raise GeneratorError("resample_taps", got=repr(taps), expected="a list of numbers")
    if sum(taps) == 0:
        raise GeneratorError("resample_taps", got=repr(taps), expected="a sum other than 0")
    return tuple(float(tap) for tap in taps)
