"""Exemplars: where a new pattern is taken from.

Either an image (a file, a data URI, or a photograph that scikit-image installs) or a face that the
portraits' renderer draws with one of its patterns.
"""

from __future__ import annotations

import difflib
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, Tag
from torch import Tensor

from regen.edits.checked_json import shown_key
from regen.edits.paths import NameOrFile, existing_file
from regen.edits.validation import (
    NOT_EMPTY,
    OBJECT,
    TEXT,
    TEXT_OR_OBJECT,
    EditsFile,
    Expected,
    ObjectModel,
    ReadAs,
    Seed,
)
from regen.errors import EditsError
from regen.files.limits import MAX_WHOLE_PIXELS
from regen.images import data_uri, load_image, load_layers, name_of

_PACKAGED = "skimage:"
_IMAGE = "an image, as path, data URI or skimage:NAME"


@dataclass(frozen=True)
class Image:
    """An image that an edits file names: an absolute path, a data URI, or "skimage:" and a name."""

    source: str

    @property
    def location(self) -> str:
        """The path or data URI to read from. Raises EditsError if scikit-image is not there."""
        if self.source.startswith(_PACKAGED):
            return str(_packaged(self.source, "exemplar: "))
        return self.source

    def load(self, *, within: str = "", most_pixels: int = MAX_WHOLE_PIXELS) -> Tensor:
        """The image at its own size, ``[1, 3, H, W]`` in [-1, 1].

        Args:
            within: What names it: messages begin with it.
            most_pixels: How many it may have.

        Raises:
            ImageError: If it cannot be read, or is too large.
        """
        return load_image(self.location, name=self._name(within), most_pixels=most_pixels)

    def load_layers(
        self, *, within: str = "", most_pixels: int = MAX_WHOLE_PIXELS
    ) -> tuple[Tensor, Tensor | None]:
        """The image and its opacity, see `regen.images.load_layers`. Errors are those of `load`."""
        return load_layers(self.location, name=self._name(within), most_pixels=most_pixels)

    def _name(self, within: str) -> str:
        return f"{within}: {name_of(self.location)}" if within else name_of(self.location)

    def to_json(self, *, embed: bool) -> str:
        """As it was written, with an absolute path, or as a data URI."""
        return data_uri(self.location) if embed else self.source


@dataclass(frozen=True)
class Pattern:
    """An exemplar that the portraits' renderer draws: the face of `seed`, with a pattern.

    Attributes:
        pattern: Name of the pattern, "cat_eyes" for instance.
        seed: From 0.
        generator: Name or absolute path of a generator whose image of `seed` is taken instead of
            what the renderer draws; None for the renderer.
    """

    pattern: str
    seed: int
    generator: str | None = None

    def to_json(self, *, embed: bool) -> dict[str, Any]:
        """As it was written; there is nothing to embed."""
        return {key: value for key, value in vars(self).items() if value is not None}


class PatternJson(ObjectModel):
    """A face that the renderer of the portraits draws with one of its patterns."""

    pattern: Annotated[str, NOT_EMPTY, Expected("text")] = Field(
        description='Name of a pattern of the renderer, "cat_eyes" for instance.'
    )
    seed: Seed = Field(description="Which person: a seed of the portraits.")
    generator: NameOrFile | None = Field(
        default=None,
        description="Name or file of a generator whose image of the seed is taken instead of what "
        "the renderer draws.",
    )


def _image(source: str, file: EditsFile) -> Image:
    """The image that a text of the file names, if it is there."""
    if source.startswith(_PACKAGED):
        _packaged(source)
    as_it_is = source.startswith(("data:", _PACKAGED))
    return Image(source if as_it_is else existing_file(source, file))


def _exemplar(written: str | PatternJson, file: EditsFile) -> Image | Pattern:
    if isinstance(written, str):
        return _image(written, file)
    return Pattern(written.pattern, written.seed, written.generator)


_EITHER = Expected(f"{_IMAGE}, or a {{pattern, seed}}")
_ExemplarJson = Annotated[
    Annotated[str, NOT_EMPTY, _EITHER, Tag(TEXT)] | Annotated[PatternJson, Tag(OBJECT)],
    TEXT_OR_OBJECT,
    _EITHER,
]

ImageField = Annotated[Image, ReadAs(Annotated[str, NOT_EMPTY, Expected(_IMAGE)], _image)]
ExemplarField = Annotated[Image | Pattern, ReadAs(_ExemplarJson, _exemplar)]


def _packaged(source: str, where: str = "") -> Path:
    """A photograph that scikit-image installs. The package is found, but not imported."""
    name = {"cat": "chelsea"}.get(wanted := source.removeprefix(_PACKAGED), wanted)
    package = importlib.util.find_spec("skimage")
    if package is None or package.origin is None:
        raise EditsError(
            f"{where}{source} is a photograph of scikit-image, which is not installed",
            remedy="run `pip install scikit-image`",
        )
    files = Path(package.origin).parent.joinpath("data").glob("*.*")
    known = {file.stem: file for file in sorted(files) if file.suffix in (".png", ".jpg")}
    if name not in known:
        near = difflib.get_close_matches(name, known, 1)
        remedy = f"did you mean {_PACKAGED}{near[0]}?" if near else "try skimage:chelsea"
        raise EditsError(
            f"{where}scikit-image installs no photograph {shown_key(wanted)}", remedy=remedy
        )
    return known[name]
