"""RFR as a generator of the protocol: requests to samples, samples to latents to images.

Shapes: N samples; H, W height and width of an image.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import MappingProxyType

import torch
from torch import Tensor

from regen.generators.album import Album, Loaded, check_sizes
from regen.generators.pictures import check_known
from regen.generators.protocol import Generator, Oracle, Sample
from regen.generators.rfr.config import RFRConfig
from regen.generators.rfr.latent import FillLatent
from regen.generators.rfr.masks import hole_of
from regen.generators.rfr.network import RFR
from regen.generators.rfr.oracle import FillOracle
from regen.generators.rfr.reach import reached
from regen.generators.rfr.source import FillSample, FillSource, read_sample, read_source
from regen.generators.rfr.split import CONVOLUTIONS, RFRSplit
from regen.generators.split import Latent, latent_of


class HoleWarning(UserWarning):
    """A hole that will not be filled as its user expects."""


class Inpainter(Generator):
    """An RFR network, with the protocol of `Generator`.

    Args:
        config: The architecture.

    Attributes:
        family: "rfr".
        network: Fills images in [0, 1].
    """

    family = "rfr"
    changes_in_part = True
    usual_settings = MappingProxyType(
        {
            "value_layer": CONVOLUTIONS,
            "memory_layers": CONVOLUTIONS,
            "fit.solver": "adam",
            "fit.recall": "image",  # the value is nearly the image; recall on it adds nothing
            "fit.structure_weight": 0.0,
            "fit.lr": 0.01,
            "fit.steps": 150,
            "fit.preserve": 64,
            "fit.preserve_weight": 1.0,
            "fit.preserve_batch": 8,
            "fit.match_area": 4.0,  # what a hole hides of a face has few keys of its own
            "fit.border": 0.0,
        }
    )

    def __init__(self, config: RFRConfig) -> None:
        super().__init__()
        self.config = config
        self.network = RFR(config)
        self._album = Album(config.size)

    @property
    def image_size(self) -> tuple[int, int]:
        """Height and width of square images; others have a longer side."""
        return self.config.size, self.config.size

    @property
    def convolutions(self) -> int:
        """Those after the last round: one that enlarges, and one that sees the image."""
        return CONVOLUTIONS

    def limited(self, oracle: Oracle) -> Oracle:
        """An oracle that knows people, limited to what holes hide."""
        return FillOracle(oracle, self.config.size)

    def source(
        self, images: Path | None = None, inputs: Mapping[str, object] | None = None
    ) -> FillSource:
        """Rendered people, or a folder of images, each with a hole; see `read_source`."""
        return read_source(images, inputs or {}, self.oracle)

    def sample(self, request: Mapping[str, object]) -> FillSample:
        """A person or image and its hole; see `read_sample`."""
        sample = read_sample(request)
        check_known(sample.picture, self.oracle)
        return sample

    @torch.no_grad()
    def latents(self, samples: Sequence[Sample]) -> FillLatent:
        """Latents of samples of `FillSample`, all of one size; earlier passes are made here.

        Raises:
            GeneratorError: If sizes differ, or a hole is empty or covers most of its image.
        """
        chosen = [sample for sample in samples if isinstance(sample, FillSample)]
        assert len(chosen) == len(samples), "samples of another family"
        if not chosen:
            return FillLatent(*(torch.zeros(0, c, *self.image_size) for c in (3, 1)))
        loaded = self._album.load([sample.picture for sample in chosen])
        check_sizes([sample.label for sample in chosen], loaded)
        known = [1 - self._hole(*pair) for pair in zip(chosen, loaded, strict=True)]
        images = torch.cat([one.image for one in loaded])
        return self._after_passes(chosen, FillLatent(images, torch.cat(known)).to(self.device))

    def _hole(self, sample: FillSample, loaded: Loaded) -> Tensor:
        people = self.oracle.people if isinstance(self.oracle, FillOracle) else None
        return hole_of(sample, loaded.size, people, loaded.own_size)

    def _after_passes(self, samples: Sequence[FillSample], latent: FillLatent) -> FillLatent:
        """The latent of the last pass: what the passes before it reached is known."""
        passes = torch.tensor([sample.passes for sample in samples], device=self.device)
        for number in range(1, int(passes.max()) + 1):
            inside = reached(self.network, latent.known)
            left = (1 - inside).sum(dim=(1, 2, 3))
            _warn_of_grey(samples, torch.where(passes == number, left, 0))
            again = ((passes > number) & (left > 0))[:, None, None, None]
            if not again.any():
                break
            latent = FillLatent(self(latent), torch.where(again, inside, latent.known))
        return latent

    def forward(self, latent: Latent) -> Tensor:
        """Images ``[N, 3, H, W]`` of latents through the uncut network, known pixels as given."""
        given = latent_of(FillLatent, latent, "`latents` of samples")
        return given.completed(self.network(given.seen, given.known))

    def changeable(self, latent: Latent) -> Tensor:
        """The holes."""
        assert isinstance(latent, FillLatent)
        return 1 - latent.known

    def shown_input(self, latent: Latent) -> Tensor:
        """The images with their holes in grey."""
        assert isinstance(latent, FillLatent)
        return latent.images * latent.known

    def split(self, value_layer: int, memory_layers: int) -> RFRSplit:
        """Cut the network after convolution `value_layer`.

        Raises:
            GeneratorError: If there are not that many layers.
        """
        self.check_cut(value_layer, memory_layers, "after the rounds of")
        return RFRSplit(self, value_layer, memory_layers)

    def computing_in(self, dtype: torch.dtype) -> AbstractContextManager[None]:
        """Inside the block the convolutions compute in `dtype`."""
        return torch.autocast(self.device.type, dtype, enabled=dtype != torch.float32)


def _warn_of_grey(samples: Sequence[FillSample], left: Tensor) -> None:
    for sample, pixels in zip(samples, left.tolist(), strict=True):
        if pixels:
            remedy = f"--passes {sample.passes + 1} fills further"
            problem = (
                f"{pixels:.0f} pixels in the middle of the hole are out of reach and stay grey"
            )
            warnings.warn(f"{sample.label}: {problem}; {remedy}", HoleWarning, stacklevel=4)
