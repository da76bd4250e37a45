"""The last check of what was read: plain data that can be walked without harm.

A small file can make a structure that nobody can walk: one as deep as the file is long, one that
holds itself, or one whose lists each hold the next one twice, so that thirty of them have a billion
ends. Files of generators are some thirty levels deep and share little.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import chain

from torch import Tensor

from regen.errors import UnpicklingError
from regen.files.budget import MOST_LEVELS, MOST_REPEATED_VALUES
from regen.unpickling.source import Span
from regen.unpickling.values import Instance, Pending, kind

_LEAVES = frozenset({str, int, float, bool, type(None), Tensor})  # most of what there is
_CONTAINERS = (dict, list, tuple, set, frozenset, Instance)


@dataclass
class _Visit:
    """A container on the way: the children still to see, and what is known of the others.

    Attributes:
        levels: Of the deepest child so far.
        count: Values below it as a walk would count them, shared ones every time.
    """

    node: object
    children: Iterator[object]
    levels: int = 0
    count: int = 0


def check_structure(root: object) -> None:
    """Check that a structure can be walked, by recursion too, in time proportional to its file.

    Raises:
        UnpicklingError: If it is deeper than 200 levels, holds itself, counts 250,000 values more
            than there are because parts of it are shared, or has unfinished parts.
    """
    if not isinstance(root, _CONTAINERS):
        return
    done: dict[int, tuple[int, int]] = {}
    values = 0
    visits = [_visit(root)]
    begun = {id(root)}
    while visits:
        visit = visits[-1]
        below = _next_container(visit, done)
        if below is not None:
            if id(below) in begun:
                raise UnpicklingError("it holds something that holds itself")
            begun.add(id(below))
            visits.append(_visit(below))
        else:
            visits.pop()
            values += _length(visit.node)
            done[id(visit.node)] = (visit.levels + 1, visit.count)
            if visits:
                _note(visits[-1], *done[id(visit.node)])
            if visit.count > values + MOST_REPEATED_VALUES:
                raise UnpicklingError(
                    "it repeats parts of itself",
                    expected=f"at most {MOST_REPEATED_VALUES:,} values that are there twice",
                )
        if len(visits) > MOST_LEVELS or visit.levels >= MOST_LEVELS:
            raise UnpicklingError("it is too deep", expected=f"at most {MOST_LEVELS} levels")


def _visit(node: object) -> _Visit:
    return _Visit(node, iter(_children(node)))


def _next_container(visit: _Visit, done: dict[int, tuple[int, int]]) -> object | None:
    """The next child that has to be looked into, or None when all have been."""
    for child in visit.children:
        if type(child) in _LEAVES:
            visit.count += 1
        elif isinstance(child, Span | Pending):
            raise UnpicklingError(f"it is damaged: {kind(child)} was never finished")
        elif not isinstance(child, _CONTAINERS) or not _length(child):
            visit.count += 1
        elif id(child) in done:
            _note(visit, *done[id(child)])
        else:
            return child
    return None


def _note(visit: _Visit, levels: int, count: int) -> None:
    visit.levels = max(visit.levels, levels)
    visit.count += 1 + count


def _children(node: object) -> Iterator[object]:
    if isinstance(node, dict):
        return chain(node, node.values())
    if isinstance(node, Instance):
        return iter((node.arguments, node.state))
    assert isinstance(node, list | tuple | set | frozenset)
    return iter(node)


def _length(node: object) -> int:
    if isinstance(node, dict):
        return 2 * len(node)
    if isinstance(node, Instance):
        return 2
    assert isinstance(node, Collection)
    return len(node)
