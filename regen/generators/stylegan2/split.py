"""A StyleGAN2 cut at a value layer: head, memory and tail.

Shapes: N samples; K, C channels of key and value; r', r their sizes; R side of the image.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Mapping as Map
from typing import Protocol

import torch
from torch import Tensor, nn

from regen.generators.convolution_keys import ConvolutionKeys
from regen.generators.crops import Window, cut
from regen.generators.split import Activation, Latent, Split
from regen.generators.stylegan2.config import StyleGAN2Config
from regen.generators.stylegan2.convolution_keys import convolution_keys
from regen.generators.stylegan2.crop import Crop, image_layer
from regen.generators.stylegan2.latent import StyleContext, StyleLatent
from regen.generators.stylegan2.network import LayerRun, Synthesis


class SynthesisOwner(Protocol):
    """The part of a generator that is cut."""

    synthesis: Synthesis
    precision: torch.dtype
    training: bool


class StyleGAN2Memory(LayerRun):
    """Convolutions ``first`` to ``last`` of a generator, sharing its parameters.

    Maps the key ``[N, K, r', r']`` to the value ``[N, C, r, r]``; RGB layers between them extend
    the image in the context.
    """

    def __init__(self, synthesis: Synthesis, first: int, last: int) -> None:
        super().__init__()
        self.first, self.last = first, last
        inside = range(first, last + 1)
        self.convs = nn.ModuleDict({str(i): synthesis.convs[str(i)] for i in inside})
        self.rgbs = nn.ModuleDict(
            {str(i - 1): synthesis.rgbs[str(i - 1)] for i in inside if str(i - 1) in synthesis.rgbs}
        )
        self.register_buffer("resample_filter", synthesis.resample_filter, persistent=False)

    def forward(self, key: Activation) -> Activation:
        """The value of a key, with the context that its tail needs."""
        context = key.context
        assert isinstance(context, StyleContext)
        latent = context.latent
        x, rgb = self.run(
            self.first,
            self.last,
            key.features,
            context.rgb,
            latent.ws,
            latent.noise,
            context.crop,
        )
        return Activation(x, StyleContext(latent, rgb, context.crop))


class StyleGAN2Split(Split):
    """A StyleGAN2 cut at a value layer; see `regen.generators.split.Split`.

    Its steps can be recorded where images are whole: windows are numbers of Python's.
    """

    recordable = True
    memory: StyleGAN2Memory

    def __init__(self, generator: SynthesisOwner, value_layer: int, memory_layers: int) -> None:
        self.generator = generator
        self.value_layer, self.memory_layers = value_layer, memory_layers
        first = value_layer - memory_layers + 1
        self.memory = StyleGAN2Memory(generator.synthesis, first, value_layer)
        self.memory.train(generator.training)

    def value_shape(self, image_size: tuple[int, int]) -> tuple[int, int, int]:
        """Channels, height and width of the value; there is only one size of images."""
        config = self.generator.synthesis.config
        size = config.resolution_of(self.value_layer)
        return config.channels(size), size, size

    def head(self, latent: Latent) -> Activation:
        """Key ``[N, K, r', r']`` of latents."""
        assert isinstance(latent, StyleLatent)
        x = self.generator.synthesis.start(len(latent), self.generator.precision)
        last = self.value_layer - self.memory_layers
        x, rgb = self.generator.synthesis.run(1, last, x, None, latent.ws, latent.noise)
        return Activation(x, StyleContext(latent, rgb))

    def tail(self, value: Activation) -> Tensor:
        """Image ``[N, 3, R, R]`` of a value."""
        context = value.context
        assert isinstance(context, StyleContext)
        latent, end = context.latent, self.generator.synthesis.config.convolutions + 1
        _, rgb = self.generator.synthesis.run(
            self.value_layer + 1,
            end,
            value.features,
            context.rgb,
            latent.ws,
            latent.noise,
            context.crop,
        )
        assert rgb is not None
        return rgb

    @property
    def cell(self) -> int:
        """Pixels of the image to a position of the coarsest layer that is cropped."""
        coarsest = self._config.resolution_of(image_layer(self.memory.first - 1))
        return self._config.resolution // coarsest

    def crop_key(self, key: Activation, windows: Sequence[Window]) -> Activation:
        """The part of a key that the windows need; see `regen.generators.crops.CropSplit`."""
        return crop(self._config, self.memory.first - 1, key, windows)

    def crop_value(self, value: Activation, windows: Sequence[Window]) -> Activation:
        """The part of a value that the windows need; see `regen.generators.crops.CropSplit`."""
        return crop(self._config, self.value_layer, value, windows)

    def value_windows(self, windows: Sequence[Window]) -> list[Window]:
        """The windows of the value that `crop_key` recalls."""
        return Crop(self._config, tuple(windows)).features(self.value_layer)

    @property
    def _config(self) -> StyleGAN2Config:
        return self.generator.synthesis.config

    def memory_weights(self) -> list[str]:
        """Weights and biases of the memory's convolutions, not their styles or RGB layers."""
        return list(self._memory_weights())

    def _memory_weights(self) -> Iterator[str]:
        for layer in range(self.memory.first, self.memory.last + 1):
            yield f"convs.{layer}.weight"
            yield f"convs.{layer}.bias"

    def convolution_keys(
        self, key: Activation, weights: Map[str, Tensor]
    ) -> Iterator[ConvolutionKeys]:
        """Keys of the memory's convolutions; see `regen.generators.convolution_keys.KeyedSplit`."""
        return convolution_keys(self.memory, self.memory.first, self.memory.last, key, weights)

    def full_name(self, memory_name: str) -> str:
        """The generator's name for a parameter of the memory."""
        return f"synthesis.{memory_name}"


def crop(
    config: StyleGAN2Config, layer: int, activation: Activation, windows: Sequence[Window]
) -> Activation:
    """The part of a whole activation after convolution `layer` that windows of the image need.

    Args:
        config: The architecture.
        layer: The convolution after which the network was cut, from 1.
        activation: N samples.
        windows: N, equally large, in pixels of the image; they begin at multiples of the cell.
    """
    context = activation.context
    assert isinstance(context, StyleContext)
    assert context.crop is None, "cropped twice"
    part = Crop(config, tuple(windows))
    noise = tuple(
        n if n is None or i <= layer else _cut_noise(n, part.noise(i))
        for i, n in enumerate(context.latent.noise, start=1)
    )
    rgb = None if context.rgb is None else cut(context.rgb, part.image(layer))
    latent = StyleLatent(context.latent.ws, noise)
    return Activation(
        cut(activation.features, part.features(layer)), StyleContext(latent, rgb, part)
    )


def _cut_noise(noise: Tensor, windows: Sequence[Window]) -> Tensor:
    """Noise ``[r, r]`` or ``[N, 1, r, r]`` of the windows; shared where all windows are equal."""
    if noise.ndim == 2 and len(set(windows)) == 1:
        return cut(noise[None, None], windows[:1])[0, 0]
    if noise.ndim == 2:
        noise = noise.expand(len(windows), 1, *noise.shape)
    return cut(noise, windows)
