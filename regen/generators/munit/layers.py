"""Layers of a MUNIT network: convolutions that reflect at the border, and norms of whole images.

Shapes: N samples; I, O input and output channels; C channels; k kernel; H, W and h, w sizes before
and after; M numbers of the code that adaptive norms read.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from stylegan2_ops import conv2d

_SMALL = 1e-5  # added to variances, and to the deviation of a `WholeNorm`


class Convolution(nn.Module):
    """A convolution with a bias, of an input that is reflected at its border.

    Args:
        inputs: I.
        outputs: O.
        kernel: k; the padding is such that stride 1 keeps an odd kernel's size, and stride 2
            halves that of an even one.
        stride: Of the output's positions.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, *, stride: int = 1) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outputs))
        nn.init.kaiming_normal_(self.weight)
        self.kernel, self.stride = kernel, stride

    def field(self, x: Tensor) -> Tensor:
        """What the kernel slides over: ``[N, I, H, W]`` with its reflected border."""
        border = (self.kernel - 1) // 2
        return F.pad(x, (border,) * 4, mode="reflect") if border else x

    def forward(self, x: Tensor) -> Tensor:
        """From ``[N, I, H, W]`` to ``[N, O, h, w]``."""
        weight, bias = self.weight.to(x.dtype), self.bias.to(x.dtype)
        return conv2d(self.field(x), weight, bias, stride=self.stride)


class Norm(nn.Module, ABC):
    """Normalises features of whole images; some kinds read a code, the others ignore it.

    Sums over whole images need more than half precision, so they are computed in float32 then.
    """

    def forward(self, x: Tensor, code: Tensor | None = None) -> Tensor:
        """Normalised features, of the same shape and dtype.

        Args:
            x: ``[N, C, H, W]``.
            code: ``[N, M]``.
        """
        return self._normalised(precise(x), code).to(x.dtype)

    @abstractmethod
    def _normalised(self, x: Tensor, code: Tensor | None) -> Tensor: ...


class InstanceNorm(Norm):
    """Each channel of each sample to mean 0 and variance 1 (Ulyanov et al. 2016).

    Args:
        channels: C.
        affine: Whether it then scales and shifts each channel.
    """

    def __init__(self, channels: int, *, affine: bool = False) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels)) if affine else None
        self.bias = nn.Parameter(torch.zeros(channels)) if affine else None

    def _normalised(self, x: Tensor, code: Tensor | None) -> Tensor:
        return F.instance_norm(x, weight=self.weight, bias=self.bias, eps=_SMALL)


class SlicedNorm(Norm):
    """Adaptive instance norm whose shifts and scales lie in the code itself (2018).

    Args:
        channels: C.
        start: The code's first number of its own: C shifts, then C scales.
    """

    def __init__(self, channels: int, start: int) -> None:
        super().__init__()
        self.channels, self.start = channels, start

    def _normalised(self, x: Tensor, code: Tensor | None) -> Tensor:
        assert code is not None
        own = code[:, self.start : self.start + 2 * self.channels].to(x.dtype)
        shift, scale = own[:, :, None, None].chunk(2, dim=1)
        return F.instance_norm(x, eps=_SMALL) * scale + shift


class LinearNorm(Norm):
    """Adaptive instance norm that reads its scales and shifts from the code by a matrix (2021).

    Args:
        channels: C.
        code: M.
    """

    def __init__(self, channels: int, code: int) -> None:
        super().__init__()
        self.linear = nn.Linear(code, 2 * channels)

    def _normalised(self, x: Tensor, code: Tensor | None) -> Tensor:
        assert code is not None
        own: Tensor = self.linear(code)
        scale, shift = own[:, :, None, None].to(x.dtype).chunk(2, dim=1)
        return F.instance_norm(x, eps=_SMALL) * (1 + scale) + shift


class WholeNorm(Norm):
    """All channels of a sample together to mean 0 and deviation 1 (2018).

    The deviation is the unbiased one, and the small number is added to it, not to the variance.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def _normalised(self, x: Tensor, code: Tensor | None) -> Tensor:
        deviation, mean = torch.std_mean(x, dim=(1, 2, 3), keepdim=True)
        scale, shift = self.weight[:, None, None], self.bias[:, None, None]
        normalised: Tensor = (x - mean) / (deviation + _SMALL) * scale + shift
        return normalised


class Block(nn.Module):
    """A convolution, a norm unless it is None, and a ReLU."""

    def __init__(self, convolution: Convolution, norm: Norm | None) -> None:
        super().__init__()
        self.convolution, self.norm = convolution, norm

    def forward(self, x: Tensor) -> Tensor:
        """From ``[N, I, H, W]`` to ``[N, O, h, w]``."""
        x = self.convolution(x)
        return F.relu(x if self.norm is None else self.norm(x))


class Layer(nn.Module, ABC):
    """A convolution with its norm and activation, as half of a residual block or enlarging.

    A block's first half keeps the block's input, which its second half adds to its output; between
    the two it is handed along as `held`.

    Args:
        convolution: With stride 1.
        norm: Of the layer.
        norm_first: Whether norm and activation come before the convolution (2021).
    """

    def __init__(self, convolution: Convolution, norm: Norm, *, norm_first: bool = False) -> None:
        super().__init__()
        self.convolution, self.norm, self.norm_first = convolution, norm, norm_first

    def convolved(self, x: Tensor, code: Tensor | None) -> Tensor:
        """What is convolved of the layer's input, ``[N, I, h, w]``, without its border."""
        return F.relu(self.norm(x, code)) if self.norm_first else x

    def forward(
        self, x: Tensor, held: Tensor | None, code: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """Apply the layer.

        Args:
            x: ``[N, I, H, W]``.
            held: The input of the block, in its second half.
            code: ``[N, M]``, for adaptive norms.

        Returns:
            Features ``[N, O, h, w]``, and the input of the block if it goes on.
        """
        y = self.convolution(self.convolved(x, code))
        return self._finished(y if self.norm_first else self.norm(y, code), x, held)

    @abstractmethod
    def _finished(
        self, y: Tensor, x: Tensor, held: Tensor | None
    ) -> tuple[Tensor, Tensor | None]: ...


class Opening(Layer):
    """The first half of a residual block."""

    def _finished(self, y: Tensor, x: Tensor, held: Tensor | None) -> tuple[Tensor, Tensor | None]:
        return (y if self.norm_first else F.relu(y)), x


class Closing(Layer):
    """The second half of a residual block; nothing is activated after the sum."""

    def _finished(self, y: Tensor, x: Tensor, held: Tensor | None) -> tuple[Tensor, Tensor | None]:
        assert held is not None
        return y + held, None


class Enlarging(Layer):
    """Doubles height and width before its convolution; norm and activation come after it."""

    def convolved(self, x: Tensor, code: Tensor | None) -> Tensor:
        """Every position four times, ``[N, I, 2 H, 2 W]``."""
        return F.interpolate(x, scale_factor=2.0)

    def _finished(self, y: Tensor, x: Tensor, held: Tensor | None) -> tuple[Tensor, Tensor | None]:
        return F.relu(y), None


def precise(x: Tensor) -> Tensor:
    """A tensor in float32 at least."""
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
