"""Which sample of a generator a target is: a seed, or a picture with what belongs to it.

What a key means is the generator's affair: a family makes its own sample of a `SampleSpec`, and
refuses what it does not know, a style for a generator that has none for instance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from regen.edits.exemplars import Image
from regen.edits.region_json import NamedRegion, region_to_json
from regen.edits.validation import Integer0, ObjectModel, ReadAs
from regen.errors import EditsError
from regen.images.regions import Region


@dataclass(frozen=True)
class Style:
    """The style of a translated picture: what the seed gives."""

    seed: int


@dataclass(frozen=True)
class SampleSpec:
    """What an edits file says about one sample of a generator; None for what it does not say.

    Attributes:
        seed: From 0. Of the sample; beside a picture, of what else is random.
        truncation: From 0; how far the sample may be from the mean one, for families that have it.
        picture: What the generator translates or fills.
        style: Of the translation.
        hole: What the generator fills, in pixels of the picture.

    Raises:
        EditsError: If there is neither a seed nor a picture, or both and nothing else is random.
    """

    seed: int | None = None
    truncation: float | None = None
    picture: Image | None = None
    style: Style | None = None
    hole: Region | NamedRegion | None = None

    def __post_init__(self) -> None:
        if self.seed is None and self.picture is None:
            remedy = "give a seed, or a 'picture' for a generator that translates or fills one"
            raise EditsError("key 'seed' is missing", remedy=remedy)
        plain = self.style is None and self.hole is None
        if plain and self.seed is not None and self.picture is not None:
            raise EditsError(
                "both 'seed' and 'picture' are given",
                expected="one of them",
                remedy="a picture has a seed of its own only beside a style or a hole",
            )

    def request(self) -> dict[str, object]:
        """What a generator is asked for: only what is said, pictures as path or data URI."""
        said = {
            "seed": self.seed,
            "truncation": self.truncation,
            "picture": None if self.picture is None else self.picture.location,
            "style": None if self.style is None else self.style.seed,
            "hole": self.hole,
        }
        return {key: value for key, value in said.items() if value is not None}

    def to_json(self, *, embed: bool) -> dict[str, Any]:
        """The keys of a target that say this; only what is said.

        Args:
            embed: Put the picture in as a data URI.

        Raises:
            ImageError: If a picture to embed cannot be read.
        """
        written = {
            "seed": self.seed,
            "truncation": self.truncation,
            "picture": None if self.picture is None else self.picture.to_json(embed=embed),
            "style": None if self.style is None else {"seed": self.style.seed},
            "hole": None if self.hole is None else region_to_json(self.hole, embed),
        }
        return {key: value for key, value in written.items() if value is not None}


class StyleJson(ObjectModel):
    """The style of a translated picture."""

    seed: Integer0 = Field(description="Which random style.")


StyleField = Annotated[Style, ReadAs(StyleJson, lambda style, _: Style(style.seed))]
