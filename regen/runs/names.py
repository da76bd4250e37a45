"""Names for the files of results, none of them twice."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

_LONGEST_BYTES = 200


def distinct_names(
    wanted: Iterable[str], refused: Callable[[str], bool] = lambda name: False
) -> list[str]:
    """The names that are wanted, with a number at the end where one would stand for two files.

    Args:
        wanted: Names without a suffix.
        refused: Whether a name is not available.

    Returns:
        As many names, in the same order. They differ by more than upper and lower case, which
        some systems do not distinguish, and leave room for what is appended.

    Example:
        >>> distinct_names(["eye", "Eye", "grid"], lambda name: name == "grid")
        ['eye', 'Eye-2', 'grid-2']
    """
    names: list[str] = []
    taken: set[str] = set()
    for stem in map(_short, wanted):
        name, number = stem, 1
        while name.casefold() in taken or refused(name):
            number += 1
            name = f"{stem}-{number}"
        taken.add(name.casefold())
        names.append(name)
    return names


def _short(name: str) -> str:
    """As much of a name's start as leaves room for endings; systems take 255 bytes."""
    encoded = os.fsencode(name)
    if len(encoded) <= _LONGEST_BYTES:
        return name
    return encoded[:_LONGEST_BYTES].decode("utf-8", "ignore")
