"""Samples of a StyleGAN2: seeds, with truncation, noise and class."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor

from regen.errors import GeneratorError
from regen.files.budget import is_finite
from regen.files.limits import MAX_TRUNCATION
from regen.generators.protocol import Oracle, Sample
from regen.numbers import plain
from regen.seeds import ANY_SEED, CONTEXTS, LARGEST_SEED

NoiseMode = Literal["const", "random", "none"]

CONTEXT_TRUNCATION = 0.7  # of samples whose context is tried on a foreign image
LEAST_TRUNCATION = 0.5  # of the samples that a projector trains on
_ANY_TRUNCATION = f"a number from {-MAX_TRUNCATION:g} to {MAX_TRUNCATION:g}"
_KNOWN = ("seed", "truncation", "noise", "class")


@dataclass(frozen=True, kw_only=True)
class StyleSample(Sample):
    """A seed and how it is generated.

    Attributes:
        seed: 0 to 2**32 - 1.
        truncation: psi; 1 leaves the style unchanged, 0 is the mean.
        noise: "const" (stored with the generator), "random" (from the seed) or "none".
        class_index: Which class, from 0, for a generator that has them.
        label: "seed 3".
        index: The seed, where truncation is 1 and noise as stored; otherwise None.
    """

    seed: int
    truncation: float = 1.0
    noise: NoiseMode = "const"
    class_index: int | None = None
    label: str = field(init=False)
    index: int | None = field(init=False)

    def __post_init__(self) -> None:
        if not 0 <= self.seed <= LARGEST_SEED:
            raise GeneratorError("seed", got=self.seed, expected=ANY_SEED)
        if not abs(self.truncation) <= MAX_TRUNCATION:
            raise GeneratorError("truncation", got=self.truncation, expected=_ANY_TRUNCATION)
        if self.noise not in get_args(NoiseMode):
            expected = " or ".join(get_args(NoiseMode))
            raise GeneratorError("noise", got=repr(self.noise), expected=expected)
        plain = self.truncation == 1 and self.noise == "const" and self.class_index is None
        object.__setattr__(self, "label", f"seed {self.seed}")
        object.__setattr__(self, "index", self.seed if plain else None)


@dataclass(frozen=True)
class SeedSource:
    """All seeds, in their order."""

    oracle: Oracle | None = None
    count: int | None = None

    def samples(self, indices: Iterable[int]) -> list[Sample]:
        """Untruncated seeds."""
        return [StyleSample(seed=index) for index in indices]

    def varied(self, indices: Iterable[int]) -> list[Sample]:
        """Seeds, each at a truncation of its own between `LEAST_TRUNCATION` and 1."""
        return [StyleSample(seed=index, truncation=_truncation(index)) for index in indices]

    def typical(self, count: int) -> list[Sample]:
        """The mean, then truncated seeds."""
        seeds = CONTEXTS.take(count - 1) if count > 1 else []
        truncated: list[Sample] = [
            StyleSample(seed=seed, truncation=CONTEXT_TRUNCATION) for seed in seeds
        ]
        return [StyleSample(seed=0, truncation=0.0), *truncated][:count]

    def alike(self, sample: Sample, indices: Iterable[int]) -> list[Sample]:
        """Untruncated seeds, whatever the sample: nothing of it is not numbered."""
        return self.samples(indices)

    def index_of(self, sample: Sample) -> int | None:
        """The seed, whatever its truncation, noise and class."""
        return sample.seed if isinstance(sample, StyleSample) else None


def _truncation(index: int) -> float:
    """Evenly spread over the range, and the same for a seed on every machine."""
    share = float(np.random.RandomState(index ^ 0x5EED).random_sample())
    return LEAST_TRUNCATION + (1 - LEAST_TRUNCATION) * share


def read_sample(request: Mapping[str, object]) -> StyleSample:
    """The sample that a request describes.

    Args:
        request: ``seed``, and any of ``truncation``, ``noise`` and ``class``.

    Raises:
        GeneratorError: If the seed is missing, a value is out of range or of the wrong kind, or
            there is any other key.
    """
    for name in request:
        if name not in _KNOWN:
            raise GeneratorError(
                f"a sample with a {name}",
                expected=f"one of {', '.join(_KNOWN)}",
                remedy="samples of this generator, of the family stylegan2, are seeds",
            )
    seed, truncation = plain(request.get("seed")), plain(request.get("truncation", 1.0))
    if type(seed) is not int:
        raise GeneratorError("seed", got=repr(seed), expected=ANY_SEED)
    if not is_finite(truncation):
        raise GeneratorError("truncation", got=repr(truncation), expected=_ANY_TRUNCATION)
    noise, index = request.get("noise", "const"), plain(request.get("class"))
    if noise not in get_args(NoiseMode):
        expected = " or ".join(get_args(NoiseMode))
        raise GeneratorError("noise", got=repr(noise), expected=expected)
    if index is not None and type(index) is not int:
        raise GeneratorError("class", got=repr(index), expected="a number from 0")
    mode: NoiseMode = noise  # type: ignore[assignment]  # checked above
    return StyleSample(seed=seed, truncation=float(truncation), noise=mode, class_index=index)


def one_hot(indices: Sequence[int | None], classes: int) -> Tensor | None:
    """Labels ``[N, classes]``, or None where no sample has a class.

    Raises:
        GeneratorError: If the generator has no or fewer classes, or only some samples have one.
    """
    given = [index for index in indices if index is not None]
    if not given:
        return None
    if not classes:
        raise GeneratorError("class", got=given[0], expected="none", remedy="it has no classes")
    for index in given:
        if not 0 <= index < classes:
            raise GeneratorError("class", got=index, expected=f"0 to {classes - 1}")
    if len(given) != len(indices):
        raise GeneratorError("class", got="none for some samples", expected="one for each")
    return torch.nn.functional.one_hot(torch.tensor(given), classes).float()
