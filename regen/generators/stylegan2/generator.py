"""StyleGAN2 as a generator that can be cut: seeds to latents, head, memory and tail.

Shapes: N samples; Z, W dimensions of z and w; L convolutions; C, r channels and size of a layer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Mapping as Map
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from regen.errors import GeneratorError
from regen.files.tensor_file import digest as digest_of
from regen.generators.convolution_keys import ConvolutionKeys
from regen.generators.protocol import Activation
from regen.generators.stylegan2.config import StyleGAN2Config
from regen.generators.stylegan2.convolution_keys import convolution_keys
from regen.generators.stylegan2.latent import StyleContext, StyleLatent
from regen.generators.stylegan2.network import LayerRun, Mapping, StyledConvolution, Synthesis

__all__ = ["NoiseMode", "StyleContext", "StyleGAN2", "StyleGAN2Split", "StyleLatent"]

NoiseMode = Literal["const", "random", "none"]


class StyleGAN2(nn.Module):
    """A StyleGAN2 generator: mapping and synthesis, with the protocol of `Generator`.

    Args:
        config: The architecture.

    Attributes:
        family: "stylegan2".
        precision: dtype the convolutions compute in; latents, styles and RGB stay float32.
    """

    family = "stylegan2"

    def __init__(self, config: StyleGAN2Config) -> None:
        super().__init__()
        self.config = config
        self.precision = torch.float32
        self.mapping = Mapping(config)
        self.synthesis = Synthesis(config)

    @property
    def resolution(self) -> int:
        """Height and width of its images."""
        return self.config.resolution

    @property
    def convolutions(self) -> int:
        """Number L of convolutions."""
        return self.config.convolutions

    @property
    def device(self) -> torch.device:
        """Where the parameters live."""
        return self.synthesis.const.device

    def seeds_to_z(self, seeds: Sequence[int]) -> Tensor:
        """Standard normal z ``[N, Z]`` of seeds, by NumPy's RandomState as NVIDIA's tools do.

        Raises:
            GeneratorError: If a seed is not between 0 and 2**32 - 1.
        """
        for seed in seeds:
            if not 0 <= seed < 2**32:
                raise GeneratorError("seed", got=seed, expected="0 to 4294967295")
        rows = [np.random.RandomState(s).randn(1, self.config.z_dim) for s in seeds]
        z = np.concatenate(rows) if rows else np.zeros((0, self.config.z_dim))
        return torch.from_numpy(z).float().to(self.device)

    def latents(
        self,
        seeds: Sequence[int],
        truncation: float | Sequence[float] = 1.0,
        *,
        label: Tensor | None = None,
        noise: NoiseMode = "const",
    ) -> StyleLatent:
        """Latents of seeds.

        Args:
            seeds: Integers from 0; equal seeds give equal latents on every machine.
            truncation: psi, for all or one per seed; 1 leaves w alone, 0 gives the mean.
            label: One-hot classes ``[N, classes]`` for a generator that has them.
            noise: "const" (stored with the generator), "random" (drawn from the seed) or "none".

        Returns:
            `StyleLatent` of N = len(seeds).

        Raises:
            GeneratorError: If a seed is out of range, there are not as many truncations as seeds,
                or the label is missing or does not fit.
        """
        ws = self.style_codes(self.seeds_to_z(seeds), truncation, label=label)
        return StyleLatent(ws, self._noise(noise, list(seeds)))

    def style_codes(
        self, z: Tensor, truncation: float | Sequence[float] = 1.0, *, label: Tensor | None = None
    ) -> Tensor:
        """Style codes ``[N, L + 1, W]`` of ``z [N, Z]``. Arguments are those of `latents`."""
        w = self.mapping(z, label)
        psi = torch.as_tensor(truncation, dtype=w.dtype, device=w.device).reshape(-1, 1)
        if len(psi) not in (1, len(w)):
            raise GeneratorError("truncation", got=f"{len(psi)} values", expected=f"1 or {len(w)}")
        if bool((psi != 1).any()):
            w = self.mapping.w_mean.lerp(w, psi)
        return w[:, None].expand(-1, self.convolutions + 1, -1)

    def _noise(self, mode: NoiseMode, seeds: list[int]) -> tuple[Tensor | None, ...]:
        if mode == "none":
            return (None,) * self.convolutions
        layers = [self.conv(i) for i in range(1, self.convolutions + 1)]
        if mode == "const":
            return tuple(layer.noise_const for layer in layers)
        if mode != "random":
            raise GeneratorError("noise", got=repr(mode), expected="const, random or none")
        generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        return tuple(_random_noise(layer.noise_const, generators) for layer in layers)

    def conv(self, layer: int) -> StyledConvolution:
        """Convolution `layer`, counted from 1."""
        module = self.synthesis.convs[str(layer)]
        assert isinstance(module, StyledConvolution)
        return module

    def forward(self, latent: StyleLatent) -> Tensor:
        """Images ``[N, 3, R, R]`` of latents, nominally in [-1, 1], through the uncut network."""
        image: Tensor = self.synthesis(latent.ws, latent.noise, self.precision)
        return image

    def split(self, value_layer: int, memory_layers: int) -> StyleGAN2Split:
        """Cut the network after convolution `value_layer`.

        Args:
            value_layer: 1 to L.
            memory_layers: How many convolutions, ending with the value layer, are the memory.

        Raises:
            GeneratorError: If there are not that many layers.
        """
        if not 1 <= value_layer <= self.convolutions:
            raise GeneratorError(
                "value layer",
                got=value_layer,
                expected=f"1 to {self.convolutions}, the convolutions of this generator",
            )
        if not 1 <= memory_layers <= value_layer:
            raise GeneratorError(
                "memory layers",
                got=memory_layers,
                expected=f"1 to {value_layer}, since the memory ends at convolution {value_layer}",
            )
        return StyleGAN2Split(self, value_layer, memory_layers)

    def digest(self) -> str:
        """SHA-256 over names, shapes and values of all parameters and buffers."""
        return digest_of(self.state_dict())


def _random_noise(like: Tensor, generators: list[torch.Generator]) -> Tensor:
    samples = [torch.randn(1, *like.shape, generator=g) for g in generators]
    return torch.stack(samples).to(like)


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
        x, rgb = self.run(self.first, self.last, key.features, context.rgb, latent.ws, latent.noise)
        return Activation(x, StyleContext(latent, rgb))


class StyleGAN2Split:
    """A StyleGAN2 cut at a value layer; see `regen.generators.protocol.Split`."""

    def __init__(self, generator: StyleGAN2, value_layer: int, memory_layers: int) -> None:
        self.generator = generator
        self.value_layer, self.memory_layers = value_layer, memory_layers
        first = value_layer - memory_layers + 1
        self.memory = StyleGAN2Memory(generator.synthesis, first, value_layer)
        self.memory.train(generator.training)

    @property
    def value_channels(self) -> int:
        """Channels of the value."""
        config = self.generator.config
        return config.channels(config.resolution_of(self.value_layer))

    @property
    def value_size(self) -> tuple[int, int]:
        """Height and width of the value."""
        r = self.generator.config.resolution_of(self.value_layer)
        return r, r

    def head(self, latent: StyleLatent) -> Activation:
        """Key ``[N, K, r', r']`` of latents."""
        x = self.generator.synthesis.start(len(latent), self.generator.precision)
        last = self.value_layer - self.memory_layers
        x, rgb = self.generator.synthesis.run(1, last, x, None, latent.ws, latent.noise)
        return Activation(x, StyleContext(latent, rgb))

    def tail(self, value: Activation) -> Tensor:
        """Image ``[N, 3, R, R]`` of a value."""
        context = value.context
        assert isinstance(context, StyleContext)
        latent, end = context.latent, self.generator.convolutions + 1
        _, rgb = self.generator.synthesis.run(
            self.value_layer + 1, end, value.features, context.rgb, latent.ws, latent.noise
        )
        assert rgb is not None
        return rgb

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
