"""Layers of an RFR network: partial convolutions, which see only what is known, and their kin.

Shapes: N samples; I, O input and output channels; k kernel; H, W and h, w sizes before and after.
A mask is 1 where pixels are known and 0 in the hole, ``[N, 1, H, W]``.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_SMALL = 1e-8  # added to the number of known inputs, so that none is no division by zero


class Convolution(nn.Module):
    """A convolution without a bias.

    Args:
        inputs: I.
        outputs: O.
        kernel: k, odd; the input is padded so that stride 1 keeps its size.
        stride: Of the output's positions.
        dilation: Distance between the taps of the kernel.
    """

    def __init__(
        self, inputs: int, outputs: int, kernel: int, *, stride: int = 1, dilation: int = 1
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs, kernel, kernel))
        nn.init.kaiming_normal_(self.weight, a=0.2)
        self.kernel, self.stride, self.dilation = kernel, stride, dilation

    def forward(self, x: Tensor) -> Tensor:
        """From ``[N, I, H, W]`` to ``[N, O, h, w]``."""
        padding = self.dilation * (self.kernel // 2)
        weight = self.weight.to(x.dtype)
        return F.conv2d(x, weight, stride=self.stride, padding=padding, dilation=self.dilation)


class PartialConvolution(Convolution):
    """A convolution of the known inputs alone, enlarged by how many are unknown (Liu et al. 2018).

    A position of the output is known if its window holds anything that is.
    """

    def partial(self, parts: Sequence[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
        """Convolve what is known.

        Args:
            parts: Inputs ``[N, I', H, W]``, together I channels, each with its mask.

        Returns:
            Features ``[N, O, h, w]`` and where they are known, ``[N, 1, h, w]``.
        """
        inputs = self.weight.shape[1] * self.kernel**2
        known = torch.stack([x.shape[1] * self._windows(mask) for x, mask in parts]).sum(dim=0)
        covered = known.clamp(0, 1)
        seen = torch.cat([x * mask for x, mask in parts], dim=1)
        return self(seen) * (inputs / (known + _SMALL) * covered), covered

    def covered(self, mask: Tensor) -> Tensor:
        """Where the output is known, ``[N, 1, h, w]``, of inputs that are where `mask` is 1."""
        return self._windows(mask).clamp(0, 1)

    def _windows(self, mask: Tensor) -> Tensor:
        """How many known positions each window holds."""
        taps = mask.new_ones(1, 1, self.kernel, self.kernel)
        with torch.autocast(mask.device.type, enabled=False):  # counts are exact in float32
            return F.conv2d(mask, taps, stride=self.stride, padding=self.kernel // 2)


class Enlarging(nn.Module):
    """A transposed convolution that doubles height and width; its weight is ``[O, I, 4, 4]``."""

    kernel = 4

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs, self.kernel, self.kernel))
        nn.init.normal_(self.weight, std=(0.5 / inputs) ** 0.5)  # four of sixteen taps meet

    def forward(self, x: Tensor) -> Tensor:
        """From ``[N, I, H, W]`` to ``[N, O, 2 H, 2 W]``."""
        return F.conv_transpose2d(x, self.weight.to(x.dtype).transpose(0, 1), stride=2, padding=1)

    @staticmethod
    def field(x: Tensor) -> Tensor:
        """What the kernel, flipped, slides over with stride 1: ``[N, I, 2 H + 3, 2 W + 3]``."""
        n, channels, height, width = x.shape
        spread = x.new_zeros(n, channels, 2 * height + 3, 2 * width + 3)
        spread[:, :, 2 : 2 * height + 1 : 2, 2 : 2 * width + 1 : 2] = x
        return spread


class BatchNorm(nn.Module):
    """Batch normalisation; batches are not counted, since no result depends on it."""

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Normalised features, of the same shape."""
        return F.batch_norm(
            x, self.running_mean, self.running_var, self.weight, self.bias, self.training
        )


class Block(nn.Module):
    """A convolution, a batch norm and a leaky ReLU.

    Args:
        convolution: Without a bias.
        outputs: Its output channels.
        slope: Of the activation below 0.
    """

    def __init__(self, convolution: nn.Module, outputs: int, slope: float) -> None:
        super().__init__()
        self.convolution, self.norm, self.slope = convolution, BatchNorm(outputs), slope

    def forward(self, x: Tensor) -> Tensor:
        """From ``[N, I, H, W]`` to ``[N, O, h, w]``."""
        return F.leaky_relu(self.norm(self.convolution(x)), self.slope)
