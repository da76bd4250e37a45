"""What a perfect rewrite would fill holes with: the renderer's people, outside of holes as given.

What a hole hides cannot always be known from the rest of an image, so no generator reaches the
oracle; how far the untouched one is from it is the floor.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from regen.generators.pictures import Person
from regen.generators.protocol import Oracle, Sample
from regen.generators.rfr.masks import hole_of, person_of
from regen.generators.rfr.source import FillSample


@dataclass(frozen=True)
class FillOracle:
    """An oracle of people, limited to the holes of samples; it is an `Oracle` too.

    A sample that is not a `FillSample`, an exemplar's person for instance, has no hole: all of it
    may change.

    Attributes:
        people: Knows samples by their seed.
        size: Height and width of its images.
    """

    people: Oracle
    size: int

    @property
    def patterns(self) -> Sequence[str]:
        """Names of the patterns it knows."""
        return self.people.patterns

    @property
    def regions(self) -> Sequence[str]:
        """Names of the regions it knows."""
        return self.people.regions

    def knows(self, sample: Sample) -> bool:
        """Whether a sample's image is a rendered person."""
        if isinstance(sample, FillSample):
            return isinstance(sample.picture, Person)
        return self.people.knows(sample)

    def plain(self, samples: Sequence[Sample]) -> Tensor:
        """The people as they are, ``[N, 3, H, W]``."""
        return self.people.plain(self._people(samples))

    def wanted(self, samples: Sequence[Sample], pattern: str) -> Tensor:
        """The people with a pattern in their holes, ``[N, 3, H, W]``."""
        people, holes = self._people(samples), self.holes(samples)
        plain = self.people.plain(people)
        return torch.where(holes > 0, self.people.wanted(people, pattern), plain)

    def region(self, name: str, samples: Sequence[Sample]) -> Tensor:
        """Where a named part is, hidden or not, ``[N, 1, H, W]``."""
        return self.people.region(name, self._people(samples))

    def changed(self, samples: Sequence[Sample], pattern: str) -> Tensor:
        """Where `plain` and `wanted` may differ: the pattern's region in the holes."""
        return self.people.changed(self._people(samples), pattern) * self.holes(samples)

    def holes(self, samples: Sequence[Sample]) -> Tensor:
        """1 where a sample may change, ``[N, 1, H, W]``."""
        size = (self.size, self.size)
        holes = [
            hole_of(sample, size, self.people) if isinstance(sample, FillSample) else None
            for sample in samples
        ]
        whole = torch.ones(1, 1, *size)
        return torch.cat([torch.zeros(0, 1, *size), *(whole if h is None else h for h in holes)])

    def _people(self, samples: Sequence[Sample]) -> list[Sample]:
        return [person_of(sample) for sample in samples]
