"""StyleGAN2's discriminator: residual blocks from the image down to 4x4, and one logit.

Each block halves the image: two convolutions, the second with blur and stride 2, beside a 1x1
convolution of the blurred and halved input; the sum is scaled to unit variance. At 4x4 a channel
says how much the images of a group differ (minibatch standard deviation).

Tensors are named and shaped as in the files of the official implementation (``b64.conv0.weight``,
``b4.fc.bias``), without its copies of the resampling filter.

Source: Karras et al. 2020, "Analyzing and Improving the Image Quality of StyleGAN", section 4.1 and
appendix B; Karras et al. 2018, "Progressive Growing of GANs", section 3. Written from the papers.

Shapes: N images; R their side; C channels; r side of a layer; G images of a group.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from regen.errors import GeneratorError
from regen.generators.stylegan2.config import StyleGAN2Config
from regen.generators.stylegan2.network import Dense
from stylegan2_ops import bias_act, conv2d, filter_from_taps, upfirdn2d

_HALF = math.sqrt(0.5)  # keeps the variance of the sum of two branches


def minibatch_std(x: Tensor, group: int) -> Tensor:
    """Standard deviations over the images of a group, averaged over everything else.

    Groups are neighbours in the batch, so processes that each hold whole groups of a batch compute
    what one process would.

    Args:
        x: ``[N, C, r, r]``.
        group: Images of a group, at most; the largest divisor of N up to it is taken.

    Returns:
        ``[N, 1, r, r]``, constant over a group.

    Example:
        >>> x = torch.tensor([1.0, 3.0, 5.0, 5.0]).reshape(4, 1, 1, 1)
        >>> minibatch_std(x, 2).flatten().round(decimals=3).tolist()
        [1.0, 1.0, 0.0, 0.0]
    """
    count, _, height, width = x.shape
    group = max(size for size in range(1, min(group, count) + 1) if count % size == 0)
    grouped = x.reshape(count // group, group, -1)  # [N / G, G, C r r]
    variance = grouped.var(dim=1, correction=0)
    mean = (variance + 1e-8).sqrt().mean(dim=1)  # [N / G]
    return mean.repeat_interleave(group)[:, None, None, None].expand(-1, 1, height, width)


class Convolution(nn.Module):
    """Convolution, I to O channels, with equalised learning rate, bias and leaky ReLU.

    Args:
        inputs: I.
        outputs: O.
        kernel: Odd side of the kernel.
        down: 1, or 2 to blur and halve first.
        linear: Neither bias nor activation.
        taps: Of the blur.
        clamp: Limit of the result's magnitude, or None.
    """

    resample_filter: Tensor

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        *,
        down: int = 1,
        linear: bool = False,
        taps: tuple[float, ...] = (1.0, 3.0, 3.0, 1.0),
        clamp: float | None = None,
    ) -> None:
        super().__init__()
        self.kernel, self.down, self.clamp = kernel, down, clamp
        self.scale = 1 / math.sqrt(inputs * kernel**2)
        weight = torch.randn(outputs, inputs, kernel, kernel)
        self.weight = nn.Parameter(weight.contiguous(memory_format=torch.channels_last))
        self.bias = None if linear else nn.Parameter(torch.zeros(outputs))
        self.register_buffer("resample_filter", filter_from_taps(taps), persistent=False)

    def forward(self, x: Tensor, gain: float = 1.0) -> Tensor:
        """The result scaled by `gain`."""
        linear = self.bias is None
        weight = (self.weight * (self.scale * gain if linear else self.scale)).to(x.dtype)
        if self.down == 1:
            x = conv2d(x, weight, padding=self.kernel // 2)
        elif self.kernel == 1:
            x = conv2d(self._blurred(x, stride=2), weight)
        else:
            x = conv2d(self._blurred(x, stride=1), weight, stride=2)
        if self.bias is None:
            return x
        clamp = None if self.clamp is None else self.clamp * gain
        return bias_act(x, self.bias, act="lrelu", gain=math.sqrt(2) * gain, clamp=clamp)

    def _blurred(self, x: Tensor, stride: int) -> Tensor:
        """Filtered so that stride 2, here or in the convolution, keeps the image centred."""
        margin = self.resample_filter.shape[-1] - 2 + 2 * (self.kernel // 2)
        before, after = (margin + 1) // 2, margin // 2
        padding = [before, after, before, after]
        return upfirdn2d(x, self.resample_filter, down=stride, padding=padding)


class Block(nn.Module):
    """One residual block, ``[N, I, r, r] -> [N, O, r / 2, r / 2]``; the first takes RGB."""

    def __init__(self, inputs: int, outputs: int, *, first: bool, config: StyleGAN2Config) -> None:
        super().__init__()
        taps, clamp = config.resample_taps, config.conv_clamp
        self.fromrgb = Convolution(3, inputs, 1, clamp=clamp) if first else None
        self.conv0 = Convolution(inputs, inputs, 3, clamp=clamp)
        self.conv1 = Convolution(inputs, outputs, 3, down=2, taps=taps, clamp=clamp)
        self.skip = Convolution(inputs, outputs, 1, down=2, taps=taps, linear=True)

    def forward(self, x: Tensor) -> Tensor:
        if self.fromrgb is not None:
            x = self.fromrgb(x)
        straight = self.skip(x, gain=_HALF)
        result: Tensor = self.conv1(self.conv0(x), gain=_HALF) + straight
        return result


class Epilogue(nn.Module):
    """From 4x4 to logits, ``[N, C, 4, 4] -> [N, 1]``, in float32."""

    def __init__(self, channels: int, *, clamp: float | None) -> None:
        super().__init__()
        self.conv = Convolution(channels + 1, channels, 3, clamp=clamp)
        self.fc = Dense(channels * 16, channels, act="lrelu")
        self.out = Dense(channels, 1)

    def forward(self, x: Tensor, group: int, batches: int) -> Tensor:
        spread = torch.cat([minibatch_std(part, group) for part in x.chunk(batches)])
        x = self.conv(torch.cat([x, spread], dim=1))
        logits: Tensor = self.out(self.fc(x.flatten(1)))
        return logits


class Discriminator(nn.Module):
    """Images ``[N, 3, R, R]`` in [-1, 1] to logits ``[N, 1]``, above 0 for "real".

    Args:
        config: The generator's architecture, whose counterpart this is: resolution, channels,
            filter and clamp are used.
        group: Images of a group of the minibatch standard deviation.

    Attributes:
        precision: dtype the blocks compute in; the layers at 4x4 use float32.

    Raises:
        GeneratorError: If the generator has classes.
    """

    def __init__(self, config: StyleGAN2Config, group: int = 4) -> None:
        super().__init__()
        if config.label_dim:
            raise GeneratorError(
                "discriminator", got=f"{config.label_dim} classes", expected="none: no labels"
            )
        self.config, self.group = config, group
        self.precision = torch.float32
        self.sizes = [4 << i for i in range(int(math.log2(config.resolution)) - 2, 0, -1)]
        for size in self.sizes:
            inputs, outputs = config.channels(size), config.channels(size // 2)
            block = Block(inputs, outputs, first=size == config.resolution, config=config)
            self.add_module(f"b{size}", block)
        self.b4 = Epilogue(config.channels(4), clamp=config.conv_clamp)

    def forward(self, images: Tensor, *, batches: int = 1) -> Tensor:
        """Logits ``[N, 1]``, in the dtype of the weights.

        Args:
            images: ``[N, 3, R, R]``.
            batches: How many batches of equal size lie behind one another in `images`; their
                standard deviations are kept apart.
        """
        wide = self.b4.out.weight.dtype
        dtype = self.precision if wide == torch.float32 else wide
        x = images.to(dtype, memory_format=torch.channels_last)
        for size in self.sizes:
            x = self.get_submodule(f"b{size}")(x)
        logits: Tensor = self.b4(x.to(wide), self.group, batches)
        return logits
