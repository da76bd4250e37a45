"""The exact answer: what a perfect rewrite of the embedded default would draw for any seed.

The bundled generator learned z -> image from the renderer, so a seed names a person to both; the
renderer draws that person with a pattern as well as without.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from regen.errors import RegenError
from regen.portraits.patterns import PATTERNS, lookup, pattern_region
from regen.portraits.renderer import render
from regen.portraits.traits import Z_DIM, attributes


def seed_to_z(seeds: Sequence[int], z_dim: int = Z_DIM) -> Tensor:
    """Latents of seeds, drawn as NVIDIA's StyleGAN2 tools draw them.

    Args:
        seeds: N integers from 0 to 2**32 - 1.
        z_dim: Coordinates of a latent.

    Returns:
        Normal latents ``[N, z_dim]``, float32; each depends on its own seed only.

    Raises:
        RegenError: If a seed is not such an integer.
    """
    draws = [np.random.RandomState(_checked(seed)).randn(1, z_dim) for seed in seeds]
    return torch.from_numpy(np.concatenate([np.zeros((0, z_dim)), *draws])).float()


def _checked(seed: object) -> int:
    """A seed that numpy accepts."""
    if not isinstance(seed, bool) and isinstance(seed, (int, np.integer)) and 0 <= seed < 2**32:
        return int(seed)
    raise RegenError("seed", got=repr(seed), expected="an integer from 0 to 4294967295")


@dataclass(frozen=True)
class Oracle:
    """Draws seeds with and without one pattern.

    Attributes:
        pattern: One of `patterns.PATTERNS`.
        size: Height and width of images in pixels.

    Raises:
        RegenError: If there is no such pattern.
    """

    pattern: str
    size: int = 128

    def __post_init__(self) -> None:
        lookup(PATTERNS, self.pattern, "oracle")

    def plain(self, seeds: Sequence[int]) -> Tensor:
        """The people as the domain has them, ``[N, 3, size, size]`` in [-1, 1]."""
        return render(attributes(seed_to_z(seeds)), self.size)

    def rewritten(self, seeds: Sequence[int]) -> Tensor:
        """The same people with the pattern, ``[N, 3, size, size]`` in [-1, 1]."""
        return render(attributes(seed_to_z(seeds)), self.size, self.pattern)

    def region(self, seeds: Sequence[int]) -> Tensor:
        """Where the two may differ, ``[N, 1, size, size]`` in [0, 1]."""
        return pattern_region(attributes(seed_to_z(seeds)), self.pattern, self.size)
