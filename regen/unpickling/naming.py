"""The world that takes down names and builds nothing: what does a file name, and is it known?

Every name gets a stand-in, and calling it another, so that a whole file can be listed which the
world that builds would refuse at the first unknown name.
"""

from __future__ import annotations

from typing import Any

from regen.unpickling.known import known
from regen.unpickling.source import Span
from regen.unpickling.values import Instance, NamedGlobal

_LOADER = Instance("torch.storage._load_from_bytes")
_ANYTHING = Instance("")


class Naming:
    """Takes down names.

    Attributes:
        named: Every name so far, in the order of the file, each once.
    """

    def __init__(self) -> None:
        self.named: dict[str, NamedGlobal] = {}
        self._nested: dict[tuple[int, int, int], tuple[object, Span]] = {}

    @property
    def nested(self) -> list[Span]:
        """The torch files inside of the pickle, each once, however often it is read."""
        return [span for _, span in self._nested.values()]

    def find(self, name: str) -> object:
        """See `World`."""
        if name not in self.named:
            self.named[name] = NamedGlobal(name, known(name) is not None)
        return _LOADER if name == _LOADER.global_name else _ANYTHING

    def call(self, function: object, arguments: tuple[Any, ...]) -> object:
        """See `World`."""
        block = arguments[0] if function is _LOADER and len(arguments) == 1 else None
        if isinstance(block, Span):
            self._nested.setdefault((id(block.buffer), block.start, block.stop), (block, block))
        elif isinstance(block, bytes | bytearray) and (id(block), 0, 0) not in self._nested:
            self._nested[id(block), 0, 0] = block, Span.of(block)
        return _ANYTHING

    def give_state(self, target: object, state: object) -> object:
        """See `World`."""
        return target

    def persistent(self, identifier: object) -> object:
        """See `World`."""
        return _ANYTHING

    def extend(self, target: object, items: list[Any]) -> None:
        """See `World`."""

    def put(self, target: object, keys: list[Any], values: list[Any]) -> None:
        """See `World`."""

    def add(self, target: object, items: list[Any]) -> None:
        """See `World`."""

    def freeze(self, items: list[Any]) -> object:
        """See `World`."""
        return frozenset()
