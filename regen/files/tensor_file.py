"""Tensors in files that say what they are, and are believed only after a check.

Tensors travel as safetensors with one JSON *header* that says what they are:

    {"format": "rewrite", "version": 1, "family": "stylegan2", "settings": {...},
     "base": "<digest>", "provenance": "...", "licence": "...", "digest": "<digest>"}

``format`` and ``version`` are required, ``digest`` is added by `save` and verified by `load`, the
rest belongs to whoever writes the format. Equal tensors and headers give equal bytes.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from regen.errors import StoreError
from regen.files.addresses import not_there
from regen.files.atomic import write_bytes
from regen.files.budget import LONGEST_HEADER_BYTES
from regen.files.json_text import parse_json
from regen.files.safetensors_head import METADATA, parse_head

Header = dict[str, Any]

_LONGEST_REASON = 200  # of the library that reads the tensors


@dataclass(frozen=True)
class Stored:
    """What a file held: tensors by name, on the CPU, and the header that describes them."""

    tensors: dict[str, Tensor]
    header: Header


def digest(tensors: Mapping[str, Tensor]) -> str:
    """SHA-256, in hex, of names, dtypes, shapes and values.

    The order of the mapping, the device and the memory format of a tensor make no difference.
    """
    state = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        state.update(f"{name}\0{tensor.dtype}\0{list(tensor.shape)}\0".encode())
        state.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return state.hexdigest()


def save(path: Path | str, tensors: Mapping[str, Tensor], header: Mapping[str, Any]) -> Header:
    """Write tensors and header to one safetensors file, all or nothing.

    Args:
        path: The file, replaced if it exists.
        tensors: Any dtypes and shapes, on any device.
        header: JSON values with at least ``format`` (text) and ``version`` (integer from 1).

    Returns:
        The header as written, which is the given one with the ``digest`` of the tensors.

    Raises:
        StoreError: If the header lacks what it must have, or the file cannot be written.
    """
    complete: Header = {**header, "digest": digest(tensors)}
    _check_header(path, complete)
    plain = {name: tensors[name].detach().cpu().contiguous().clone() for name in sorted(tensors)}
    write_bytes(path, safetensors.torch.save(plain, metadata={"regen": _text(complete)}))
    return complete


def _text(header: Header) -> str:
    """A header as JSON; names of files may hold halves of characters, which are escaped."""
    text = json.dumps(header, sort_keys=True, ensure_ascii=False, allow_nan=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(header, sort_keys=True, allow_nan=False)
    return text


def read_header(path: Path | str, *, format: str | None = None, version: int = 1) -> Header:
    """The header of a file, without its tensors. Arguments and errors are those of `load`."""
    with _opened(path) as file:
        return _read_header(path, file, format, version)


def load(path: Path | str, *, format: str | None = None, version: int = 1) -> Stored:
    """Read a file back and verify it.

    Args:
        path: A file written by `save`.
        format: The format it must have, or None for any.
        version: The newest version of that format that the caller understands.

    Raises:
        StoreError: If the file is missing, not ours, of another format, newer than we are,
            truncated, or if its tensors are not those that were saved.
    """
    with _opened(path) as file:
        header = _read_header(path, file, format, version)
        tensors = _read_tensors(path, file)
    if digest(tensors) != header.get("digest"):
        raise damaged(path, "its tensors are not those that were saved")
    return Stored(tensors, header)


def has_header(path: Path | str) -> bool:
    """Whether a safetensors file has a header of regen's. Raises StoreError if it is damaged."""
    with _opened(path) as file:
        return _stored_header(read_head(path, file)) is not None


def foreign_tensors(path: Path | str, file: BinaryIO) -> dict[str, Tensor] | None:
    """The tensors of a safetensors file of another tool, on the CPU, verified by nothing.

    Args:
        path: Its name, for messages.
        file: The file, open for reading.

    Returns:
        By name; None for a file with a header of regen's, which `load` and `TensorParts` read.

    Raises:
        StoreError: If it is damaged, or not a safetensors file.
    """
    file.seek(0)
    if _stored_header(read_head(path, file)) is not None:
        return None
    return _read_tensors(path, file)


def check_tensors(
    got: Mapping[str, Tensor], expected: Mapping[str, Tensor], what: str, *, cast: bool = True
) -> dict[str, Tensor]:
    """Compare names, shapes and dtypes, and give `got` in the dtypes of `expected`.

    Args:
        got: Tensors as they were read.
        expected: Tensors of the right names, shapes and dtypes; their values are not used.
        what: Begins the message, "eyes.safetensors" for instance.
        cast: Accept one floating dtype for another (half for float) and convert.

    Raises:
        StoreError: Naming the first five of the tensors that are missing, unexpected or different.
    """
    faults = [f"{name} is missing" for name in expected if name not in got]
    faults += [f"{name} is unexpected" for name in got if name not in expected]
    for name in (name for name in expected if name in got):
        mine, other = got[name], expected[name]
        same_kind = cast and mine.is_floating_point() and other.is_floating_point()
        if mine.shape != other.shape:
            faults.append(f"{name} is {list(mine.shape)}, expected {list(other.shape)}")
        elif mine.dtype != other.dtype and not same_kind:
            faults.append(f"{name} is {_dtype(mine)}, expected {_dtype(other)}")
    if faults:
        more = f", and {len(faults) - 5} more" if len(faults) > 5 else ""
        raise StoreError(
            f"{what} does not fit: {', '.join(faults[:5])}{more}",
            remedy="it was made for another network, or with other settings",
        )
    return {name: got[name].to(other.dtype) for name, other in expected.items()}


def _dtype(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _a(noun: str) -> str:
    return f"an {noun}" if noun[:1] in "aeiou" else f"a {noun}"


def damaged(path: Path | str, why: str) -> StoreError:
    """The error of a file that is not as it was written."""
    return StoreError(f"{path} is damaged: {why}", remedy="make the file again or copy it again")


@contextmanager
def _opened(path: Path | str) -> Iterator[BinaryIO]:
    try:
        if not Path(path).exists():
            raise not_there(path, StoreError)
        if not Path(path).is_file():
            raise StoreError(f"{path} is not a file", expected="a .safetensors file of regen")
        with Path(path).open("rb") as file:
            yield file
    except OSError as error:
        reason = error.strerror or error
        raise StoreError(f"cannot read {path}: {reason}", remedy="check the file") from error
    except MemoryError as error:
        raise StoreError(
            f"{path} needs more memory than there is", remedy="use a machine with more"
        ) from error


def read_head(path: Path | str, file: BinaryIO) -> dict[str, Any]:
    """The JSON at the start of any safetensors file; afterwards `file` stands where data begin."""
    total = os.fstat(file.fileno()).st_size
    start = file.read(9)
    if len(start) < 9 or start[8:] != b"{":
        raise StoreError(f"{path} is not a safetensors file", expected="a file written by regen")
    (length,) = struct.unpack("<Q", start[:8])
    if length > total - 8:
        raise damaged(path, f"truncated at {total} bytes, inside its header")
    if length > LONGEST_HEADER_BYTES:
        raise damaged(path, f"its header of {length:,} bytes is too long")
    try:
        head, data_bytes = parse_head(b"{" + file.read(length - 1))
    except ValueError as error:
        raise damaged(path, f"its header cannot be read ({error})") from error
    if total < 8 + length + data_bytes:
        raise damaged(path, f"truncated at {total} bytes of {8 + length + data_bytes}")
    return head


def _read_tensors(path: Path | str, file: BinaryIO) -> dict[str, Tensor]:
    file.seek(0)
    try:
        return safetensors.torch.load(file.read())
    except (SafetensorError, ValueError, KeyError, RuntimeError) as error:
        raise damaged(path, str(error)[:_LONGEST_REASON]) from error


def _stored_header(head: Mapping[str, Any]) -> object:
    """What stands where regen's header stands, None where nothing does."""
    metadata = head.get(METADATA)
    return metadata.get("regen") if isinstance(metadata, dict) else None


def _read_header(path: Path | str, file: BinaryIO, format: str | None, version: int) -> Header:
    return checked_header(path, read_head(path, file), format, version)


def checked_header(
    path: Path | str, head: Mapping[str, Any], format: str | None, version: int
) -> Header:
    """regen's header out of what `read_head` gave. Arguments and errors are those of `load`."""
    text = _stored_header(head)
    if text is None:
        raise StoreError(
            f"{path} is a safetensors file, but not one of regen's",
            remedy="`regen convert` reads the formats of other tools",
        )
    try:
        header = parse_json(text if isinstance(text, str) else "")
    except ValueError as error:
        raise damaged(path, f"its header cannot be read ({error})") from error
    _check_header(path, header)
    if format is not None and header["format"] != format:
        raise StoreError(str(path), got=_a(header["format"]), expected=_a(format))
    if header["version"] > version:
        raise StoreError(
            f"{path}: version of the {header['format']} format",
            got=header["version"],
            expected=f"at most {version}",
            remedy="update regen",
        )
    return dict(header)


def _check_header(path: Path | str, header: object) -> None:
    if not isinstance(header, dict):
        raise damaged(path, "its header is not an object")
    if not isinstance(header.get("format"), str) or not header["format"]:
        raise StoreError(f"{path}: header", expected="a format, as text")
    version = header.get("version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise StoreError(f"{path}: header: version", got=version, expected="an integer from 1")
