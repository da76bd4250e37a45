"""Small pickles and torch files that ask for much time or memory: each with the words of refusal.

Every one of them is a file of some kilobytes to a megabyte and a half that would take minutes, or
gigabytes, if each instruction did what it says.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import torch

from tests.unpickling import writer
from tests.unpickling.hostile_tensors import FLOATS, zipped
from tests.unpickling.writer import Call, Name, Outside, Raw, pickled

Hostile = dict[str, tuple[Any, str]]
TOO_LONG = "it is too long for a checkpoint: expected what takes at most"
GROWS = "it grows to far more than its own size"
SIZE = "a size of an array is negative, too large or not a number"


def costs() -> Hostile:
    """Bare pickles."""
    return {**_copies(), **_keys(), **_repeated_work(), **_shapes()}


def _long_tuple(length: int = 100_000) -> bytes:
    """A tuple in place 0 of the memo."""
    return b"(" + b"K\x01" * length + b"tq\x000"


def _again(instructions: bytes, times: int = 100_000) -> Raw:
    """A list of what these instructions leave on the stack, again and again."""
    return Raw(b"](" + instructions * times + b"e")


def _with(start: bytes, instructions: bytes, times: int = 100_000) -> Raw:
    return Raw(start + _again(instructions, times).data)


def _name(name: str) -> bytes:
    return b"c" + name.replace(" ", "\n").encode() + b"\n"


def _copies() -> Hostile:
    """One long value, copied or looked through by every one of many calls."""
    dictionary = b"}(" + b"".join(b"X\x05\0\0\0%05dN" % n for n in range(20_000)) + b"uq\x000"
    space = _name("argparse Namespace") + b"q\x010"
    size = _name("torch Size") + b"q\x010"
    listed = b"](" + b"K\x01" * 100_000 + b"eq\x000"
    deque = _name("collections deque") + b"q\x010"
    return {
        "arguments of namespaces": (_with(_long_tuple() + space, b"h\x01h\x00R", 30_000), TOO_LONG),
        "new namespaces": (_with(_long_tuple() + space, b"h\x01h\x00\x81", 30_000), TOO_LONG),
        "torch.Size of a long tuple": (
            _with(_long_tuple() + size, b"h\x01h\x00\x85R"),
            "a tensor has 100,000 sizes: expected at most 32",
        ),
        "states of a dict": (_with(dictionary, b"}h\x00b"), TOO_LONG),
        "states of namespaces": (_with(dictionary + space, b"h\x01)\x81h\x00b"), TOO_LONG),
        "dicts of a dict": (
            _with(dictionary + _name("collections OrderedDict") + b"q\x010", b"h\x01h\x00\x85R"),
            GROWS,
        ),
        "counters of a dict": (
            _with(dictionary + _name("collections Counter") + b"q\x010", b"h\x01h\x00\x85R"),
            GROWS,
        ),
        "deques of a list": (_with(listed + deque, b"h\x01h\x00\x85R"), GROWS),
        "bytes in arguments": (
            _with(
                b"B" + struct.pack("<I", 5000) + bytes(5000) + b"q\x00(" + b"h\x00" * 20_000 + b"t"
                b"q\x000" + space,
                b"h\x01h\x00R",
            ),
            TOO_LONG,
        ),
    }


def _keys() -> Hostile:
    """Tuples as keys: their hashes can be made equal, and each is then compared with the others."""
    parts = [b"J" + struct.pack("<i", n) + b"\x85" for n in range(20_000)]
    plain = b"".join(parts)
    return {
        "many tuples as keys": (Raw(b"}(" + b"N".join(parts) + b"Nu"), TOO_LONG),
        "many tuples in a set": (Raw(b"\x8f(" + plain + b"\x90"), TOO_LONG),
        "many tuples, frozen": (Raw(b"(" + plain + b"\x91"), TOO_LONG),
        "sets of tuples": (
            _with(
                b"](" + plain[: 6 * 200] + b"eq\x000" + _name("builtins set") + b"q\x010",
                b"h\x01h\x00\x85R",
            ),
            TOO_LONG,
        ),
    }


def _repeated_work() -> Hostile:
    """What is slow for one instruction, and asked for by many."""
    ones = writer.write_torch_legacy_bytes(torch.ones(4))
    storage = Outside(("storage", Name("torch FloatStorage"), "0", "cpu", 4))
    entries = {f"a/data/{n}": b"" for n in range(500)}
    small = zipped({"a/data.pkl": pickled(storage, 2), "a/data/0": bytes(16)})
    large = zipped({"a/data.pkl": pickled(storage, 2), **entries, "a/data/0": bytes(16)})
    loader = _name("torch.storage _load_from_bytes") + b"q\x000"

    def loads(data: bytes) -> Raw:
        block = b"B" + struct.pack("<I", len(data)) + data + b"\x85q\x010"
        return _with(loader + block, b"h\x00h\x01R", 50_000)

    rebuild = _name("torch._utils _rebuild_tensor_v2") + b"q\x000"
    one = Call("torch.storage _load_from_bytes", (ones,))
    view = (one, 0, (), (), False, writer.ordered({}))
    views = pickled(view, 2)[2:-1]
    return {
        "a torch file many times": (loads(ones), TOO_LONG),
        "a zip many times": (loads(small), TOO_LONG),
        "a long zip many times": (loads(large), TOO_LONG),
        "100,000 tensors": (
            _with(views + b"q\x140" + rebuild, b"h\x00h\x14R"),
            TOO_LONG,
        ),
        "100,000 names": (
            Raw(b"](" + b"".join(b"ca\n%x\n0" % n for n in range(100_000)) + b"e"),
            r"names a\.0,",
        ),
        "100,000 sets": (_again(b"\x8f", 200_000), TOO_LONG),
        "escapes": (b"S'" + b"\\n" * 900_000 + b"'\n.", TOO_LONG),
        "wide text": (
            Raw(b"X" + struct.pack("<I", (2 << 20) + 4) + b"x" * (2 << 20) + "😀".encode()),
            r"a text of 2,097,156 bytes with characters beyond Latin-1",
        ),
        "wide line": (
            b"V" + b"x" * (2 << 20) + b"\\U0001f600\n.",
            r"a text of 2,097,162 bytes with characters beyond Latin-1",
        ),
        "large views": (_large_views(), GROWS),
    }


def _large_views() -> Call:
    """Views that repeat one element a million times, each to be copied by whoever uses it."""
    one = Call("torch.storage _load_from_bytes", (writer.write_torch_legacy_bytes(torch.ones(1)),))
    views = [(one, 0, (1 << 20,), (0,), False, writer.ordered({})) for _ in range(20)]
    made = tuple(Call("torch._utils _rebuild_tensor_v2", view) for view in views)
    return Call("builtins list", (made,))


def _shapes() -> Hostile:
    """Shapes that are empty, and too large all the same."""
    half = 1 << 47
    arrays = {
        f"empty array {shape}": (_array(shape), SIZE)
        for shape in ((0, half, half), (half, half, 0), (1 << 48, 0, 2), (0,) + (1 << 9,) * 8)
    }
    buffer = Call("numpy.core.numeric _frombuffer", (b"", _dtype(), (0, half, half), "C"))
    one = Call("torch.storage _load_from_bytes", (writer.write_torch_legacy_bytes(torch.ones(1)),))
    sizes = (0, half, half)
    view = (one, 0, sizes, (1, 1, 1), False, writer.ordered({}))
    return {
        **arrays,
        "empty buffer": (buffer, SIZE),
        "empty tensor": (
            Call("torch._utils _rebuild_tensor_v2", view),
            r"a tensor of sizes \[0, .*\] is too large",
        ),
        **{
            f"buffer of order {order}": (
                Call("numpy.core.numeric _frombuffer", (b"1234", _dtype(), (1, 1), *order)),
                "unusual arguments",
            )
            for order in (
                ("K",),
                ("K", 0),
                ("K", (0, 0)),
                ("K", (0,)),
                ("K", (0, True)),
                ("C", (0, 1)),
            )
        },
        "buffer of order array": (
            Call("numpy.core.numeric _frombuffer", (b"", _dtype(), (0,), np.ones(2))),
            "unusual arguments",
        ),
    }


def _dtype() -> Call:
    return Call("numpy dtype", ("f4", False, True), FLOATS[1])


def _array(shape: tuple[int, ...]) -> Call:
    empty = (Name("numpy ndarray"), (0,), b"b")
    state = (1, shape, _dtype(), False, b"")
    return Call("numpy.core.multiarray _reconstruct", empty, state)


def odd_comparisons() -> Hostile:
    """Arrays where a text or number is compared, which compare element by element."""
    two, tensor = np.ones(2, np.float32), torch.ones(2)
    meta = {"version": 6, "class_name": "G", "state": {}, "module_src": ""}
    ones = writer.write_torch_legacy_bytes(torch.ones(4))
    view = (Call("torch.storage _load_from_bytes", (ones,)), 0, (4,), (1,), False, {})
    return {
        "encoding is an array": (Call("_codecs encode", ("x", two)), "unusual arguments"),
        "encoding is a tensor": (Call("_codecs encode", ("x", tensor)), "unusual arguments"),
        "kind is an array": (Call(writer.PERSISTENT, ({**meta, "type": two},)), "not known"),
        "order is an array": (
            Call(
                "numpy.core.multiarray _reconstruct",
                (Name("numpy ndarray"), (0,), b"b"),
                (1, (1,), _dtype(), two, b"1234"),
            ),
            "an array has an unusual order",
        ),
        "fields are an array": (
            Call("numpy.core.multiarray scalar", (_odd_dtype(two), b"1234")),
            "the dtype of an array has an unusual state",
        ),
        "marks are a tensor": (
            Call("torch._utils _rebuild_tensor_v2", (*view, tensor)),
            "marked as conjugate or negative",
        ),
        "identifier is an array": (
            Call(
                "torch.storage _load_from_bytes",
                (writer.legacy_file(Outside((_small_array(), 1, 2, 3)), {}),),
            ),
            "refers to data that is not a storage",
        ),
        "storage keys are lists": (
            Call("torch.storage _load_from_bytes", (ones.replace(b"X\x02\0\0\x0094", b"]"),)),
            "damaged|truncated",
        ),
    }


def _odd_dtype(fields: object) -> Call:
    state = (3, "<", None, fields, None, -1, -1, 0)
    return Call("numpy dtype", ("f4", False, True), state)


def _small_array() -> Call:
    state = (1, (2,), _dtype(), False, Raw(b"U\x08" + bytes(8)))
    empty = (Name("numpy ndarray"), (0,), Raw(b"U\x01b"))
    return Call("numpy.core.multiarray _reconstruct", empty, state)


def costly_zips() -> dict[str, tuple[bytes, str]]:
    """Torch files."""
    one = pickled([1], protocol=2)
    names = {f"a/data/{n}": b"" for n in range(25_000)}
    return {
        "25,000 entries": (
            zipped({"a/data.pkl": one, **names}),
            "its zip has 25,001 entries: expected at most 20,000",
        ),
        "extra fields": (
            _extra_fields(zipped({"a/data.pkl": one, **dict(list(names.items())[:80])})),
            TOO_LONG,
        ),
    }


def _extra_fields(whole: bytes) -> bytes:
    """A zip in which every entry has 16,000 extra fields without content."""
    start = whole.index(b"PK\x01\x02")
    end = whole.index(b"PK\x05\x06")
    extra = b"\xff\xff\0\0" * 16_000
    out, at = bytearray(whole[:start]), start
    while at < end:
        length = int.from_bytes(whole[at + 28 : at + 30], "little")
        header = bytearray(whole[at : at + 46 + length])
        header[30:32] = struct.pack("<H", len(extra))
        out += header + extra
        at += 46 + length
    last = bytearray(whole[end:])
    last[12:16] = struct.pack("<I", len(out) - start)
    return bytes(out + last)
