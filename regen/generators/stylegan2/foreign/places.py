"""Where in a file the states of networks are: tensors by name, whatever they lie in.

Training scripts keep a state under a name of their own (``g_ema``, ``params_ema``, ``model``),
inside of other dicts and lists, and with the names of what wraps the network before those of the
network (``module.``, ``decoder.``). A state is known by a *marker*, the name of a tensor that no
other network has, so where it lies need not be known.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from regen.errors import GeneratorError
from regen.generators.stylegan2.foreign.modules import as_dict, as_tensor, is_float
from regen.unpickling import Instance

_DEEPEST = 3  # dicts within dicts
_MOST_DICTS = 1000
_MOST_PLACES = 32
_LONGEST_LIST = 16
_AVERAGES = frozenset({"running", "average", "averaged", "avg", "gs"})
_TRAINED = frozenset({"g", "generator", "netg", "gen"})
# Where several could be meant, the first of these is; the last is the file itself.
_USUAL = ("g_ema", "g", "state_dict", "params_ema", "params", "")


@dataclass(frozen=True)
class Place:
    """The state of a network.

    Attributes:
        path: What leads to it, joined by dots: "g_ema"; empty for the file itself.
        tensors: Of the state, by the network's own names.
        beside: What the state lies in; for the file itself, the file.
    """

    path: str
    tensors: dict[str, object]
    beside: Mapping[Any, Any]

    def floats(self) -> dict[str, Tensor]:
        """Those of the tensors that are tensors, of floating point."""
        return {
            name: t for name, t in self.tensors.items() if isinstance(t, Tensor) and is_float(t)
        }

    @property
    def name(self) -> str:
        """The path, for messages: short, and not empty."""
        return f"{self.path[:57]}..." if len(self.path) > 60 else self.path or "one network"

    @property
    def words(self) -> list[str]:
        """The words of the path, in small letters."""
        return re.findall(r"[a-z0-9]+", self.path.lower())

    @property
    def is_average(self) -> bool:
        """Whether it is named as the average over training."""
        return any(word in _AVERAGES or word.endswith("ema") for word in self.words)

    @property
    def is_trained(self) -> bool:
        """Whether it is named as the network that was trained, not as its average."""
        return not self.is_average and not _TRAINED.isdisjoint(self.words)


def find_places(value: object, marker: str) -> list[Place]:
    """The states in a value of `regen.unpickling` that have a tensor of this name.

    Arrays of numpy come as tensors. At most 32 states, three dicts deep, are found.

    >>> [place.path for place in find_places({"g": {"module.input.input": 1}}, "input.input")]
    ['g']
    """
    found: list[Place] = []
    for path, state, beside in _dicts(value):
        for name in state:
            if isinstance(name, str) and (name == marker or name.endswith(f".{marker}")):
                found.append(_place(path, state, name.removesuffix(marker), beside))
            if len(found) == _MOST_PLACES:
                return found
    return found


def choose_place(places: Sequence[Place], which: str, where: str) -> Place | None:
    """The generator that is meant, or None if it is not there.

    Args:
        places: All of a file.
        which: "G_ema": the average, or where none is named so, the only network or the one with
            the most usual name. "G": one that is named as the trained network.
        where: Begins the message of an error.

    Raises:
        GeneratorError: If several could be meant.
    """
    if which == "G":
        fitting = [place for place in places if place.is_trained]
    else:
        fitting = [place for place in places if place.is_average] or list(places)
    if not fitting:
        return None
    best = min(map(_rank, fitting))
    fitting = [place for place in fitting if _rank(place) == best]
    if len(fitting) > 1:
        raise GeneratorError(
            f"{where} holds several generators",
            got=", ".join(place.name for place in fitting[:5]),
            expected="one, or one that is named g_ema",
        )
    return fitting[0]


def _rank(place: Place) -> int:
    return _USUAL.index(place.path) if place.path in _USUAL else len(_USUAL)


def _dicts(value: object) -> Iterator[tuple[str, Mapping[Any, Any], Mapping[Any, Any]]]:
    """Path, dict, and the dict that it lies in; the outer ones first, each once."""
    waiting = [("", _entries(value), _entries(value), 0)]
    seen: set[int] = set()
    for path, state, beside, depth in waiting:  # which grows meanwhile
        if id(state) in seen or len(seen) >= _MOST_DICTS:
            continue
        seen.add(id(state))
        yield path, state, beside
        for name, child in state.items() if depth < _DEEPEST else ():
            if isinstance(name, str) and isinstance(child, (Mapping, Instance, list, tuple)):
                inner = f"{path}.{name}" if path else name
                waiting.append((inner, _entries(child), state, depth + 1))


def _entries(value: object) -> Mapping[Any, Any]:
    """What lies in a value by name; in a short list by number."""
    if isinstance(value, (list, tuple)) and len(value) <= _LONGEST_LIST:
        return {str(index): item for index, item in enumerate(value)}
    return as_dict(value)


def _place(path: str, state: Mapping[Any, Any], prefix: str, beside: Mapping[Any, Any]) -> Place:
    names = [name for name in state if isinstance(name, str) and name.startswith(prefix)]
    tensors = {name.removeprefix(prefix): as_tensor(state[name]) for name in names}
    parts = [part for part in (*path.split("."), *prefix.split(".")) if part not in ("", "module")]
    return Place(".".join(parts), tensors, beside)
