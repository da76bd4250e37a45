"""The generators that ship in the package, and what belongs to them, found by digest.

A generator that was converted to another tool's file and back keeps its digest, so it keeps its
projectors and its oracle, whatever its file is called.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

from regen.files import tensor_file
from regen.generators.names import BUNDLED_FOLDER
from regen.generators.protocol import Oracle
from regen.portraits import PortraitsOracle

_PROJECTOR = re.compile(r"(.+)_projector(\d+)")
_RENDERED = ("portraits", "portraits-inpaint", "portraits-cats")  # whose seeds it can render
LOADED_DIGEST = "loaded_digest"  # in the header of a generator without a projector of its own
REWRITES = "rewrites_by_default"  # false in a projector's header: rewrites do better without


def projectors_of(digest: str, *, rewriting: bool = False) -> dict[int, Path]:
    """Files of the bundled projectors of a generator, by value layer, the lowest first.

    Args:
        digest: Of the generator.
        rewriting: Only those that a rewrite takes by default.
    """
    known = _projectors().items()
    found = {layer: file for (_, layer), file in known if file.base == digest}
    return {
        layer: file.path for layer, file in sorted(found.items()) if file.rewrites or not rewriting
    }


def oracle_of(digest: str, size: tuple[int, int]) -> Oracle | None:
    """The oracle of a bundled generator, which knows its perfect rewrites, or None.

    Args:
        digest: Of the generator.
        size: Height and width of its images.
    """
    return renderer(size) if name_of(digest) in _RENDERED and size[0] == size[1] else None


def name_of(digest: str) -> str | None:
    """The name of the bundled generator with this digest, or None; no generator is opened."""
    bases = {file.base: name for (name, _), file in _projectors().items()}
    bases |= {base: name for name, base in _loaded_digests().items() if base is not None}
    return bases.get(digest)


def renderer(size: tuple[int, int]) -> Oracle:
    """The oracle that renders exemplars given by the name of a pattern, as images of this size."""
    return PortraitsOracle(max(size))


@cache
def _loaded_digests() -> dict[str, str | None]:
    """By name of a generator: the digest that it has once it is loaded, where its file says it."""
    found = {}
    for path in sorted(BUNDLED_FOLDER.glob("*.safetensors")):
        if not _PROJECTOR.fullmatch(path.stem):
            header = tensor_file.read_header(path, format="generator")
            found[path.stem] = header.get(LOADED_DIGEST)
    return found


class _Projector(NamedTuple):
    """A bundled projector: its generator's digest, its file, and whether rewrites take it."""

    base: str
    path: Path
    rewrites: bool


@cache
def _projectors() -> dict[tuple[str, int], _Projector]:
    """The bundled projectors by name of the generator and value layer."""
    found = {}
    for path in sorted(BUNDLED_FOLDER.glob("*.safetensors")):
        match = _PROJECTOR.fullmatch(path.stem)
        if match is not None:
            header = tensor_file.read_header(path, format="projector")
            rewrites = header.get(REWRITES) is not False
            found[match[1], int(match[2])] = _Projector(str(header.get("base")), path, rewrites)
    return found
