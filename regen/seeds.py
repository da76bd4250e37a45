"""Purposes of a generator's numbered samples: bands of numbers that do not overlap.

Every source of samples counts them from 0; for a StyleGAN2 the number is the seed. A result must
not be measured on samples that were shown or fitted to, so each purpose takes its samples from its
own band. Some purposes share a band under two names: those of which neither evaluates the other.
The bands never move, so that results stay comparable from version to version.

Two kinds of randomness have no band. The training of a projector takes random numbers below 2**31,
so each of its images has a given number with a probability of 2**-31. The mean style and the
latents of a generator's training are not numbered samples: they have separate random generators.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from regen.errors import RegenError

LARGEST_SEED = 2**32 - 1
"""The largest that numpy's RandomState takes, by which all families make samples of seeds."""
ANY_SEED = f"an integer from 0 to {LARGEST_SEED}"
"""What messages say that they expected."""


@dataclass(frozen=True)
class Band:
    """Consecutive numbers of samples.

    Attributes:
        first: The first of them.
        count: How many there are.
        purpose: What the samples are for, to follow "samples".
    """

    first: int
    count: int
    purpose: str

    @property
    def last(self) -> int:
        """The last number."""
        return self.first + self.count - 1

    def __contains__(self, number: int) -> bool:
        return self.first <= number <= self.last

    def check(self, count: int, *, without: Collection[int] = ()) -> None:
        """Raise RegenError if the band has fewer numbers than `count`, those in `without` aside."""
        most = self.count - len({number for number in without if number in self})
        if count > most:
            raise RegenError(f"samples {self.purpose}", got=count, expected=f"at most {most}")

    def take(self, count: int, *, without: Collection[int] = ()) -> list[int]:
        """The first `count` numbers of the band, those in `without` passed over.

        Raises:
            RegenError: If the band has fewer.

        Example:
            >>> UNSEEN.take(3, without=[10_001])
            [10000, 10002, 10003]
        """
        self.check(count, without=without)
        passed = {number for number in without if number in self}
        numbers = range(self.first, self.first + count + len(passed))
        return [number for number in numbers if number not in passed][:count]


USUAL = Band(0, 10_000, "to look at, and to choose targets from")

UNSEEN = Band(10_000, 10_000, "to measure a rewrite on")

HELD_OUT = Band(20_000, 10_000, "to report on, which nothing was tuned on")

EXPERIMENTS = Band(30_000, 70_000, "for the tables and recipes in experiments/")

CHOICES = Band(100_000, 10_000, "to evaluate a choice on, such as the value layer's")

PRESERVED = Band(1_000_000, 1_000_000, "that a rewrite must leave unchanged")

VALUE_STATISTICS = PRESERVED
"""Samples whose values give the means and deviations that normalise a projector's features."""

GENERATOR_METRICS = PRESERVED
"""Samples of a trained generator that are compared with its training images."""

MOMENTS = Band(2_000_000, 1_000_000, "whose keys give second moments")

CONTEXTS = MOMENTS
"""Samples whose contexts are tried for decoding a projected image."""

BANDS = (UNSEEN, HELD_OUT, CHOICES, PRESERVED, MOMENTS)
"""The bands that are reserved, in order."""
