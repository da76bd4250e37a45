"""The generators that ship in the package, and what belongs to them, found by digest.

A generator that was converted to another tool's file and back keeps its digest, so it keeps its
projectors and its oracle, whatever its file is called.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from regen.files import tensor_file
from regen.generators.protocol import Oracle
from regen.portraits import PortraitsOracle

FOLDER = Path(__file__).parent
_PROJECTOR = re.compile(r"(.+)_projector(\d+)")
_RENDERED = ("portraits", "portraits-inpaint", "portraits-cats")  # whose seeds it can render
LOADED_DIGEST = "loaded_digest"  # in the header of a generator without a projector of its own


def projectors_of(digest: str) -> dict[int, Path]:
    """Files of the bundled projectors of a generator, by value layer, the lowest first."""
    found = {layer: path for (_, layer), (base, path) in _projectors().items() if base == digest}
    return dict(sorted(found.items()))


def oracle_of(digest: str, size: tuple[int, int]) -> Oracle | None:
    """The oracle of a bundled generator, which knows its perfect rewrites, or None.

    Args:
        digest: Of the generator.
        size: Height and width of its images.
    """
    names = {name for (name, _), (base, _) in _projectors().items() if base == digest}
    names |= {name for name, base in _loaded_digests().items() if base == digest}
    return renderer(size) if names.intersection(_RENDERED) and size[0] == size[1] else None


def renderer(size: tuple[int, int]) -> Oracle:
    """The oracle that renders exemplars given by the name of a pattern, as images of this size."""
    return PortraitsOracle(max(size))


@cache
def _loaded_digests() -> dict[str, str]:
    """By name of a generator: the digest that it has once it is loaded, where its file says it."""
    found = {}
    for path in sorted(FOLDER.glob("*.safetensors")):
        if not _PROJECTOR.fullmatch(path.stem):
            header = tensor_file.read_header(path, format="generator")
            found[path.stem] = str(header.get(LOADED_DIGEST))
    return found


@cache
def _projectors() -> dict[tuple[str, int], tuple[str, Path]]:
    """By name of the generator and value layer: its digest, and the projector's file."""
    found = {}
    for path in sorted(FOLDER.glob("*.safetensors")):
        match = _PROJECTOR.fullmatch(path.stem)
        if match is not None:
            base = tensor_file.read_header(path, format="projector").get("base")
            found[match[1], int(match[2])] = (str(base), path)
    return found
