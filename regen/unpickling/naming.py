"""The world that takes down names and builds nothing: what does a file name, and is it known?

Every name gets a stand-in, and calling it another, so that a whole file can be listed which the
world that builds would refuse at the first unknown name.
"""

from __future__ import annotations

from typing import Any

from regen.unpickling.known import known
from regen.unpickling.source import Span
from regen.unpickling.values import Instance, NamedGlobal

_NESTED = "torch.storage._load_from_bytes"


class Naming:
    """Takes down names.

    Attributes:
        named: Every name so far, in the order of the file, each once.
        nested: The torch files inside of the pickle, as bytes or spans.
    """

    def __init__(self) -> None:
        self.named: dict[str, NamedGlobal] = {}
        self.nested: list[Span] = []

    def find(self, name: str) -> object:
        """See `World`."""
        self.named.setdefault(name, NamedGlobal(name, known(name) is not None))
        return Instance(name)

    def call(self, function: object, arguments: tuple[Any, ...]) -> object:
        """See `World`."""
        if isinstance(function, Instance) and function.global_name == _NESTED:
            for block in arguments:
                if isinstance(block, Span | bytes | bytearray):
                    self.nested.append(block if isinstance(block, Span) else Span.of(block))
        return Instance("")

    def give_state(self, target: object, state: object) -> object:
        """See `World`."""
        return target

    def persistent(self, identifier: object) -> object:
        """See `World`."""
        return Instance("")

    def extend(self, target: object, items: list[Any]) -> None:
        """See `World`."""

    def put(self, target: object, keys: list[Any], values: list[Any]) -> None:
        """See `World`."""

    def add(self, target: object, items: list[Any]) -> None:
        """See `World`."""

    def freeze(self, items: list[Any]) -> object:
        """See `World`."""
        return frozenset()
