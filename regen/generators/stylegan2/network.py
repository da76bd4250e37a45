"""StyleGAN2's generator with the arithmetic of the official configurations e and f.

Convolutions are counted from 1 (the one at 4x4); an image of size R has ``2 log2(R) - 3`` of
them. Convolution l takes the style code ``ws[:, l - 1]``; the two at one resolution are followed
by a 1x1 convolution to RGB that takes the next code, and the images of all resolutions are
summed ("skip" architecture).

Source: Karras et al. 2020, "Analyzing and Improving the Image Quality of StyleGAN", sections 2-4
and appendix B. Written from the paper.

Shapes: N samples; Z, W dimensions of z and w; L convolutions; C channels; r resolution.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from regen.errors import GeneratorError
from regen.generators.stylegan2.config import StyleGAN2Config
from regen.generators.stylegan2.crop import Crop
from stylegan2_ops import bias_act, filter_from_taps, modulated_conv2d, upsample2d


def _normal(*shape: int) -> Tensor:
    """Standard normal, on the default device; on the meta device a shape only.

    Arithmetic and random numbers there import torch's compiler, which takes two seconds.
    """
    tensor = torch.empty(shape)
    return tensor if tensor.is_meta else tensor.normal_()


class Dense(nn.Module):
    """Fully connected layer with equalised learning rate, ``[N, in] -> [N, out]``."""

    def __init__(
        self, inputs: int, outputs: int, *, act: str = "linear", bias: float = 0.0, lr: float = 1.0
    ) -> None:
        super().__init__()
        self.act, self.lr = act, lr
        weight = _normal(outputs, inputs)
        self.weight = nn.Parameter(weight if weight.is_meta else weight / lr)
        self.bias = nn.Parameter(torch.full([outputs], bias / lr))

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight.to(x.dtype) * (self.lr / math.sqrt(self.weight.shape[1]))
        bias = self.bias.to(x.dtype) * self.lr
        if self.act == "linear":
            return F.linear(x, weight, bias)
        return bias_act(F.linear(x, weight), bias, act=self.act)


def normalize_2nd_moment(x: Tensor) -> Tensor:
    """Scale each row of ``x [N, D]`` to a mean square of 1."""
    return x * (x.square().mean(dim=1, keepdim=True) + 1e-8).rsqrt()


class Mapping(nn.Module):
    """z (and a class label) to w: ``[N, Z] -> [N, W]``, with the running mean of w."""

    w_mean: Tensor

    def __init__(self, config: StyleGAN2Config) -> None:
        super().__init__()
        c = config
        self.classes = c.label_dim
        self.embed = Dense(c.label_dim, c.w_dim) if c.label_dim else None
        first = c.z_dim + (c.w_dim if c.label_dim else 0)
        sizes = [first] + [c.w_dim] * c.mapping_layers
        lr = c.mapping_lr_multiplier
        self.layers = nn.ModuleList(
            Dense(a, b, act="lrelu", lr=lr) for a, b in zip(sizes, sizes[1:], strict=False)
        )
        self.register_buffer("w_mean", torch.zeros(c.w_dim))

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        """Style codes ``[N, W]`` of ``z [N, Z]`` and one-hot ``label [N, classes]``.

        Raises:
            GeneratorError: If the label is missing or does not fit the generator's classes.
        """
        self._check_label(len(z), label)
        x = normalize_2nd_moment(z.float())
        if self.embed is not None and label is not None:
            x = torch.cat([x, normalize_2nd_moment(self.embed(label.float()))], dim=1)
        for layer in self.layers:
            x = layer(x)
        return x

    def _check_label(self, samples: int, label: Tensor | None) -> None:
        if label is None and self.classes:
            raise GeneratorError(
                "class",
                got="none",
                expected=f"0 to {self.classes - 1}",
                remedy="this generator has classes; `regen generate --class` takes one",
            )
        if label is not None and label.shape != (samples, self.classes):
            raise GeneratorError(
                "label", got=list(label.shape), expected=f"one-hot [{samples}, {self.classes}]"
            )


def in_convolution_order(weight: Tensor, up: int) -> Tensor:
    """A weight ``[O, I, k, k]`` laid out in memory as its convolution reads it, to spare a copy.

    That is channels_last, or, for the transposed convolution of an enlarging layer, the same with
    inputs and outputs exchanged.
    """
    if up == 1:
        return weight.contiguous(memory_format=torch.channels_last)
    exchanged = weight.transpose(0, 1).contiguous(memory_format=torch.channels_last)
    return exchanged.transpose(0, 1)


def _resample_filter(taps: Sequence[float]) -> Tensor:
    """On the default device, but computed on the CPU; `_normal` says why."""
    with torch.device("cpu"):
        kernel = filter_from_taps(taps)
    return kernel.to(torch.get_default_device())


class StyledConvolution(nn.Module):
    """Modulated 3x3 convolution, noise, bias, leaky ReLU: one of the L convolutions."""

    noise_const: Tensor
    resample_filter: Tensor

    def __init__(
        self, inputs: int, outputs: int, *, resolution: int, up: int, config: StyleGAN2Config
    ) -> None:
        super().__init__()
        self.up, self.clamp, self.resolution = up, config.conv_clamp, resolution
        self.affine = Dense(config.w_dim, inputs, bias=1.0)
        self.weight = nn.Parameter(in_convolution_order(_normal(outputs, inputs, 3, 3), up))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.noise_strength = nn.Parameter(torch.zeros([]))
        self.register_buffer("noise_const", _normal(resolution, resolution))
        self.register_buffer("resample_filter", _resample_filter(config.resample_taps))

    def forward(self, x: Tensor, w: Tensor, noise: Tensor | None) -> Tensor:
        """``x [N, C, r', r']``, ``w [N, W]``, noise ``[r, r]``, ``[N, 1, r, r]`` or None."""
        return modulated_conv2d(
            x,
            self.weight,
            self.affine(w),
            noise=None if noise is None else noise * self.noise_strength,
            up=self.up,
            padding=1,
            resample_filter=self.resample_filter,
            bias=self.bias,
            act="lrelu",
            clamp=self.clamp,
        )


class ToRGB(nn.Module):
    """1x1 modulated convolution to colours, without demodulation: ``[N, 3, r, r]``, float32."""

    def __init__(self, inputs: int, config: StyleGAN2Config) -> None:
        super().__init__()
        self.clamp = config.conv_clamp
        self.affine = Dense(config.w_dim, inputs, bias=1.0)
        self.weight = nn.Parameter(_normal(3, inputs, 1, 1))
        self.bias = nn.Parameter(torch.zeros(3))

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        styles = self.affine(w) / math.sqrt(x.shape[1])
        rgb = modulated_conv2d(
            x, self.weight, styles, demodulate=False, bias=self.bias, clamp=self.clamp
        )
        return rgb.to(torch.float32, memory_format=torch.contiguous_format)


Noise = Sequence[Tensor | None]


class LayerRun(nn.Module):
    """Some of the convolutions of a synthesis network and the RGB layers between them.

    Attributes:
        convs: `StyledConvolution` by number, "1" to "L".
        rgbs: `ToRGB` by the number of the convolution they follow.
        resample_filter: Filter that enlarges the RGB image.
    """

    convs: nn.ModuleDict
    rgbs: nn.ModuleDict
    resample_filter: Tensor

    def run(
        self,
        first: int,
        last: int,
        x: Tensor,
        rgb: Tensor | None,
        ws: Tensor,
        noise: Noise,
        crop: Crop | None = None,
    ) -> tuple[Tensor, Tensor | None]:
        """Convolutions `first` to `last`, and the RGB layers before each and after none.

        The RGB layer that follows convolution l runs with convolution l + 1, so that a run that
        ends at l and one that starts at l + 1 are together exactly one uncut run.

        Args:
            first: First convolution, counted from 1.
            last: Last convolution; L + 1 also runs the last RGB layer.
            x: Output of convolution ``first - 1``, ``[N, C, r, r]``.
            rgb: Image of the resolutions before, ``[N, 3, r', r']``, or None.
            ws: Style codes, ``[N, L + 1, W]``.
            noise: One entry per convolution, scaled to unit variance, or None.
            crop: Windows that all of them belong to, or None for whole images.

        Returns:
            Features and image after the last layer.
        """
        for layer in range(first, last + 1):
            name = str(layer - 1)
            if name in self.rgbs:
                colour = self.rgbs[name](x, ws[:, layer - 1])
                enlarged = None if rgb is None else upsample2d(rgb, self.resample_filter)
                if crop is not None:
                    rgb = crop.trim_image(layer, colour, enlarged)
                else:
                    rgb = colour if enlarged is None else enlarged + colour
            if str(layer) in self.convs:
                x = self.convs[str(layer)](x, ws[:, layer - 1], noise[layer - 1])
                x = x if crop is None else crop.trim_features(layer, x)
        return x, rgb


class Synthesis(LayerRun):
    """Style codes to images, runnable in pieces: `start`, then `run` from layer to layer."""

    def __init__(self, config: StyleGAN2Config) -> None:
        super().__init__()
        self.config = config
        self.const = nn.Parameter(_normal(config.channels(4), 4, 4))
        self.convs = nn.ModuleDict()
        self.rgbs = nn.ModuleDict()
        inputs = config.channels(4)
        for layer in range(1, config.convolutions + 1):
            resolution = config.resolution_of(layer)
            outputs = config.channels(resolution)
            up = 2 if layer % 2 == 0 else 1
            self.convs[str(layer)] = StyledConvolution(
                inputs, outputs, resolution=resolution, up=up, config=config
            )
            if layer % 2 == 1:
                self.rgbs[str(layer)] = ToRGB(outputs, config)
            inputs = outputs
        taps = config.rgb_resample_taps or config.resample_taps
        self.register_buffer("resample_filter", _resample_filter(taps))

    def start(self, samples: int, dtype: torch.dtype = torch.float32) -> Tensor:
        """The learned constant the first convolution sees, ``[N, C, 4, 4]``, channels_last."""
        x = self.const.to(dtype).expand(samples, -1, -1, -1)
        return x.contiguous(memory_format=torch.channels_last)

    def forward(self, ws: Tensor, noise: Noise, dtype: torch.dtype = torch.float32) -> Tensor:
        """Images ``[N, 3, R, R]``, nominally in [-1, 1], uncut."""
        x = self.start(len(ws), dtype)
        _, rgb = self.run(1, self.config.convolutions + 1, x, None, ws, noise)
        assert rgb is not None
        return rgb
