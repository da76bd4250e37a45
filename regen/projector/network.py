"""The backward projector B, section 4.1 of the paper: any image to features of a value layer.

A `Downsampler` brings the image to the size of the features, `FeatureAlignment` brings it into
their space: residual blocks at that size, and at coarser sizes for what depends on the whole image
(the style of a StyleGAN2 sets the scale of every channel). B computes *normalised*
features, each channel with mean 0 and deviation 1 over the generator's own values, and gives
features in the generator's units.

Source: downsampler and residual blocks for feature alignment are those of section 4.1 of the paper,
the feature discriminator is that of section 4.1.1. The coarser sizes are regen's own.

Shapes: N images; H, W their height and width; C, h, w channels, height and width of the value.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from regen.errors import ProjectorError
from regen.projector.config import ProjectorConfig
from stylegan2_ops import conv2d

SLOPE = 0.2
_COARSEST = 4  # the discriminator halves no further


class _Conv2d(nn.Conv2d):
    """The convolution of `stylegan2_ops.conv2d`, which is quicker on the CPU."""

    def forward(self, x: Tensor) -> Tensor:
        (stride, _), (padding, _) = self.stride, cast("tuple[int, int]", self.padding)
        return conv2d(x, self.weight, self.bias, stride=stride, padding=padding)


def _conv(inputs: int, outputs: int, size: int, stride: int = 1, gain: float = 1.0) -> nn.Conv2d:
    """Convolution with padding ``(size - 1) // 2``, He initialisation, channels_last weights."""
    conv = _Conv2d(inputs, outputs, size, stride, (size - 1) // 2)
    nn.init.kaiming_normal_(conv.weight, a=SLOPE)
    assert conv.bias is not None
    with torch.no_grad():
        conv.weight.mul_(gain)
        conv.bias.zero_()
    return conv.to(memory_format=torch.channels_last)


def _computing_in(dtype: torch.dtype, device: torch.device) -> torch.autocast:
    """Convolutions inside compute in `dtype`, with weights as they are at that moment.

    Weights that torch keeps in half precision are kept as long as an outer block lasts, so those
    of a whole training would never change.
    """
    half = dtype != torch.float32
    return torch.autocast(device.type, dtype if half else None, enabled=half, cache_enabled=False)


class Downsampler(nn.Module):
    """Image ``[N, I, H, W]`` to ``[N, width, h, w]`` by convolutions of stride 2 (section 4.1).

    The first reads 6x6 pixels and writes at half the size: at full size even a few channels would
    cost as much as all later layers.
    """

    def __init__(self, ratio: int, width: int, channels: int = 3) -> None:
        super().__init__()
        halvings = int(math.log2(ratio))
        widths = [max(16, width >> (halvings - i)) for i in range(1, halvings)] + [width]
        size, stride = (6, 2) if halvings else (3, 1)
        self.first = _conv(channels, widths[0], size, stride)
        self.halve = nn.ModuleList(_conv(a, b, 4, stride=2) for a, b in pairwise(widths))

    def forward(self, image: Tensor) -> Tensor:
        """``[N, I, H, W]`` -> ``[N, width, h, w]``, before any activation."""
        x: Tensor = self.first(image)
        for conv in self.halve:
            x = conv(F.leaky_relu(x, SLOPE))
        return x


class ResidualBlock(nn.Module):
    """``x + conv(lrelu(conv(lrelu(x))))``; nearly the identity before it is trained.

    The feature alignment of section 4.1 is made of these.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = _conv(width, width, 3)
        self.second = _conv(width, width, 3, gain=0.2)

    def forward(self, x: Tensor) -> Tensor:
        """``[N, width, h, w]`` -> the same shape."""
        branch: Tensor = self.second(F.leaky_relu(self.first(F.leaky_relu(x, SLOPE)), SLOPE))
        return x + branch


class GlobalMixing(nn.Module):
    """Adds to every position a fully connected layer's output for the mean over all positions.

    It replaces a coarser size where there is none.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.mix = _conv(width, width, 1, gain=0.2)

    def forward(self, x: Tensor) -> Tensor:
        """``[N, width, h, w]`` -> the same shape."""
        mixed: Tensor = self.mix(F.leaky_relu(x, SLOPE).mean(dim=(2, 3), keepdim=True))
        return x + mixed


class FeatureAlignment(nn.Module):
    """Residual blocks at one size, with the same at half the size in between.

    The blocks are the feature alignment of section 4.1; the coarser sizes are regen's own.

    Args:
        widths: Channels at the full size, half of it, a quarter, ...
        blocks: Residual blocks at each of them, before going coarser and again after.
    """

    def __init__(self, widths: tuple[int, ...], blocks: tuple[int, ...]) -> None:
        super().__init__()
        width = widths[0]
        self.before = nn.Sequential(*(ResidualBlock(width) for _ in range(blocks[0])))
        self.coarser: nn.Module
        if len(widths) == 1:
            self.coarser = GlobalMixing(width)
        else:
            self.down = _conv(width, widths[1], 4, stride=2)
            self.coarser = FeatureAlignment(widths[1:], blocks[1:])
            self.up = _conv(widths[1], width, 1)
        self.after = nn.Sequential(*(ResidualBlock(width) for _ in range(blocks[0])))
        self.coarsest = len(widths) == 1

    def forward(self, x: Tensor) -> Tensor:
        """``[N, widths[0], h, w]`` -> the same shape."""
        x = self.before(x)
        if self.coarsest:
            x = self.coarser(x)
        else:
            y = self.coarser(self.down(F.leaky_relu(x, SLOPE)))
            x = x + F.interpolate(self.up(F.leaky_relu(y, SLOPE)), scale_factor=2.0)
        aligned: Tensor = self.after(x)
        return aligned


class BackwardProjector(nn.Module):
    """Any image to value features of one generator: B of section 4.1 of the paper.

    Args:
        config: The architecture.

    Attributes:
        precision: dtype the convolutions compute in, float32 or bfloat16; results are float32.
        value_mean: Mean ``[1, C, 1, 1]`` of each channel over the generator's values.
        value_std: Standard deviation ``[1, C, 1, 1]`` of the same.
    """

    value_mean: Tensor
    value_std: Tensor

    def __init__(self, config: ProjectorConfig) -> None:
        super().__init__()
        self.config = config
        self.precision = torch.float32
        width = config.widths[0]
        self.downsampler = Downsampler(config.ratio, width, config.channels)
        self.alignment = FeatureAlignment(config.widths, config.blocks)
        self.last = _conv(width, config.value_channels, 3)
        self.register_buffer("value_mean", torch.zeros(1, config.value_channels, 1, 1))
        self.register_buffer("value_std", torch.ones(1, config.value_channels, 1, 1))

    def forward(self, image: Tensor) -> Tensor:
        """Value features ``[N, C, h, w]``, float32, of an image.

        Args:
            image: ``[N, 3, H, W]`` in [-1, 1], with its guide as a fourth channel where the
                architecture has one, see `regen.projector.guide`.

        Raises:
            ProjectorError: If the image has another size.
        """
        return self.denormalise(self.normalised(image))

    def normalised(self, image: Tensor) -> Tensor:
        """As `forward`, in normalised units."""
        height, width = self.config.image_size
        channels = self.config.channels
        if image.dim() != 4 or image.shape[1:] != (channels, height, width):
            unguided = image.shape[1:] == (3, height, width)
            raise ProjectorError(
                "image to project",
                got=list(image.shape),
                expected=f"[N, {channels}, {height}, {width}]",
                remedy="say where it can change, its hole" if unguided else "resize it first",
            )
        return self.windowed(image)

    def windowed(self, image: Tensor) -> Tensor:
        """As `normalised`, of whole images or of windows; beyond an edge of either B sees zeros.

        Args:
            image: ``[N, I, S, S]`` as for `forward`, S a multiple of the coarsest size's positions.
        """
        x: Tensor = image.contiguous(memory_format=torch.channels_last)
        half = self.precision != torch.float32
        with _computing_in(self.precision, x.device):
            x = self.alignment(self.downsampler(x))
            x = self.last(F.leaky_relu(x, SLOPE))
        return x.float() if half else x

    def normalise(self, features: Tensor) -> Tensor:
        """From the generator's units to mean 0 and deviation 1 per channel."""
        return (features - self.value_mean) / self.value_std

    def denormalise(self, features: Tensor) -> Tensor:
        """The inverse of `normalise`."""
        return torch.addcmul(self.value_mean, features, self.value_std)


class FeatureDiscriminator(nn.Module):
    """Distinguishes real from projected values, patch by patch: D of section 4.1.1 of the paper.

    Args:
        channels: C of the value.
        size: The smaller side of the value; it is halved up to three times, not below 4.
        widths: Channels after each halving.

    Attributes:
        precision: dtype the convolutions compute in, float32 or bfloat16; logits are float32.
    """

    def __init__(self, channels: int, size: int, widths: tuple[int, ...] = (32, 64, 96)) -> None:
        super().__init__()
        self.precision = torch.float32
        halvings = max(0, min(len(widths), int(math.log2(size / _COARSEST))))
        sizes = (channels, *(widths[:halvings] or widths[:1]))
        stride = 2 if halvings else 1
        self.convs = nn.ModuleList(_conv(a, b, 3, stride=stride) for a, b in pairwise(sizes))
        self.last = _conv(sizes[-1], 1, 3)

    def forward(self, features: Tensor) -> Tensor:
        """Logits ``[N, 1, h', w']`` of normalised ``features [N, C, h, w]``, positive for real."""
        x: Tensor = features.contiguous(memory_format=torch.channels_last)
        half = self.precision != torch.float32
        with _computing_in(self.precision, x.device):
            for conv in self.convs:
                x = F.leaky_relu(conv(x), SLOPE)
            x = self.last(x)
        return x.float() if half else x
