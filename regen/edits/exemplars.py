"""Exemplars: where a new pattern is taken from.

Either an image (a file, a data URI, or a photograph that scikit-image installs) or a face that the
portraits' renderer draws with one of its patterns.
"""

from __future__ import annotations

import difflib
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from regen.edits.checked_json import Node
from regen.images import data_uri, load_image

_PACKAGED = "skimage:"


@dataclass(frozen=True)
class Image:
    """An exemplar that is an image: an absolute path, a data URI, or "skimage:" and a name."""

    source: str

    @property
    def location(self) -> str:
        """The path or data URI to read from. Raises EditsError if scikit-image is not there."""
        if self.source.startswith(_PACKAGED):
            return str(_packaged(Node(self.source, "", "exemplar")))
        return self.source

    def load(self) -> Tensor:
        """The image at its own size, ``[1, 3, H, W]`` in [-1, 1]. Raises ImageError."""
        return load_image(self.location)

    def to_json(self, *, embed: bool) -> str:
        """As it was written, with an absolute path, or as a data URI."""
        return data_uri(self.location) if embed else self.source


@dataclass(frozen=True)
class Pattern:
    """An exemplar that the portraits' renderer draws: the face of `seed`, with a pattern."""

    pattern: str
    seed: int
    generator: str | None = None

    def to_json(self, *, embed: bool) -> dict[str, Any]:
        """As it was written; there is nothing to embed."""
        return {key: value for key, value in vars(self).items() if value is not None}


def read_exemplar(node: Node, folder: Path) -> Image | Pattern:
    """Read the exemplar of an edit; images must be there. Raises EditsError."""
    if isinstance(node.value, dict):
        members = node.members(("pattern", "seed"), ("generator",))
        given = members.get("generator")
        generator = given.name_or_file(folder) if given else None
        return Pattern(members["pattern"].text(), members["seed"].integer(0), generator)
    source = node.text("an image, as path, data URI or skimage:NAME, or a {pattern, seed}")
    if source.startswith(_PACKAGED):
        _packaged(node)
    return Image(source if source.startswith(("data:", _PACKAGED)) else node.existing_file(folder))


def _packaged(node: Node) -> Path:
    """A photograph that scikit-image installs. The package is found, but not imported."""
    name = {"cat": "chelsea"}.get(wanted := node.value.removeprefix(_PACKAGED), wanted)
    package = importlib.util.find_spec("skimage")
    if package is None or package.origin is None:
        node.fail(
            f"{node.value} is a photograph of scikit-image, which is not installed",
            remedy="run `pip install scikit-image`",
        )
    files = Path(package.origin).parent.joinpath("data").glob("*.*")
    known = {file.stem: file for file in sorted(files) if file.suffix in (".png", ".jpg")}
    if name not in known:
        near = difflib.get_close_matches(name, known, 1)
        remedy = f"did you mean {_PACKAGED}{near[0]}?" if near else "try skimage:chelsea"
        node.fail(f"scikit-image installs no photograph {wanted!r}", remedy=remedy)
    return known[name]
