"""The instructions of a pickle, written from values and from stand-ins for what is not here.

See `tests.unpickling.writer`, which knows what files of generators hold.
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Raw:
    """Instructions as they are, which must leave one value on the stack."""

    data: bytes


@dataclass(frozen=True)
class Name:
    """A class or function: its module and its name, with a space between."""

    name: str


@dataclass(frozen=True, eq=False)
class Call:
    """A call of a class or function, and a state to give to what comes out.

    Attributes:
        name: As in `Name`.
        state: None for no state.
        new: Made as `copyreg.__newobj__` does it rather than by a call.
        items: Entries of a dict to put in.
    """

    name: str
    arguments: tuple[Any, ...] = ()
    state: Any = None
    new: bool = False
    items: dict[Any, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Outside:
    """A persistent identifier."""

    identifier: Any


class Emitter:
    """Writes one pickle of protocol 2, 3 or 4.

    Args:
        protocol: Decides on the instructions for texts, bytes, sets and names.
        as_call: Gives the `Call` that stands for a value of another library.
    """

    def __init__(self, protocol: int, as_call: Callable[[object], Call]) -> None:
        self._protocol, self._as_call = protocol, as_call
        self._out = bytearray()
        self._memo: dict[tuple[type, Any], int] = {}
        self._kept: list[object] = []
        self._free = itertools.count()

    def whole(self, value: object) -> bytes:
        """The pickle of a value."""
        self._emit(value)
        body = bytes(self._out) + b"."
        head = bytes([0x80, self._protocol])
        if self._protocol < 4:
            return head + body
        return head + b"\x95" + struct.pack("<Q", len(body)) + body

    def _emit(self, value: object) -> None:
        match value:
            case None | bool():
                self._out += {None: b"N", True: b"\x88", False: b"\x89"}[value]
            case int():
                self._integer(value)
            case float():
                self._out += b"G" + struct.pack(">d", value)
            case Raw():
                self._out += value.data
            case Outside():
                self._emit(value.identifier)
                self._out += b"Q"
            case _:
                self._remembered(value)

    def _remembered(self, value: object) -> None:
        """What picklers put in the memo, so that the second time it is only referred to."""
        key = (type(value), value if isinstance(value, str | Name) else id(value))
        if key in self._memo:
            self._out += b"j" + struct.pack("<I", self._memo[key])
            return
        self._kept.append(value)
        match value:
            case str():
                self._text(value)
            case bytes() | bytearray():
                self._bytes(bytes(value))
            case Name():
                self._name(value)
            case list():
                self._begin(key, b"]")
                self._run(value, b"e")
            case dict():
                self._begin(key, b"}")
                self._run(itertools.chain(*value.items()), b"u")
            case set() if self._protocol >= 4:
                self._begin(key, b"\x8f")
                self._run(value, b"\x90")
            case set():
                self._emit(Call("builtins set", (list(value),)))
                return
            case tuple():
                self._tuple(value)
            case Call():
                self._call(key, value)
            case _:
                self._emit(self._as_call(value))
                return
        if key not in self._memo:
            self._begin(key, b"")

    def _begin(self, key: tuple[type, Any], instruction: bytes) -> None:
        """An instruction, and the place of the memo for what it made."""
        self._memo[key] = index = next(self._free)
        if self._protocol >= 4:
            self._out += instruction + b"\x94"
        elif index < 256:
            self._out += instruction + b"q" + bytes([index])
        else:
            self._out += instruction + b"r" + struct.pack("<I", index)

    def _run(self, items: Iterable[object], instruction: bytes) -> None:
        listed = list(items)
        if listed:
            self._out += b"("
            for item in listed:
                self._emit(item)
            self._out += instruction

    def _integer(self, value: int) -> None:
        if 0 <= value < 256:
            self._out += b"K" + bytes([value])
        elif 0 <= value < 65536:
            self._out += b"M" + struct.pack("<H", value)
        elif -(1 << 31) <= value < 1 << 31:
            self._out += b"J" + struct.pack("<i", value)
        else:
            data = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
            self._out += b"\x8a" + bytes([len(data)]) + data

    def _text(self, value: str) -> None:
        data = value.encode("utf-8", "surrogatepass")
        if self._protocol >= 4 and len(data) < 256:
            self._out += b"\x8c" + bytes([len(data)]) + data
        else:
            self._out += b"X" + struct.pack("<I", len(data)) + data

    def _bytes(self, value: bytes) -> None:
        if self._protocol < 3:
            self._emit(Call("_codecs encode", (value.decode("latin-1"), "latin1")))
        elif len(value) < 256:
            self._out += b"C" + bytes([len(value)]) + value
        else:
            self._out += b"B" + struct.pack("<I", len(value)) + value

    def _name(self, value: Name) -> None:
        module, _, name = value.name.partition(" ")
        if self._protocol < 4:
            self._out += f"c{module}\n{name}\n".encode()
        else:
            self._emit(module)
            self._emit(name)
            self._out += b"\x93"

    def _tuple(self, value: tuple[Any, ...]) -> None:
        if len(value) > 3:
            self._out += b"("
        for item in value:
            self._emit(item)
        self._out += (b")", b"\x85", b"\x86", b"\x87")[len(value)] if len(value) < 4 else b"t"

    def _call(self, key: tuple[type, Any], value: Call) -> None:
        self._emit(Name(value.name))
        self._emit(value.arguments)
        self._begin(key, b"\x81" if value.new else b"R")
        if value.items:
            self._run(itertools.chain(*value.items.items()), b"u")
        if value.state is not None:
            self._emit(value.state)
            self._out += b"b"
