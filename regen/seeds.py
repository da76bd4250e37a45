"""Which of a generator's numbered samples are for what: bands of indices that do not overlap.

Every source of samples counts them from 0; for a StyleGAN2 the index is the seed. What is measured
must be neither what was shown nor what was fitted to, so each purpose takes its samples from a band
of its own. Two purposes share a band only where no result of the one is judged by the other.

The bands never move: results stay comparable from version to version.

Two kinds of randomness have no band. The training of a projector takes random indices below 2**31,
so each of its images has a given index with a probability of 2**-31. The mean style and the latents
of a generator's training are not numbered samples: they have random generators of their own.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from regen.errors import RegenError


@dataclass(frozen=True)
class Band:
    """A run of indices.

    Attributes:
        first: The first index.
        count: How many there are.
        purpose: What the samples are for, to follow "samples".
    """

    first: int
    count: int
    purpose: str

    @property
    def last(self) -> int:
        """The last index."""
        return self.first + self.count - 1

    def __contains__(self, index: int) -> bool:
        return self.first <= index <= self.last

    def take(self, count: int, *, without: Collection[int] = ()) -> list[int]:
        """The first `count` indices of the band, those in `without` passed over.

        Raises:
            RegenError: If the band has fewer.

        Example:
            >>> UNSEEN.take(3, without=[10_001])
            [10000, 10002, 10003]
        """
        if count > self.count - sum(index in self for index in set(without)):
            raise RegenError(f"samples {self.purpose}", got=count, expected=f"at most {self.count}")
        taken = set(without)
        indices = range(self.first, self.first + count + len(taken))
        return [index for index in indices if index not in taken][:count]


USUAL = Band(0, 10_000, "to look at, and to choose targets from")
UNSEEN = Band(10_000, 10_000, "to measure a rewrite on")
HELD_OUT = Band(20_000, 10_000, "to judge a choice by, such as the value layer's")
EXPERIMENTS = Band(30_000, 70_000, "for the tables and recipes in experiments/")

REFERENCE = Band(1_000_000, 1_000_000, "that stand for the generator as it is")
"""What a rewrite preserves; the values whose means and deviations normalise a projector's features;
what a trained generator is measured by. None of the three judges another."""

SURVEY = Band(2_000_000, 1_000_000, "that the generator is surveyed with")
"""The second moments of keys, and the contexts that a projected image is tried with. A moment is of
the generator alone, and says nothing about a projection."""

BANDS = (USUAL, UNSEEN, HELD_OUT, EXPERIMENTS, REFERENCE, SURVEY)
"""All bands, in order."""
