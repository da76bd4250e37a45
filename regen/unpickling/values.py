"""What stands for the objects of classes that are not ours: data, never code.

A pickle names a class or function (a *global*), and asks to call it. Nothing a file names is ever
imported, looked up in a module, or called. A name that is known becomes a `Global` of ours, and
calling it gives plain data, or an `Instance`: the name, what it was to be called with, and the
state it was to be given.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from regen.errors import printable
from regen.files.budget import Budget
from regen.unpickling.source import Span

Constructor = Callable[["Context", str, tuple[Any, ...]], object]
PERSISTENT = "torch_utils.persistence._reconstruct_persistent_obj"


@dataclass(frozen=True)
class Context:
    """What a constructor needs beside the arguments.

    Attributes:
        budget: Of the whole file.
        load_nested: Reads a torch file that lies in the bytes of a pickle.
    """

    budget: Budget
    load_nested: Callable[[Span], object]


@dataclass(eq=False, repr=False)
class Instance:
    """Inert stand-in for an object of a foreign class.

    For an object of NVIDIA's persistence, `arguments` is one dict with the keys ``type``,
    ``version`` and ``class_name``, and `state` the attributes of the object. Its source text is
    dropped unread.

    Attributes:
        global_name: What the file names, "argparse.Namespace" for instance.
        arguments: What it is to be called with.
        state: What it is to be given afterwards; None if nothing.
    """

    global_name: str
    arguments: tuple[Any, ...] = ()
    state: Any = None

    @property
    def class_name(self) -> str:
        """Name of the class, without its module; for a persistent object, of the original class.

        >>> Instance("argparse.Namespace").class_name
        'Namespace'
        """
        if self.global_name == PERSISTENT and self.arguments:
            return str(self.arguments[0]["class_name"])
        return self.global_name.rpartition(".")[2]

    def __repr__(self) -> str:  # not of what it holds, which may be deep
        return f"Instance({self.global_name!r})"


@dataclass(eq=False, repr=False)
class Global(Instance):
    """A class or function that was named and, so far, not called: an Instance without arguments.

    Attributes:
        construct: Our own function, from context, name and arguments to a value.
    """

    construct: Constructor = field(kw_only=True)


@dataclass(eq=False, repr=False)
class Pending(Instance):
    """An object whose value comes with its state: a numpy array between its two halves.

    Attributes:
        complete: Our own function, from context and state to the value.
        value: What it became, once it did.
    """

    complete: Callable[[Context, Any], object] = field(kw_only=True)
    value: object = None


@dataclass(frozen=True)
class NamedGlobal:
    """A global that a file names, and whether it is one that checkpoints of generators need."""

    name: str
    known: bool


def shown(text: str) -> str:
    """A text out of a file, fit for an error message: short, and without control characters.

    >>> shown("os.system"), shown("a\\x1b[2J"), len(shown("x" * 1000))
    ('os.system', 'a\\\\x1b[2J', 80)
    """
    safe = printable(text[:80])
    return safe if len(text) <= 80 and len(safe) <= 80 else safe[:77] + "..."


def kind(value: object) -> str:
    """What a value is, for an error message: "a list", "an instance of argparse.Namespace"."""
    if isinstance(value, Global):
        return f"the name {shown(value.global_name)}"
    if isinstance(value, Instance):
        return f"an instance of {shown(value.global_name)}"
    name = "None" if value is None else type(value).__name__
    if name in ("None", "bool", "float", "bytes", "str"):
        name = {"float": "number", "str": "text", "bool": "truth value"}.get(name, name)
    return name
