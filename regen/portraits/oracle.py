"""Ground truth: what a perfect rewrite of the bundled generator would generate for any seed.

The bundled generator learned z -> image from the renderer, so a seed is the same person for both;
the renderer draws that person with a pattern as well as without.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from regen.errors import RegenError
from regen.portraits.patterns import PATTERNS, REGIONS, lookup, pattern_region, region
from regen.portraits.renderer import render
from regen.portraits.traits import Z_DIM, Attributes, attributes


def seed_to_z(seeds: Sequence[int], z_dim: int = Z_DIM) -> Tensor:
    """Latents of seeds, sampled as NVIDIA's StyleGAN2 tools sample them.

    Args:
        seeds: N integers from 0 to 2**32 - 1.
        z_dim: Coordinates of a latent.

    Returns:
        Normal latents ``[N, z_dim]``, float32; each depends on its own seed only.

    Raises:
        RegenError: If a seed is not such an integer.
    """
    rows = [np.random.RandomState(_checked(seed)).randn(1, z_dim) for seed in seeds]
    return torch.from_numpy(np.concatenate([np.zeros((0, z_dim)), *rows])).float()


def _checked(seed: object) -> int:
    """A seed that numpy accepts."""
    if not isinstance(seed, bool) and isinstance(seed, (int, np.integer)) and 0 <= seed < 2**32:
        return int(seed)
    raise RegenError("seed", got=repr(seed), expected="an integer from 0 to 4294967295")


class Numbered(Protocol):
    """A sample that may be one of the numbered people: `index` is the seed, or None."""

    @property
    def index(self) -> int | None: ...


@dataclass(frozen=True)
class PortraitsOracle:
    """The renderer's ground truth for generators whose seeds are rendered people.

    It implements `regen.generators.protocol.Oracle` without importing it.

    Attributes:
        size: Height and width of images in pixels.
    """

    size: int = 128

    @property
    def patterns(self) -> tuple[str, ...]:
        """Names of the patterns that the renderer can add."""
        return tuple(PATTERNS)

    @property
    def regions(self) -> tuple[str, ...]:
        """Names of the parts of a face."""
        return tuple(REGIONS)

    def knows(self, sample: Numbered) -> bool:
        """Whether the sample is one of the numbered people."""
        return sample.index is not None

    def plain(self, samples: Sequence[Numbered]) -> Tensor:
        """The people as the domain has them, ``[N, 3, size, size]`` in [-1, 1]."""
        return render(self._people(samples), self.size)

    def wanted(self, samples: Sequence[Numbered], pattern: str) -> Tensor:
        """The same people with a pattern, ``[N, 3, size, size]`` in [-1, 1]."""
        lookup(PATTERNS, pattern, "pattern")
        return render(self._people(samples), self.size, pattern)

    def region(self, name: str, samples: Sequence[Numbered]) -> Tensor:
        """Where a named part is in each, ``[N, 1, size, size]`` in [0, 1]."""
        return region(self._people(samples), name, self.size)

    def changed(self, samples: Sequence[Numbered], pattern: str) -> Tensor:
        """Where `plain` and `wanted` may differ, ``[N, 1, size, size]`` in [0, 1]."""
        return pattern_region(self._people(samples), pattern, self.size)

    def _people(self, samples: Sequence[Numbered]) -> Attributes:
        seeds = [sample.index for sample in samples if sample.index is not None]
        if len(seeds) != len(samples):
            raise RegenError(
                "the renderer knows untruncated seeds only",
                got="a sample of another kind",
                expected="truncation 1 and the generator's own noise",
            )
        return attributes(seed_to_z(seeds))
