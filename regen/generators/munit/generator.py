"""MUNIT as a generator of the protocol: requests to samples, samples to latents to images.

Shapes: N samples; S numbers of a style; H, W height and width of an image.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import MappingProxyType

import torch
from torch import Tensor

from regen.errors import GeneratorError
from regen.generators.album import Album, check_sizes
from regen.generators.munit.config import MULTIPLE, MUNITConfig
from regen.generators.munit.latent import TranslateLatent
from regen.generators.munit.network import MUNIT
from regen.generators.munit.oracle import CatOracle
from regen.generators.munit.source import (
    TranslateSample,
    TranslateSource,
    read_sample,
    read_source,
)
from regen.generators.munit.split import MUNITSplit
from regen.generators.munit.styles import RandomStyle, Style, style_numbers
from regen.generators.pictures import check_known
from regen.generators.protocol import Generator, Oracle, Sample
from regen.generators.split import Latent, latent_of
from regen.portraits import STYLE_DIM

_USUAL_MEMORY = 2  # the convolutions that enlarge


class Translator(Generator):
    """A MUNIT network from domain A to domain B, with the protocol of `Generator`.

    Args:
        config: The architecture.

    Attributes:
        family: "munit".
        network: Translates images in [-1, 1].
        original_licence: Of weights that came with another tool's file; "" for regen's own.
    """

    family = "munit"
    takes_styles = True
    usual_settings = MappingProxyType(
        {"fit.steps": 100, "fit.lr": 0.08, "fit.preserve": 64}  # fewer change more elsewhere
    )
    original_licence: str = ""

    def __init__(self, config: MUNITConfig) -> None:
        super().__init__()
        self.config = config
        self.network = MUNIT(config)
        self._album = Album(config.size, MULTIPLE)

    @property
    def image_size(self) -> tuple[int, int]:
        """Height and width of square images; others have a longer side."""
        return self.config.size, self.config.size

    @property
    def convolutions(self) -> int:
        """Those of the decoder before its last: two a block, and two that enlarge."""
        return self.config.convolutions

    def usual_cut(self, *, large: bool = False) -> tuple[int, int]:
        """After the last norm, so that nothing outside of what is pasted changes by itself."""
        return self.convolutions, _USUAL_MEMORY

    def limited(self, oracle: Oracle) -> Oracle:
        """An oracle that knows people, as cats in this generator's styles."""
        if self.config.style != STYLE_DIM:
            raise GeneratorError(
                "style of a generator of cats", got=self.config.style, expected=str(STYLE_DIM)
            )
        return CatOracle(oracle, self.config.size)

    def source(
        self, images: Path | None = None, inputs: Mapping[str, object] | None = None
    ) -> TranslateSource:
        """Rendered people, or a folder of images, each with a style; see `read_source`."""
        return read_source(images, inputs or {}, self.oracle)

    def sample(self, request: Mapping[str, object]) -> TranslateSample:
        """A person or image and its style; see `read_sample`."""
        sample = read_sample(request)
        check_known(sample.picture, self.oracle)
        return sample

    @torch.no_grad()
    def latents(self, samples: Sequence[Sample]) -> TranslateLatent:
        """Latents of samples of `TranslateSample`, all of one size.

        Raises:
            GeneratorError: If sizes differ.
            ImageError: If a file cannot be read.
        """
        chosen = [sample for sample in samples if isinstance(sample, TranslateSample)]
        assert len(chosen) == len(samples), "samples of another family"
        if not chosen:
            nothing = torch.zeros(0, 3, *self.image_size), torch.zeros(0, self.config.style)
            return TranslateLatent(*nothing)
        loaded = self._album.load([sample.picture for sample in chosen])
        check_sizes([sample.picture.label for sample in chosen], loaded)
        images = torch.cat([one.image for one in loaded])
        numbers = {style: self._numbers(style) for style in {sample.style for sample in chosen}}
        styles = torch.cat([numbers[sample.style] for sample in chosen])
        return TranslateLatent(images.to(self.device), styles.to(self.device))

    def _numbers(self, style: Style) -> Tensor:
        """``[1, S]``, on the CPU."""
        if isinstance(style, RandomStyle):
            return style_numbers([style.seed], self.config.style)
        (loaded,) = self._album.load([style.picture])
        encoded: Tensor = self.network.style_encoder(loaded.image.to(self.device))
        return encoded.float().cpu()

    def forward(self, latent: Latent) -> Tensor:
        """Images ``[N, 3, H, W]`` of latents through the uncut network."""
        given = latent_of(TranslateLatent, latent, "`latents` of samples")
        image: Tensor = self.network(given.images, given.styles)
        return image

    def shown_input(self, latent: Latent) -> Tensor:
        """The images that are translated."""
        assert isinstance(latent, TranslateLatent)
        return latent.images

    def split(self, value_layer: int, memory_layers: int) -> MUNITSplit:
        """Cut the decoder after convolution `value_layer`.

        Raises:
            GeneratorError: If there are not that many layers.
        """
        self.check_cut(value_layer, memory_layers, "of the decoder of")
        return MUNITSplit(self, value_layer, memory_layers)

    def computing_in(self, dtype: torch.dtype) -> AbstractContextManager[None]:
        """Inside the block the convolutions compute in `dtype`."""
        return torch.autocast(self.device.type, dtype, enabled=dtype != torch.float32)
