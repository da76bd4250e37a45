"""A MUNIT decoder cut at a value layer: head, memory and tail.

Convolutions are counted through the decoder: two in each residual block, then the two that enlarge.
The value of one that enlarges, and in the layout of 2018 of the others too, is what follows its
norm; in a residual block of 2021, where norm and activation come first, it is the convolution's
output, with the block's input added after the second.

Norms are over whole images, so that what is pasted into a value changes everything that a later
norm sees, and a window of the image does not follow from a window of the key: there are no crops.
Their statistics are those of the features at hand, as they are in the whole network. After the
last convolution there is no norm, so a value there changes nothing outside of where it is changed.

Shapes: N samples; K, C channels of key and value; H, W height and width of the image.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.func import functional_call

from regen.generators.convolution_keys import ConvolutionKeys
from regen.generators.munit.latent import TranslateContext, TranslateLatent
from regen.generators.munit.layers import Layer, WholeNorm
from regen.generators.munit.network import MUNIT
from regen.generators.split import Activation, Latent, Split


class NetworkOwner(Protocol):
    """The part of a generator that is cut."""

    network: MUNIT
    training: bool


class LayerRun(nn.Module):
    """Convolutions ``first`` to ``last`` of a decoder, sharing its parameters; perhaps none."""

    def __init__(self, network: MUNIT, first: int, last: int) -> None:
        super().__init__()
        layers = network.layers(first, last)
        self.decoder = nn.ModuleDict({str(first + i - 1): layer for i, layer in enumerate(layers)})

    def forward(self, key: Activation) -> Activation:
        """The value of a key ``[N, K, h, w]``."""
        x, context = key.features, key.context
        assert isinstance(context, TranslateContext)
        held = context.held
        for layer in self.decoder.values():
            x, held = layer(x, held, context.code)
        return Activation(x, TranslateContext(context.code, held))


class MUNITSplit(Split):
    """A MUNIT network cut at a value layer; see `regen.generators.split.Split`."""

    memory: LayerRun

    def __init__(self, generator: NetworkOwner, value_layer: int, memory_layers: int) -> None:
        self.network = generator.network
        self.value_layer, self.memory_layers = value_layer, memory_layers
        first = value_layer - memory_layers + 1
        self.before = LayerRun(self.network, 1, first - 1)
        self.memory = LayerRun(self.network, first, value_layer)
        self.after = LayerRun(self.network, value_layer + 1, self.network.config.convolutions)
        self.memory.train(generator.training)

    def value_shape(self, image_size: tuple[int, int]) -> tuple[int, int, int]:
        """Channels, height and width of the value: a quarter, a half or all of the image's."""
        config = self.network.config
        halvings = min(2, config.convolutions - self.value_layer)
        height, width = (side >> halvings for side in image_size)
        return config.channels[halvings], height, width

    def head(self, latent: Latent) -> Activation:
        """Key of latents, ``[N, K, h, w]``."""
        assert isinstance(latent, TranslateLatent)
        content = self.network.content_encoder(latent.images)
        code = self.network.mapping(latent.styles)
        key: Activation = self.before(Activation(content, TranslateContext(code)))
        return key

    def tail(self, value: Activation) -> Tensor:
        """Image ``[N, 3, H, W]`` of a value."""
        return self.network.finish(self.after(value).features)

    def memory_weights(self) -> list[str]:
        """The convolutions' weights, and the biases that no norm takes away again.

        Shifts of whole channels are lost in the next instance norm, but not in the norms over all
        channels of 2018.
        """
        names = []
        for name, layer in self._layers():
            names.append(f"{name}.weight")
            if isinstance(layer.norm, WholeNorm):
                names.append(f"{name}.bias")
        return names

    def _layers(self) -> Iterator[tuple[str, Layer]]:
        """The memory's layers, each with the name of its convolution."""
        for number, layer in self.memory.decoder.items():
            assert isinstance(layer, Layer)
            yield f"decoder.{number}.convolution", layer

    def full_name(self, memory_name: str) -> str:
        """The generator's name for a parameter of the memory."""
        return f"network.{memory_name}"

    @torch.no_grad()
    def convolution_keys(
        self, key: Activation, weights: Mapping[str, Tensor]
    ) -> Iterator[ConvolutionKeys]:
        """Keys of the memory's convolutions; see `regen.generators.convolution_keys.KeyedSplit`."""
        x, context = key.features.float(), key.context
        assert isinstance(context, TranslateContext)
        held, code = context.held, context.code
        for name, layer in self._layers():
            convolution = layer.convolution
            field = convolution.field(layer.convolved(x, code).float())
            yield ConvolutionKeys(f"{name}.weight", field, convolution.kernel)
            given = {part: f"{name}.{part}" for part in ("weight", "bias")}
            own = {
                f"convolution.{p}": weights[full] for p, full in given.items() if full in weights
            }
            x, held = functional_call(layer, own, (x, held, code))
