"""The world that builds: names become stand-ins of ours, and calling those gives plain data.

Default deny: a name is known (`regen.unpickling.known`) or the file is refused, with the name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from regen.errors import UnpicklingError
from regen.unpickling.containers import attributes, checked_keys
from regen.unpickling.known import known
from regen.unpickling.values import Context, Global, Instance, Pending, kind, shown

Storages = Callable[[object], object]


class UnknownNameError(UnpicklingError):
    """A file names what is not known.

    Attributes:
        name: As the file has it.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(
            f"it names {shown(name)}, which no generator needs, so it is not read further",
            remedy="nothing it names was run; `regen info` lists all it names",
        )


def no_storages(identifier: object) -> object:
    """The storages of a bare pickle: it has none."""
    raise UnpicklingError("it refers to data outside of the pickle, as only torch files do")


class Building:
    """Builds plain data. Each pickle has its own: a torch file inside of a pickle has another.

    Args:
        context: For the constructors of known names.
        storages: Gives what the persistent identifiers of a torch file stand for.
    """

    def __init__(self, context: Context, storages: Storages = no_storages) -> None:
        self._context = context
        self.persistent = storages

    def find(self, name: str) -> object:
        """See `World`."""
        found = known(name)
        if found is None:
            raise UnknownNameError(name)
        return found

    def call(self, function: object, arguments: tuple[Any, ...]) -> object:
        """See `World`."""
        if not isinstance(function, Global):
            raise UnpicklingError(f"it calls {kind(function)}, which is not a class or function")
        return function.construct(self._context, function.global_name, arguments)

    def give_state(self, target: object, state: object) -> object:
        """See `World`. Attributes of a dict (OrderedDict, EasyDict) are dropped."""
        if isinstance(target, Pending) and target.value is None:
            target.value = target.complete(self._context, state)
            return target.value
        if type(target) is dict:
            attributes(self._context.budget, state)
            return target
        if type(target) is not Instance or target.state is not None:
            raise UnpicklingError(f"it gives a state to {kind(target)}, which takes none")
        if target.global_name == "numpy.dtype":
            target.state = state
        else:
            target.state = attributes(self._context.budget, state)
        return target

    def extend(self, target: object, items: list[Any]) -> None:
        """See `World`."""
        if type(target) is not list:
            raise UnpicklingError(f"it puts items in {kind(target)}, which is not a list")
        target.extend(items)

    def put(self, target: object, keys: list[Any], values: list[Any]) -> None:
        """See `World`."""
        if type(target) is not dict:
            raise UnpicklingError(f"it puts entries in {kind(target)}, which is not a dict")
        target.update(zip(checked_keys(self._context.budget, keys), values, strict=True))

    def add(self, target: object, items: list[Any]) -> None:
        """See `World`."""
        if type(target) is not set:
            raise UnpicklingError(f"it puts items in {kind(target)}, which is not a set")
        target.update(checked_keys(self._context.budget, items))

    def freeze(self, items: list[Any]) -> object:
        """See `World`."""
        return frozenset(checked_keys(self._context.budget, items))
