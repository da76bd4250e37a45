"""MUNIT (Huang et al. 2018): translates an image of one domain into another, in a given style.

Written from the paper and from what published files hold; no code of its authors is in here. Of the
two auto-encoders of a MUNIT this is the half that translates from A to B: the content encoder of A,
and the style encoder, mapping and decoder of B.

The decoder's convolutions are counted from 1: two in each residual block, then the two that
enlarge. It can be cut after any of them; a last convolution makes the image.

Shapes: N samples; d width; S numbers of a style; M of the code that a style is mapped to; H, W
height and width of the image, multiples of 4.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from regen.generators.munit.config import SHRINKING, MUNITConfig
from regen.generators.munit.layers import (
    Block,
    Closing,
    Convolution,
    Enlarging,
    InstanceNorm,
    Layer,
    LinearNorm,
    Norm,
    Opening,
    SlicedNorm,
    WholeNorm,
    precise,
)


class StyleEncoder(nn.Module):
    """The style of an image of domain B."""

    def __init__(self, config: MUNITConfig) -> None:
        super().__init__()
        d, _, widest = config.channels
        widths = [min(d << step, widest) for step in range(SHRINKING + 1)]
        halving = [
            Block(Convolution(inputs, outputs, 4, stride=2), None)
            for inputs, outputs in zip(widths, widths[1:], strict=False)
        ]
        self.blocks = nn.Sequential(Block(Convolution(3, d, 7), None), *halving)
        self.last = Convolution(widest, config.style, 1)

    def forward(self, image: Tensor) -> Tensor:
        """Styles ``[N, S]`` of images ``[N, 3, H, W]``."""
        x: Tensor = self.last(self.blocks(image).mean(dim=(2, 3), keepdim=True))
        return x.flatten(1)


class ContentEncoder(nn.Module):
    """The content of an image of domain A, without its colours."""

    def __init__(self, config: MUNITConfig) -> None:
        super().__init__()
        affine = config.improved
        d, half, quarter = config.channels
        self.blocks = nn.Sequential(
            Block(Convolution(3, d, 7), InstanceNorm(d, affine=affine)),
            Block(Convolution(d, half, 4, stride=2), InstanceNorm(half, affine=affine)),
            Block(Convolution(half, quarter, 4, stride=2), InstanceNorm(quarter, affine=affine)),
        )
        norms = [InstanceNorm(quarter, affine=affine) for _ in range(2 * config.blocks)]
        self.residual = nn.ModuleList(_residual(norms, config))

    def forward(self, image: Tensor) -> Tensor:
        """Contents ``[N, 4d, H/4, W/4]`` of images ``[N, 3, H, W]``."""
        x: Tensor = self.blocks(image)
        held: Tensor | None = None
        for layer in self.residual:
            x, held = layer(x, held, None)
        return x


class Mapping(nn.Module):
    """Linear layers that make a style into the code of the adaptive norms."""

    def __init__(self, config: MUNITConfig) -> None:
        super().__init__()
        self.improved = config.improved
        widths = [config.style, config.mapping, config.mapping]
        if not self.improved:
            widths.append(4 * config.blocks * config.channels[-1])  # shifts and scales
        pairs = zip(widths, widths[1:], strict=False)
        self.layers = nn.ModuleList([nn.Linear(*pair) for pair in pairs])

    def forward(self, style: Tensor) -> Tensor:
        """Codes ``[N, M]`` of styles ``[N, S]``."""
        code = style
        for number, layer in enumerate(self.layers, start=1):
            code = layer(code)
            if self.improved or number < len(self.layers):
                code = F.relu(code)
        return code


class MUNIT(nn.Module):
    """The network of a configuration, with random weights."""

    def __init__(self, config: MUNITConfig) -> None:
        super().__init__()
        self.config = config
        self.content_encoder = ContentEncoder(config)
        self.style_encoder = StyleEncoder(config)
        self.mapping = Mapping(config)
        self.decoder = nn.ModuleList(_decoder(config))
        self.last = Convolution(config.width, 3, 7)

    def layers(self, first: int, last: int) -> Iterator[Layer]:
        """The decoder's convolutions `first` to `last`, counted from 1."""
        for layer in self.decoder[first - 1 : last]:
            assert isinstance(layer, Layer)
            yield layer

    def finish(self, x: Tensor) -> Tensor:
        """The image ``[N, 3, H, W]`` of features ``[N, d, H, W]``.

        It is in [-1, 1] in the layout of 2018, and only nominally so in that of 2021; in float32 at
        least.
        """
        image = precise(self.last(x))
        return image if self.config.improved else image.tanh()

    def decode(self, content: Tensor, code: Tensor) -> Tensor:
        """Images ``[N, 3, H, W]`` of contents ``[N, 4d, H/4, W/4]`` and codes ``[N, M]``."""
        x, held = content, None
        for layer in self.decoder:
            x, held = layer(x, held, code)
        return self.finish(x)

    def forward(self, image: Tensor, style: Tensor) -> Tensor:
        """Images of B, ``[N, 3, H, W]``.

        Args:
            image: Of A, ``[N, 3, H, W]`` in [-1, 1].
            style: ``[N, S]``, normal where it is random.
        """
        return self.decode(self.content_encoder(image), self.mapping(style))


def _residual(norms: Sequence[Norm], config: MUNITConfig) -> list[Layer]:
    """Halves of residual blocks, one for each norm."""
    channels = config.channels[-1]
    layers: list[Layer] = []
    for number, norm in enumerate(norms):
        half = Closing if number % 2 else Opening
        convolution = Convolution(channels, channels, 3)
        layers.append(half(convolution, norm, norm_first=config.improved))
    return layers


def _decoder(config: MUNITConfig) -> list[Layer]:
    d, half, quarter = config.channels
    numbers = range(2 * config.blocks)
    norms: list[Norm] = [
        LinearNorm(quarter, config.mapping)
        if config.improved
        else SlicedNorm(quarter, start=2 * quarter * number)
        for number in numbers
    ]
    layers = _residual(norms, config)
    for inputs, outputs in ((quarter, half), (half, d)):
        norm = LinearNorm(outputs, config.mapping) if config.improved else WholeNorm(outputs)
        layers.append(Enlarging(Convolution(inputs, outputs, 5), norm))
    return layers
