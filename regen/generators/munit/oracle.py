"""What a perfect rewrite would translate people into: the renderer's cats.

The renderer draws any person as a cat, and eight numbers, the style, are all that the person does
not say. A translation of a person in a known style is therefore known exactly, with a pattern too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from regen.errors import GeneratorError
from regen.generators.munit.source import TranslateSample
from regen.generators.munit.styles import RandomStyle, style_numbers
from regen.generators.pictures import Person
from regen.generators.protocol import Oracle, Sample
from regen.portraits import STYLE_DIM, attributes, cat_style, render_cat, seed_to_z


@dataclass(frozen=True)
class CatOracle:
    """An oracle of people as cats; it is an `Oracle` too.

    A sample that is not a `TranslateSample`, an exemplar's person for instance, has the random
    style of its number.

    Attributes:
        people: Knows patterns and named regions, which lie on the cat where they lie on the person.
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
        """Whether a sample is a rendered person in a random style."""
        if isinstance(sample, TranslateSample):
            return isinstance(sample.picture, Person) and isinstance(sample.style, RandomStyle)
        return self.people.knows(sample)

    def plain(self, samples: Sequence[Sample]) -> Tensor:
        """The people as cats, ``[N, 3, H, W]``."""
        return self._cats(samples, None)

    def wanted(self, samples: Sequence[Sample], pattern: str) -> Tensor:
        """The people as cats with a pattern, ``[N, 3, H, W]``."""
        return self._cats(samples, pattern)

    def region(self, name: str, samples: Sequence[Sample]) -> Tensor:
        """Where a named part is, ``[N, 1, H, W]``."""
        return self.people.region(name, self._people(samples))

    def changed(self, samples: Sequence[Sample], pattern: str) -> Tensor:
        """Where `plain` and `wanted` may differ, ``[N, 1, H, W]``."""
        return self.people.changed(self._people(samples), pattern)

    def _cats(self, samples: Sequence[Sample], pattern: str | None) -> Tensor:
        people = [person.index for person in self._people(samples)]
        seeds = [seed for seed in people if seed is not None]
        assert len(seeds) == len(people)
        styles = [_style_seed(sample) for sample in samples]
        looks = cat_style(style_numbers(styles, STYLE_DIM))
        return render_cat(attributes(seed_to_z(seeds)), looks, self.size, pattern)

    def _people(self, samples: Sequence[Sample]) -> list[Sample]:
        return [self._person(sample) for sample in samples]

    def _person(self, sample: Sample) -> Sample:
        if not self.knows(sample):
            raise GeneratorError(
                f"{sample.label}: as the renderer draws it",
                got="an image file" if isinstance(sample, TranslateSample) else "no seed",
                expected="a person and a style by their seeds",
                remedy="give regions as boxes, polygons or masks, and no oracle",
            )
        if isinstance(sample, TranslateSample):
            assert isinstance(sample.picture, Person)
            return Sample(label=sample.label, index=sample.picture.seed)
        return sample


def _style_seed(sample: Sample) -> int:
    if isinstance(sample, TranslateSample):
        assert isinstance(sample.style, RandomStyle)
        return sample.style.seed
    assert sample.index is not None
    return sample.index
