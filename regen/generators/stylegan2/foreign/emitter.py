"""Write a pickle whose globals need not exist here: opcodes from values, nothing imported.

Python's own pickler looks up every class it names; the classes of a checkpoint for another tool
are installed there, not here. A `Name` stands for a class or function, a `Call` for an object that
the reader gets by calling one. Everything is written in protocol 3, which Python 3.7 reads.

Tensors are written as NVIDIA's files have them: torch's rebuilding functions around a storage that
is itself a file of torch's first format, so torch from 1.7 on opens them.
"""

from __future__ import annotations

import io
import pickle
import struct
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

import torch
from torch import Tensor, nn

_MAGIC, _TORCH_PROTOCOL = 0x1950A86A20F9469CFC6C, 1001  # how torch's first format begins


@dataclass(frozen=True)
class Name:
    """A class or function by its module and name."""

    module: str
    name: str


@dataclass(frozen=True, eq=False)
class Call:
    """What `function` gives for `arguments`; the same object wherever it stands in a file."""

    function: Name
    arguments: tuple[Any, ...]


@dataclass(frozen=True, eq=False)
class _Persistent:
    """What torch's loader finds by a key outside of the pickle: a storage."""

    key: tuple[Any, ...]


def emit(value: object, file: BinaryIO) -> None:
    """Write one pickle.

    Args:
        value: None, bool, int, float, str, bytes, tuple, list, dict, OrderedDict, `Name`, `Call`,
            and float32 tensors or parameters on the CPU; nested at will, without cycles.
        file: Opened for binary writing.

    Raises:
        TypeError: If a value is of another type.
    """
    writer = _Emitter(file)
    file.write(pickle.PROTO + b"\x03")
    writer.emit(value)
    file.write(pickle.STOP)


class _Emitter:
    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.known: dict[object, int] = {}  # texts, and calls by id, to their numbers in the memo
        self.kept: list[Call] = []  # so that no id is used twice

    def emit(self, value: Any) -> None:
        """Opcodes that put `value` on the reader's stack."""
        if value is None or isinstance(value, bool):
            codes = {None: pickle.NONE, True: pickle.NEWTRUE, False: pickle.NEWFALSE}
            self.file.write(codes[value])
        elif isinstance(value, int):
            data = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
            small = -(2**31) <= value < 2**31
            packed = pickle.BININT + struct.pack("<i", value) if small else None
            self.file.write(packed or pickle.LONG1 + bytes([len(data)]) + data)
        elif isinstance(value, float):
            self.file.write(pickle.BINFLOAT + struct.pack(">d", value))
        elif isinstance(value, str):
            self._text(value)
        elif isinstance(value, bytes):
            self.file.write(pickle.BINBYTES + struct.pack("<I", len(value)))
            self.file.write(value)
        elif isinstance(value, Name):
            self.file.write(pickle.GLOBAL + f"{value.module}\n{value.name}\n".encode())
        else:
            self._structure(value)

    def _structure(self, value: Any) -> None:
        if isinstance(value, Call):
            self._call(value)
        elif isinstance(value, Tensor):
            self.emit(_tensor(value))
        elif isinstance(value, tuple):
            self.file.write(pickle.MARK)
            for item in value:
                self.emit(item)
            self.file.write(pickle.TUPLE)
        elif isinstance(value, list):
            self.file.write(pickle.EMPTY_LIST + pickle.MARK)
            for item in value:
                self.emit(item)
            self.file.write(pickle.APPENDS)
        elif isinstance(value, Mapping):
            self._mapping(value)
        elif isinstance(value, _Persistent):
            self.emit(value.key)
            self.file.write(pickle.BINPERSID)
        else:
            raise TypeError(f"cannot write {type(value).__name__} into a pickle")

    def _mapping(self, value: Mapping[Any, Any]) -> None:
        if isinstance(value, OrderedDict):
            self.emit(Name("collections", "OrderedDict"))
            self.file.write(pickle.EMPTY_TUPLE + pickle.REDUCE)
        else:
            self.file.write(pickle.EMPTY_DICT)
        self.file.write(pickle.MARK)
        for key, item in value.items():
            self.emit(key)
            self.emit(item)
        self.file.write(pickle.SETITEMS)

    def _call(self, call: Call) -> None:
        if self._repeat(id(call)):
            return
        self.kept.append(call)
        self.emit(call.function)
        self.emit(call.arguments)
        self.file.write(pickle.REDUCE)
        self._remember(id(call))

    def _text(self, text: str) -> None:
        if self._repeat(text):
            return
        data = text.encode()
        self.file.write(pickle.BINUNICODE + struct.pack("<I", len(data)) + data)
        self._remember(text)

    def _repeat(self, key: object) -> bool:
        if key in self.known:
            self.file.write(pickle.LONG_BINGET + struct.pack("<I", self.known[key]))
        return key in self.known

    def _remember(self, key: object) -> None:
        self.known[key] = len(self.known)
        self.file.write(pickle.LONG_BINPUT + struct.pack("<I", self.known[key]))


def _tensor(tensor: Tensor) -> Call:
    """The calls by which torch rebuilds a float32 tensor or parameter."""
    data = tensor.detach().contiguous()
    if data.dtype != torch.float32 or data.device.type != "cpu":
        raise TypeError(f"cannot write a tensor of {data.dtype} on {data.device} into a pickle")
    storage = Call(Name("torch.storage", "_load_from_bytes"), (_storage_file(data),))
    none: OrderedDict[str, None] = OrderedDict()
    rebuild = Name("torch._utils", "_rebuild_tensor_v2")
    call = Call(rebuild, (storage, 0, tuple(data.shape), data.stride(), False, none))
    if not isinstance(tensor, nn.Parameter):
        return call
    return Call(Name("torch._utils", "_rebuild_parameter"), (call, tensor.requires_grad, none))


def _storage_file(tensor: Tensor) -> bytes:
    """The storage of a contiguous tensor as a file of torch's first format."""
    file = io.BytesIO()
    size = tensor.numel()
    sizes = {"short": 2, "int": 4, "long": 4}
    system = {"protocol_version": _TORCH_PROTOCOL, "little_endian": True, "type_sizes": sizes}
    key = ("storage", Name("torch", "FloatStorage"), "0", "cpu", size, None)
    for part in (_MAGIC, _TORCH_PROTOCOL, system, _Persistent(key), ["0"]):
        emit(part, file)
    file.write(struct.pack("<q", size))
    file.write(tensor.numpy().astype("<f4", copy=False).tobytes())
    return file.getvalue()
