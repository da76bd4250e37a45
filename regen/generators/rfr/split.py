"""An RFR network cut at a value layer, after all its rounds: head, memory and tail.

Convolution 1 enlarges the merged features to the size of the image, convolution 2 sees the image
beside them. The rounds before are no part of any memory: their weights serve every round, so that a
change of one would change its own keys.

Shapes: N samples; K, C channels of key and value; H, W height and width of the image.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call

from regen.generators.convolution_keys import ConvolutionKeys
from regen.generators.rfr.latent import FillContext, FillLatent
from regen.generators.rfr.layers import Block, Enlarging
from regen.generators.rfr.network import RFR, Combination, cropped
from regen.generators.split import Activation, Latent, Split

CONVOLUTIONS = 2
_ENLARGEMENT, _COMBINATION = "enlargement", "combination"
_WEIGHTS = {1: f"{_ENLARGEMENT}.convolution.weight", 2: f"{_COMBINATION}.weight"}


class NetworkOwner(Protocol):
    """The part of a generator that is cut."""

    network: RFR
    training: bool


class LayerRun(nn.Module):
    """Convolutions ``first`` to ``last`` of a network, sharing its parameters; perhaps none."""

    def __init__(self, network: RFR, first: int, last: int) -> None:
        super().__init__()
        inside = range(first, last + 1)
        self.enlargement: Block | None = network.enlargement if 1 in inside else None
        self.combination: Combination | None = network.combination if 2 in inside else None

    def forward(self, key: Activation) -> Activation:
        """The value of a key ``[N, K, h, w]``."""
        x, context = key.features, key.context
        assert isinstance(context, FillContext)
        latent = context.latent
        if self.enlargement is not None:
            x = cropped(self.enlargement(x), latent.images)
        if self.combination is not None:
            x = self.combination.combine(x, latent.seen, latent.known, context.found)
        return key.with_features(x)


class RFRSplit(Split):
    """An RFR network cut at a value layer; see `regen.generators.split.Split`."""

    memory: LayerRun

    def __init__(self, generator: NetworkOwner, value_layer: int, memory_layers: int) -> None:
        self.network = generator.network
        self.value_layer, self.memory_layers = value_layer, memory_layers
        first = value_layer - memory_layers + 1
        self.before = LayerRun(self.network, 1, first - 1)
        self.memory = LayerRun(self.network, first, value_layer)
        self.after = LayerRun(self.network, value_layer + 1, CONVOLUTIONS)
        self.memory.train(generator.training)

    def value_shape(self, image_size: tuple[int, int]) -> tuple[int, int, int]:
        """Channels, height and width of the value: at the size of the image."""
        width = self.network.config.width
        return width if self.value_layer == 1 else width // 2, *image_size

    def head(self, latent: Latent) -> Activation:
        """Key of latents: the merged features, or those at full size."""
        assert isinstance(latent, FillLatent)
        x, found = self.network.gather(latent.seen, latent.known)
        key: Activation = self.before(Activation(x, FillContext(latent, found)))
        return key

    def tail(self, value: Activation) -> Tensor:
        """Image ``[N, 3, H, W]`` of a value, its known pixels those that were given."""
        context = value.context
        assert isinstance(context, FillContext)
        return context.latent.completed(self.network.finish(self.after(value).features))

    def memory_weights(self) -> list[str]:
        """The weights of the memory's convolutions, which have no biases."""
        return [_WEIGHTS[layer] for layer in self._layers()]

    def _layers(self) -> range:
        return range(self.value_layer - self.memory_layers + 1, self.value_layer + 1)

    def full_name(self, memory_name: str) -> str:
        """The generator's name for a parameter of the memory."""
        return f"network.{memory_name}"

    @torch.no_grad()
    def convolution_keys(
        self, key: Activation, weights: Mapping[str, Tensor]
    ) -> Iterator[ConvolutionKeys]:
        """Keys of the memory's convolutions; see `regen.generators.convolution_keys.KeyedSplit`.

        The factor that a partial convolution has at each position is left to the activation that
        follows; only the known inputs are in the keys.
        """
        for layer in self._layers():
            yield ConvolutionKeys(_WEIGHTS[layer], *self._field(layer, key))
            one = LayerRun(self.network, layer, layer)
            own = {_WEIGHTS[layer]: weights[_WEIGHTS[layer]]} if _WEIGHTS[layer] in weights else {}
            key = functional_call(one, own, (key,))

    def _field(self, layer: int, key: Activation) -> tuple[Tensor, int, bool]:
        """What convolution `layer` slides over, its kernel, and whether its taps are reversed."""
        x, context = key.features.float(), key.context
        assert isinstance(context, FillContext)
        if layer == 1:
            height, width = context.latent.images.shape[2:]
            field = Enlarging.field(x)[:, :, : height + 3, : width + 3]
            return field, Enlarging.kernel, True
        latent = context.latent
        found = cropped(F.interpolate(context.found, scale_factor=2.0), latent.images)
        seen = torch.cat([latent.seen, x * found], dim=1)
        return F.pad(seen, (1, 1, 1, 1)), self.network.combination.kernel, False
