"""What samples of generators that change images are made from: holes, and folders of images.

A hole is a region with a margin: {"portraits": "nose", "grow": 3} hides the nose and 3 pixels
around it. Several margins, {"portraits": "nose", "grow": [1, 3]}, give as many holes, each of which
becomes a row of the rule, so that a rule depends on no one outline.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from os.path import isdir  # unlike those of Path, they raise nothing
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, Tag, WithJsonSchema

from regen.edits.checked_json import shown
from regen.edits.paths import refuse_address
from regen.edits.region_json import NamedRegion, RegionJson, region_of, region_to_json
from regen.edits.validation import (
    NOT_EMPTY,
    OBJECT,
    TEXT,
    TEXT_OR_OBJECT,
    EditsFile,
    Expected,
    ObjectModel,
    ReadAs,
)
from regen.errors import EditsError
from regen.images.regions import Region

RANDOM = "random"
MAX_GROW = 64  # pixels
MAX_HOLES = 8  # of one target

_MARGIN = {"type": "integer", "minimum": 0, "maximum": MAX_GROW}
_MARGINS = {"type": "array", "items": _MARGIN, "minItems": 1, "maxItems": MAX_HOLES}
_HOLES = Expected('"random", a folder of masks, or a hole as that of a target')


@dataclass(frozen=True)
class Hole:
    """What an inpainting generator fills.

    Attributes:
        region: In pixels of the image.
        grow: By how many pixels of the generator's image it is larger; a hole for each.
    """

    region: Region | NamedRegion
    grow: tuple[int, ...] = (0,)

    def to_json(self, *, embed: bool) -> dict[str, Any]:
        """What `HoleField` reads back."""
        written = region_to_json(self.region, embed)
        if self.grow != (0,):
            written["grow"] = list(self.grow) if len(self.grow) > 1 else self.grow[0]
        return written


@dataclass(frozen=True)
class Samples:
    """Where the samples of a generator that changes images are taken from; None for its own.

    Attributes:
        pictures: Absolute path of a folder of images.
        holes: "random", the absolute path of a folder of masks, or one hole for all.
        styles: "random".
    """

    pictures: str | None = None
    holes: str | Hole | None = None
    styles: str | None = None

    def inputs(self) -> dict[str, object]:
        """What a generator's source takes beside the images; only what is given."""
        given: dict[str, object] = {}
        if isinstance(self.holes, Hole):
            given = {"holes": self.holes.region, "grow": self.holes.grow[0]}
        elif self.holes is not None:
            given = {"holes": RANDOM if self.holes == RANDOM else Path(self.holes)}
        return given if self.styles is None else {**given, "styles": self.styles}

    def to_json(self, *, embed: bool) -> dict[str, Any]:
        """What `SamplesField` reads back; folders are not embedded."""
        holes = self.holes.to_json(embed=embed) if isinstance(self.holes, Hole) else self.holes
        written = {"pictures": self.pictures, "holes": holes, "styles": self.styles}
        return {key: value for key, value in written.items() if value is not None}


def _margins(written: object, _: EditsFile) -> tuple[int, ...]:
    margins = written if isinstance(written, list) else [written]
    valid = [type(margin) is int and 0 <= margin <= MAX_GROW for margin in margins]
    if not all(valid) or not 0 < len(margins) <= MAX_HOLES:
        expected = f"a number of pixels from 0 to {MAX_GROW}, or a list of 1 to {MAX_HOLES} such"
        raise EditsError("", got=shown(written), expected=expected)
    return tuple(margins)


_MarginsJson = Annotated[Any, WithJsonSchema({"anyOf": [_MARGIN, _MARGINS]})]
_MarginsField = Annotated[tuple[int, ...], ReadAs(_MarginsJson, _margins)]


class HoleJson(RegionJson):
    """What the generator fills: a region, by exactly one of its keys, and a margin around it."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 2})

    grow: _MarginsField = Field(
        default=(0,),
        description="By how many pixels of the generated image the hole is larger than the region; "
        "of several numbers, each gives a hole of its own.",
    )


def _hole(written: HoleJson, _: EditsFile) -> Hole:
    return Hole(region_of(written), written.grow)


HoleField = Annotated[Hole, ReadAs(HoleJson, _hole)]


def _folder(text: str, file: EditsFile) -> str:
    path = file.folder / text
    if not isdir(path):
        refuse_address(text, "a folder")
        raise EditsError(f"{path} is not a folder", remedy="paths are relative to the edits file")
    return str(path)


def _random_or_folder(text: str, file: EditsFile) -> str:
    return text if text == RANDOM else _folder(text, file)


_Text = Annotated[str, NOT_EMPTY, Expected("a folder")]
_FolderField = Annotated[str, ReadAs(_Text, _folder)]
_TextOrHole = Annotated[
    Annotated[str, NOT_EMPTY, ReadAs(str, _random_or_folder), Tag(TEXT)]
    | Annotated[HoleField, Tag(OBJECT)],
    TEXT_OR_OBJECT,
    _HOLES,
]


class SamplesJson(ObjectModel):
    """Where the samples that must stay, and the unseen ones, are taken from.

    For generators that change images; by default the rendered people of a bundled generator.
    """

    pictures: _FolderField | None = Field(
        default=None, description="A folder of images, relative to this file."
    )
    holes: _TextOrHole | None = Field(
        default=None,
        description='For a generator that inpaints: "random", a folder of masks (white is filled), '
        "or one hole for all.",
    )
    styles: Annotated[Literal["random"], Expected('"random"')] | None = Field(
        default=None, description='For a generator that translates: "random", one for each image.'
    )


def _samples(written: SamplesJson, _: EditsFile) -> Samples:
    return Samples(written.pictures, written.holes, written.styles)


SamplesField = Annotated[Samples, ReadAs(SamplesJson, _samples)]


def each_hole(request: Mapping[str, object], grow: tuple[int, ...]) -> list[dict[str, object]]:
    """A request to a generator once for each margin of its hole."""
    return [{**request, "grow": pixels} if pixels else dict(request) for pixels in grow]
