"""Tensors and arrays that claim what is not theirs, and torch files that are no honest zip."""

from __future__ import annotations

import io
import struct
import zipfile
from typing import Any

import numpy as np
import torch

from tests.unpickling import writer
from tests.unpickling.writer import Call, Name, Outside, pickled

Hostile = dict[str, tuple[Any, str]]
SIZE = "a size of an array is negative, too large or not a number"
FLOATS = ("f4", (3, "<", None, None, None, -1, -1, 0))


def _dtype(code: object, state: object) -> Call:
    return Call("numpy dtype", (code, False, True), state)


def _array(shape: object, data: object, dtype: object = None) -> Call:
    empty = (Name("numpy ndarray"), (0,), b"b")
    state = (1, shape, dtype or _dtype(*FLOATS), False, data)
    return Call("numpy.core.multiarray _reconstruct", empty, state)


def _view(offset: object, sizes: object, strides: object, storage: object = None) -> Call:
    if storage is None:
        data = writer.write_torch_legacy_bytes(torch.ones(4))
        storage = Call("torch.storage _load_from_bytes", (data,))
    arguments = (storage, offset, sizes, strides, False, writer.ordered({}))
    return Call("torch._utils _rebuild_tensor_v2", arguments)


def arrays() -> Hostile:
    """Bare pickles with a numpy array."""
    objects = _dtype("O8", (3, "|", None, None, None, -1, -1, 63))
    fields = _dtype("f4", (3, "<", None, ("a",), {"a": (FLOATS, 0)}, 4, 1, 0))
    alone = Call("numpy.core.multiarray _reconstruct", (Name("numpy ndarray"), (0,), b"b"))
    return {
        "array of objects": (_array((1,), [Name("os system")], objects), r"array of 'O8'"),
        "array of records": (_array((1,), b"1234", _dtype("V4", None)), r"array of 'V4'"),
        "dtype by name": (_array((1,), b"1234", _dtype("object", None)), r"array of 'object'"),
        "dtype with fields": (_array((1,), b"1234", fields), "dtype of an array has an unusual"),
        "dtype is text": (_array((1,), b"1234", "f4"), "the dtype of an array is text"),
        "short array": (_array((3,), b"1234"), "got 4 bytes, expected 12"),
        "long array": (_array((1,), b"12345"), "got 5 bytes, expected 4"),
        "huge array": (_array((1 << 40, 1 << 40), b"1234"), SIZE),
        "overflowing array": (_array((1 << 32, 1 << 32), b""), SIZE),
        "overflowing size": (_array((1 << 63,), b""), SIZE),
        "negative array": (_array((-1,), b""), SIZE),
        "array of a list": (_array((1,), [1, 2]), "the content of an array is list"),
        "array of no shape": (_array(3, b""), "an array has an unusual shape"),
        "array of a subclass": (
            Call("numpy.core.multiarray _reconstruct", (Name("numpy float32"), (0,), b"b")),
            "unusual arguments",
        ),
        "half an array": ([alone], "was never finished"),
        "scalar of nothing": (
            Call("numpy.core.multiarray scalar", (_dtype(*FLOATS), b"")),
            "got 0 bytes, expected 4",
        ),
    }


def tensors() -> Hostile:
    """Bare pickles with a tensor."""
    claims = writer.write_torch_legacy_bytes(torch.ones(4), claimed=10**9)
    short = writer.write_torch_legacy_bytes(torch.ones(4))[:-4]
    other = writer.write_torch_legacy_bytes(torch.ones(4))[:-24] + struct.pack("<q", 3) + b"x" * 16
    big_endian = writer.legacy_file(
        writer.storage_identifier(torch.ones(2)), {"94": torch.ones(2)}, little_endian=False
    )

    def loaded(data: bytes) -> Call:
        return Call("torch.storage _load_from_bytes", (data,))

    return {
        "storage claims 4 GB": (loaded(claims), "a storage of 4,000,000,000 bytes is announced"),
        "storage is short": (loaded(short), "16 bytes are announced"),
        "storage has two sizes": (loaded(other), "storage 94 has two sizes"),
        "bytes after a storage": (loaded(short + b"12345678"), "goes on for 4 bytes"),
        "big-endian": (loaded(big_endian), "written on a big-endian machine"),
        "view past the end": (_view(1, (4,), (1,)), "reaches outside of its storage of 4 elem"),
        "view by strides": (_view(0, (2, 2), (3, 1)), "reaches outside of its storage"),
        "view starts outside": (_view(5, (0,), (1,)), "reaches outside of its storage"),
        "negative offset": (_view(-1, (1,), (1,)), "is negative, too large or not a number"),
        "negative size": (_view(0, (-1,), (1,)), "is negative, too large or not a number"),
        "negative stride": (_view(3, (4,), (-1,)), "is negative, too large or not a number"),
        "overflowing sizes": (_view(0, (1 << 40,) * 3, (0, 0, 0)), "is too large"),
        "overflowing stride": (
            _view(0, (3,), (1 << 63,)),
            "is negative, too large or not a number",
        ),
        "endless view": (
            _view(0, (10**12,), (0,)),
            "1,000,000,000,000 elements has a storage of 4",
        ),
        "sizes are numbers": (_view(0, 4, 1), "the sizes of a tensor are int"),
        "sizes are truths": (_view(0, (True,), (1,)), "is negative, too large or not a number"),
        "too many axes": (_view(0, (1,) * 100, (1,) * 100), "100 sizes: expected at most 32"),
        "other strides": (_view(0, (4,), (1, 1)), "not one stride for each"),
        "storage is a list": (_view(0, (1,), (1,), storage=[1.0]), "a tensor lies in list"),
        "storage is a matrix": (
            _view(0, (1,), (1,), storage=torch.ones(2, 2)),
            "a tensor lies in Tensor",
        ),
        "parameter of text": (Call("torch._utils _rebuild_parameter", ("x", 0, 0)), "unusual arg"),
        "storage of a class": (
            loaded(
                writer.legacy_file(Outside(("storage", Name("torch Size"), "0", "", 1, None)), {})
            ),
            "a storage is the name torch.Size",
        ),
    }


def zips() -> dict[str, tuple[bytes, str]]:
    """Torch files."""
    return {**_no_torch_files(), **_damaged_zips()}


def _no_torch_files() -> dict[str, tuple[bytes, str]]:
    one = pickled([1], protocol=2)
    two = zipped({"a/data.pkl": one, "a/data/0": b"x", "a/data/1": b"y"})
    return {
        "climbing": (
            zipped({"a/data.pkl": one, "a/../../x": b"x"}),
            "leads out of the folder",
        ),
        "absolute": (zipped({"/etc/data.pkl": one}), "leads out of the folder"),
        "backslash": (
            zipped({"a/data.pkl": one, "a\\..\\x": b""}),
            "leads out of the folder",
        ),
        "drive": (zipped({"C:/data.pkl": one}), "leads out of the folder"),
        "bomb": (
            zipped({"a/data.pkl": one, "a/data/0": bytes(50 << 20)}, zipfile.ZIP_DEFLATED),
            "is compressed or encrypted",
        ),
        "two of a name": (two.replace(b"a/data/1", b"a/data/0"), "two entries named a/data/0"),
        "no pickle": (zipped({"a/x": b"x"}), "a zip, but not one of torch.save"),
        "two folders": (
            zipped({"a/data.pkl": one, "b/x": b"x"}),
            "a zip, but not one of torch.save",
        ),
        "torchscript": (zipped({"a/data.pkl": one, "a/code/x.py": b"x"}), "a TorchScript program"),
        "big-endian zip": (
            zipped({"a/data.pkl": one, "a/byteorder": b"big"}),
            "written on a big-endian machine",
        ),
        "system in a zip": (
            zipped({"a/data.pkl": pickled(Call("os system", ("true",)), protocol=2)}),
            r"names os\.system,",
        ),
        "tail of a pickle": (zipped({"a/data.pkl": one + b"xx"}), "goes on for 2 bytes"),
    }


def _damaged_zips() -> dict[str, tuple[bytes, str]]:
    storage = Outside(("storage", Name("torch FloatStorage"), "0", "cpu", 4))
    tensor = pickled(writer.rebuilt(torch.ones(4), storage), protocol=2)
    good = {"archive/data.pkl": tensor, "archive/data/0": np.ones(4, "<f4").tobytes()}
    whole = zipped(good)
    directory = whole.index(b"PK\x01\x02")
    overlap = bytearray(whole)
    second = whole.index(b"PK\x01\x02", directory + 4)
    overlap[second + 42 : second + 46] = struct.pack("<I", 0)
    return {
        "no entry": (whole.replace(b"archive/data/0", b"archive/data/1"), "got no entry"),
        "overlap": (bytes(overlap), "entries overlap"),
        "short entry": (
            zipped({**good, "archive/data/0": b"1234"}),
            "storage 0: got 4 bytes, expected 4 elements of torch.float32",
        ),
        "entry claims more": (
            whole[:directory]
            + whole[directory:].replace(struct.pack("<II", 16, 16), struct.pack("<II", 9999, 9999)),
            "claims 9,999 bytes, more than it holds",
        ),
        "truncated zip": (whole[:-30], "it has no directory"),
        "zip with a tail": (whole + b"x", "does not end with its directory"),
        "many entries": (
            b"PK\x03\x04" + b"\0" * 40 + b"PK\x05\x06" + struct.pack("<4H2LH", 0, 0, 9, 9, 0, 0, 0),
            "its zip is damaged",
        ),
    }


def zipped(entries: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    """A zip of these entries."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return file.getvalue()
