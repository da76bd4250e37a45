"""Which sample of a generator a target is: a seed, or an input image with its style or hole.

The generator interprets the keys: a family makes its own sample from a `SampleSpec`, and refuses
keys that it does not support, a style for a generator without styles for instance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from regen.edits.exemplars import Image, ImageField
from regen.edits.inputs import Hole, each_hole
from regen.edits.region_json import NamedRegion
from regen.edits.validation import ObjectModel, ReadAs, Seed
from regen.errors import EditsError
from regen.images.regions import Region


@dataclass(frozen=True)
class Style:
    """The style of a translated image: a random one, or that of an image of the target domain.

    Attributes:
        seed: Of a random style, from 0.
        picture: The image whose style it is.

    Raises:
        EditsError: If not exactly one is given.
    """

    seed: int | None = None
    picture: Image | None = None

    def __post_init__(self) -> None:
        if (self.seed is None) == (self.picture is None):
            got = "neither" if self.seed is None else "both"
            raise EditsError("", got=got, expected="either a 'seed' or a 'picture'")

    def request(self) -> object:
        """What a request to a generator has as its style: the seed, or the image's location."""
        return self.seed if self.picture is None else self.picture.location

    def to_json(self, *, embed: bool) -> dict[str, Any]:
        """What `StyleField` reads back."""
        if self.picture is None:
            return {"seed": self.seed}
        return {"picture": self.picture.to_json(embed=embed)}


@dataclass(frozen=True)
class SampleSpec:
    """How an edits file describes one sample of a generator; None for keys that are not given.

    Attributes:
        seed: Seed of the sample, from 0; beside an input image, seed of its random part.
        truncation: How far the sample may be from the mean, from 0, for families that have it.
        picture: The input image that the generator translates or inpaints.
        style: Style of the translation.
        hole: The region that the generator fills, in pixels of the input image.
        grow: By how many pixels of the generator's image the hole is larger; several numbers give
            as many holes.

    Raises:
        EditsError: If there is neither a seed nor a picture, or both without a style or a hole.
    """

    seed: int | None = None
    truncation: float | None = None
    picture: Image | None = None
    style: Style | None = None
    hole: Region | NamedRegion | None = None
    grow: tuple[int, ...] = (0,)

    def __post_init__(self) -> None:
        if self.seed is None and self.picture is None:
            remedy = "give a seed, or a 'picture' for a generator that translates or inpaints"
            raise EditsError("key 'seed' is missing", remedy=remedy)
        plain = self.style is None and self.hole is None
        if plain and self.seed is not None and self.picture is not None:
            raise EditsError(
                "both 'seed' and 'picture' are given",
                expected="one of them",
                remedy="a 'picture' takes a seed only together with a style or a hole",
            )

    def requests(self) -> list[dict[str, object]]:
        """The requests to a generator, one for each hole; one where there is none."""
        return each_hole(self._request(), self.grow)

    def request(self) -> dict[str, object]:
        """The first of `requests`: only keys that are given, images as path or data URI."""
        return self.requests()[0]

    def _request(self) -> dict[str, object]:
        given = {
            "seed": self.seed,
            "truncation": self.truncation,
            "picture": None if self.picture is None else self.picture.location,
            "style": None if self.style is None else self.style.request(),
            "hole": self.hole,
        }
        return {key: value for key, value in given.items() if value is not None}

    def to_json(self, *, embed: bool) -> dict[str, Any]:
        """This sample as keys of a target; only keys that are given.

        Args:
            embed: Put the image in as a data URI.

        Raises:
            ImageError: If an image to embed cannot be read.
        """
        written = {
            "seed": self.seed,
            "truncation": self.truncation,
            "picture": None if self.picture is None else self.picture.to_json(embed=embed),
            "style": None if self.style is None else self.style.to_json(embed=embed),
            "hole": None if self.hole is None else Hole(self.hole, self.grow).to_json(embed=embed),
        }
        return {key: value for key, value in written.items() if value is not None}


class StyleJson(ObjectModel):
    """The style of a translated image, by exactly one of these keys."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    seed: Seed | None = Field(default=None, description="Which random style.")
    picture: ImageField | None = Field(
        default=None,
        description="An image of the domain that is translated into, whose style is taken: a path "
        "relative to this file, a data URI, or skimage:NAME.",
    )


StyleField = Annotated[Style, ReadAs(StyleJson, lambda style, _: Style(style.seed, style.picture))]
