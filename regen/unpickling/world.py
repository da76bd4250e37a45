"""What the instructions of a pickle mean, to whoever runs them. See `regen.unpickling.machine`."""

from __future__ import annotations

from typing import Any, Protocol


class World(Protocol):
    """What the instructions of a pickle mean. Each method may refuse with an UnpicklingError."""

    def find(self, name: str) -> object:
        """The stand-in for a global, named with its module: "collections.OrderedDict"."""

    def call(self, function: object, arguments: tuple[Any, ...]) -> object:
        """What calling a stand-in with arguments gives."""

    def give_state(self, target: object, state: object) -> object:
        """The target with its state, as a rule the same object."""

    def persistent(self, identifier: object) -> object:
        """The object outside of the pickle that an identifier stands for."""

    def extend(self, target: object, items: list[Any]) -> None:
        """Put items at the end of a list."""

    def put(self, target: object, keys: list[Any], values: list[Any]) -> None:
        """Put entries in a dict."""

    def add(self, target: object, items: list[Any]) -> None:
        """Put items in a set."""

    def freeze(self, items: list[Any]) -> object:
        """A frozenset of items."""
