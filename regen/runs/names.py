"""Names for the files of results, none of them twice."""

from __future__ import annotations

from collections.abc import Callable, Iterable


def distinct_names(
    wanted: Iterable[str], refused: Callable[[str], bool] = lambda name: False
) -> list[str]:
    """The names that are wanted, with a number at the end where one would stand for two files.

    Args:
        wanted: Names without a suffix.
        refused: Whether a name is not available.

    Returns:
        As many names, in the same order. They differ by more than upper and lower case, which
        some systems do not distinguish.

    Example:
        >>> distinct_names(["eye", "Eye", "grid"], lambda name: name == "grid")
        ['eye', 'Eye-2', 'grid-2']
    """
    names: list[str] = []
    taken: set[str] = set()
    for stem in wanted:
        name, number = stem, 1
        while name.casefold() in taken or refused(name):
            number += 1
            name = f"{stem}-{number}"
        taken.add(name.casefold())
        names.append(name)
    return names
