"""Constructors of plain data: what sets, dicts and foreign objects become when a file makes them.

Each takes the context, the name the file used and the arguments, which may be anything at all.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NoReturn

import torch

from regen.errors import UnpicklingError
from regen.files.budget import ITEM_BYTES, LONGEST_KEY_BITS, LONGEST_KEY_TUPLE, Budget
from regen.unpickling.source import Span
from regen.unpickling.stack import plain
from regen.unpickling.values import Context, Global, Instance, kind, shown

_SCALARS = (str, bytes, int, float, bool, type(None), torch.dtype)


def refuse_arguments(name: str) -> NoReturn:
    """Refuse arguments that a known name is never called with."""
    raise UnpicklingError(f"it is damaged: {shown(name)} is called with unusual arguments")


def checked_keys(budget: Budget, keys: Collection[Any]) -> Collection[Any]:
    """Keys of a dict or items of a set, each cheap and safe to hash.

    Others are refused: the hash of a deep tuple needs as deep a stack, and integers longer than a
    hash can be made to collide. Tuples can be as well, so each of them has its price.
    """
    for key in keys:
        if isinstance(key, str):
            continue
        parts = key if type(key) is tuple else (key,)
        if len(parts) > LONGEST_KEY_TUPLE or not all(_is_hashable(part) for part in parts):
            raise UnpicklingError(
                f"it uses {kind(key)} as a key", expected="texts and numbers of a usual length"
            )
        if type(key) is tuple:
            budget.tuple_key()
    return keys


def _is_hashable(part: object) -> bool:
    if type(part) is int:
        return part.bit_length() <= LONGEST_KEY_BITS
    return type(part) in _SCALARS


def attributes(budget: Budget, state: object) -> dict[str, Any]:
    """The state of an object, which must be a plain dict of attributes."""
    if type(state) is dict:
        budget.scan(4 * len(state))  # all of them twice
    if type(state) is not dict or not all(type(name) is str for name in state):
        raise UnpicklingError(
            f"it gives {kind(state)} as the state of an object", expected="a dict of attributes"
        )
    for name in state:
        if name.startswith("__"):
            raise UnpicklingError(f"it sets the attribute {shown(name)} of an object")
    return state


def _copied(budget: Budget, items: Collection[Any]) -> list[Any]:
    """A list of items that a file may hold once and use often, with unread blocks as bytes."""
    budget.spend(ITEM_BYTES * len(items))
    budget.scan(len(items))
    return plain(list(items))


def inert(context: Context, name: str, arguments: tuple[Any, ...]) -> Instance:
    """An object that stays a stand-in."""
    context.budget.scan(len(arguments))
    if any(type(argument) is Span for argument in arguments):
        arguments = tuple(_copied(context.budget, arguments))
    return Instance(name, arguments)


def uncalled(context: Context, name: str, arguments: tuple[Any, ...]) -> NoReturn:
    """A class that is named as a value and never called, such as a class of storages."""
    refuse_arguments(name)


def persistent(context: Context, name: str, arguments: tuple[Any, ...]) -> Instance:
    """An object of NVIDIA's persistence, of one dict; its source text is left behind."""
    meta = arguments[0] if len(arguments) == 1 else None
    if type(meta) is not dict or not isinstance(meta.get("class_name"), str):
        refuse_arguments(name)
    sort = meta.get("type")
    if type(sort) is not str or sort != "class" or type(meta.get("version")) is not int:
        raise UnpicklingError(
            "it holds an object of NVIDIA's persistence of a kind that is not known",
            expected="type 'class' and a version",
        )
    kept = {key: meta[key] for key in ("type", "version", "class_name")}
    return Instance(name, (kept,), attributes(context.budget, meta.get("state")))


def mapping(context: Context, name: str, arguments: tuple[Any, ...]) -> dict[Any, Any]:
    """A dict: empty, or of a dict or a list of pairs. A defaultdict's factory is dropped."""
    if not arguments:  # by far the most: the hooks of every module
        return {}
    if name.endswith("defaultdict"):
        arguments = arguments[1:]
    content = arguments[0] if arguments else {}
    if len(arguments) > 1 or type(content) not in (dict, list, tuple):
        refuse_arguments(name)
    budget = context.budget
    if type(content) is dict:
        budget.spend(ITEM_BYTES * len(content))
        checked_keys(budget, content)
        return dict(content)
    pairs = _copied(budget, content)
    if not all(type(pair) in (list, tuple) and len(pair) == 2 for pair in pairs):
        refuse_arguments(name)
    keys = checked_keys(budget, [key for key, _ in pairs])
    return dict(zip(keys, (value for _, value in pairs), strict=True))


def collection(context: Context, name: str, arguments: tuple[Any, ...]) -> object:
    """A set, frozenset, list or tuple: empty, or of the items of a list, tuple or set."""
    content = arguments[0] if arguments else ()
    if len(arguments) > 1 or type(content) not in (list, tuple, set, frozenset):
        refuse_arguments(name)
    items = _copied(context.budget, content)
    match name.rpartition(".")[2]:
        case "set":
            return set(checked_keys(context.budget, items))
        case "frozenset":
            return frozenset(checked_keys(context.budget, items))
        case "list":
            return items
        case _:
            return tuple(items)


def queue(context: Context, name: str, arguments: tuple[Any, ...]) -> list[Any]:
    """`collections.deque(items, maxlen)`: a list. Its items may also be put in afterwards."""
    if len(arguments) == 2 and arguments[1] is not None and type(arguments[1]) is not int:
        refuse_arguments(name)
    items = arguments[0] if arguments else ()
    if len(arguments) > 2 or type(items) not in (list, tuple):
        refuse_arguments(name)
    return _copied(context.budget, items)


def text_as_bytes(context: Context, name: str, arguments: tuple[Any, ...]) -> bytes:
    """`_codecs.encode(text, "latin1")`: how protocol 2 writes bytes."""
    if len(arguments) != 2 or not all(type(argument) is str for argument in arguments):
        refuse_arguments(name)
    if arguments[1] not in ("latin1", "latin-1"):
        refuse_arguments(name)
    text: str = arguments[0]
    context.budget.spend(len(text))
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        raise UnpicklingError("it is damaged: bytes, written as text, are none") from None


def byte_string(context: Context, name: str, arguments: tuple[Any, ...]) -> bytes | bytearray:
    """`bytes()`, which protocol 2 writes for empty ones, and `bytearray` of bytes or text."""
    made = bytearray if name.endswith("bytearray") else bytes
    if not arguments:
        return made()
    if len(arguments) == 2:
        data: object = text_as_bytes(context, name, arguments)
    else:
        data = plain(list(arguments))[0] if len(arguments) == 1 else None
    if not isinstance(data, bytes | bytearray):
        refuse_arguments(name)
    context.budget.spend(len(data))
    return made(data)


def complex_number(context: Context, name: str, arguments: tuple[Any, ...]) -> complex:
    """`complex(real, imaginary)`."""
    if len(arguments) != 2 or not all(type(part) is float for part in arguments):
        refuse_arguments(name)
    return complex(*arguments)


def reconstructor(context: Context, name: str, arguments: tuple[Any, ...]) -> object:
    """`copyreg._reconstructor(class, base, content)`: how protocols 0 and 1 make any object."""
    if len(arguments) != 3 or not all(isinstance(part, Global) for part in arguments[:2]):
        refuse_arguments(name)
    made, _, content = arguments
    if made.global_name == name:
        refuse_arguments(name)
    return made.construct(context, made.global_name, () if content is None else (content,))


def block_of(budget: Budget, data: object, what: str) -> Span:
    """Bytes of any kind as a span. Python 2 wrote them as text."""
    if isinstance(data, str | bytearray):  # which is copied
        budget.spend(len(data))
    if isinstance(data, str):
        try:
            data = data.encode("latin-1")
        except UnicodeEncodeError:
            data = None
    if isinstance(data, bytes | bytearray):
        return Span.of(data)
    if not isinstance(data, Span):
        raise UnpicklingError(f"it is damaged: {what} is {kind(data)}", expected="bytes")
    return data
