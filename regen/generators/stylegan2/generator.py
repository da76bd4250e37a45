"""StyleGAN2 as a generator of the protocol: requests to samples, samples to latents to images.

Shapes: N samples; Z, W dimensions of z and w; L convolutions; C, r channels and size of a layer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from regen.errors import GeneratorError
from regen.generators.protocol import Generator, Sample
from regen.generators.split import Latent, latent_of
from regen.generators.stylegan2.config import StyleGAN2Config
from regen.generators.stylegan2.latent import StyleLatent
from regen.generators.stylegan2.network import Mapping as MappingNetwork
from regen.generators.stylegan2.network import StyledConvolution, Synthesis
from regen.generators.stylegan2.source import (
    NoiseMode,
    SeedSource,
    StyleSample,
    one_hot,
    read_sample,
)
from regen.generators.stylegan2.split import StyleGAN2Split
from regen.seeds import ANY_SEED, LARGEST_SEED
from regen.training.frozen import computing_in
from regen.training.transfer import sent


class StyleGAN2(Generator):
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
        self.mapping = MappingNetwork(config)
        self.synthesis = Synthesis(config)

    @property
    def resolution(self) -> int:
        """Height and width of its images."""
        return self.config.resolution

    @property
    def image_size(self) -> tuple[int, int]:
        """Height and width of its images."""
        return self.config.resolution, self.config.resolution

    @property
    def convolutions(self) -> int:
        """Number L of convolutions."""
        return self.config.convolutions

    def seeds_to_z(self, seeds: Sequence[int]) -> Tensor:
        """Standard normal z ``[N, Z]`` of seeds, by NumPy's RandomState as NVIDIA's tools do.

        Raises:
            GeneratorError: If a seed is not between 0 and 2**32 - 1.
        """
        for seed in seeds:
            if not 0 <= seed <= LARGEST_SEED:
                raise GeneratorError("seed", got=seed, expected=ANY_SEED)
        rows = [np.random.RandomState(s).randn(1, self.config.z_dim) for s in seeds]
        z = np.concatenate(rows) if rows else np.zeros((0, self.config.z_dim))
        return sent(torch.from_numpy(z).float(), self.device)

    def seed_latents(
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
            truncation: psi, for all or one per seed; 1 leaves w unchanged, 0 gives the mean.
            label: One-hot classes ``[N, classes]`` for a generator that has them.
            noise: "const" (stored with the generator), "random" (from the seed) or "none".

        Returns:
            `StyleLatent` of N = len(seeds).

        Raises:
            GeneratorError: If a seed is out of range, there are not as many truncations as seeds,
                or the label is missing or does not fit.
        """
        ws = self.style_codes(self.seeds_to_z(seeds), truncation, label=label)
        return StyleLatent(ws, self._noise(noise, list(seeds)))

    def source(
        self, images: Path | None = None, inputs: Mapping[str, object] | None = None
    ) -> SeedSource:
        """Its seeds. Raises GeneratorError for images and other inputs, which it does not use."""
        given = [*([] if images is None else [f"the folder {images}"]), *(inputs or ())]
        if given:
            raise GeneratorError(
                "source of samples", got=", ".join(given), expected="none: it takes seeds"
            )
        return SeedSource(self.oracle)

    def sample(self, request: Mapping[str, object]) -> StyleSample:
        """A seed with the truncation, noise and class of a request.

        Raises:
            GeneratorError: If the request has no seed, or any other key.
        """
        return read_sample(request)

    def latents(self, samples: Sequence[Sample]) -> StyleLatent:
        """Latents of samples of `StyleSample`, all of one kind of noise."""
        chosen = [sample for sample in samples if isinstance(sample, StyleSample)]
        assert len(chosen) == len(samples), "samples of another family"
        label = one_hot([sample.class_index for sample in chosen], self.config.label_dim)
        noise = {sample.noise for sample in chosen}
        if len(noise) > 1:
            raise GeneratorError("noise of one batch", got=", ".join(sorted(noise)), expected="one")
        return self.seed_latents(
            [sample.seed for sample in chosen],
            [sample.truncation for sample in chosen] or 1.0,
            label=None if label is None else sent(label, self.device),
            noise=noise.pop() if noise else "const",
        )

    def style_codes(
        self, z: Tensor, truncation: float | Sequence[float] = 1.0, *, label: Tensor | None = None
    ) -> Tensor:
        """Style codes ``[N, L + 1, W]`` of ``z [N, Z]``. Arguments are those of `seed_latents`."""
        w: Tensor = self.mapping(z, label)
        if truncation == 1.0:
            return w[:, None].expand(-1, self.convolutions + 1, -1)
        psi = torch.as_tensor(truncation, dtype=w.dtype).reshape(-1, 1)
        if len(psi) not in (1, len(w)):
            raise GeneratorError("truncation", got=f"{len(psi)} values", expected=f"1 or {len(w)}")
        if bool((psi != 1).any()):
            w = self.mapping.w_mean.lerp(w, sent(psi, w.device))
        return w[:, None].expand(-1, self.convolutions + 1, -1)

    def style_latents(self, w: Tensor) -> StyleLatent:
        """Latents of style codes of one's own, with the noise that is stored.

        Args:
            w: ``[N, W]``, the same for all layers, or ``[N, L + 1, W]``, as `style_codes` gives.

        Raises:
            GeneratorError: If it is no tensor of these shapes.

        Example:
            >>> generator = StyleGAN2(StyleGAN2Config(resolution=8, channel_max=4)).eval()
            >>> between = generator.style_codes(generator.seeds_to_z([1, 2]), 0.7).mean(0)
            >>> generator(generator.style_latents(between[None])).shape
            torch.Size([1, 3, 8, 8])
        """
        if not isinstance(w, Tensor):
            raise GeneratorError("style codes", got=type(w).__name__, expected="a tensor")
        layers = self.convolutions + 1
        whole = w[:, None].expand(-1, layers, -1) if w.dim() == 2 else w
        if whole.dim() != 3 or whole.shape[1:] != (layers, self.config.w_dim):
            size = self.config.w_dim
            expected = f"[N, {size}] or [N, {layers}, {size}]"
            raise GeneratorError("style codes", got=list(w.shape), expected=expected)
        return StyleLatent(sent(whole.float(), self.device), self._noise("const", []))

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

    def forward(self, latent: Latent) -> Tensor:
        """Images ``[N, 3, R, R]`` of latents, nominally in [-1, 1], through the uncut network."""
        given = latent_of(StyleLatent, latent, "`seed_latents` of seeds, or `style_latents` of w")
        image: Tensor = self.synthesis(given.ws, given.noise, self.precision)
        return image

    def split(self, value_layer: int, memory_layers: int) -> StyleGAN2Split:
        """Cut the network after convolution `value_layer`.

        Args:
            value_layer: 1 to L.
            memory_layers: How many convolutions, ending with the value layer, are the memory.

        Raises:
            GeneratorError: If there are not that many layers.
        """
        self.check_cut(value_layer, memory_layers)
        return StyleGAN2Split(self, value_layer, memory_layers)

    def computing_in(self, dtype: torch.dtype) -> AbstractContextManager[None]:
        """Inside the block the convolutions compute in `dtype`."""
        return computing_in(self, dtype)


def _random_noise(like: Tensor, generators: list[torch.Generator]) -> Tensor:
    samples = [torch.randn(1, *like.shape, generator=g) for g in generators]
    return torch.stack(samples).to(like)
