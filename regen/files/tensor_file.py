"""Tensors in files that say what they are, and are believed only after a check.

They travel as safetensors with the header of `regen.files.tensor_header`. Its ``digest`` is added
by `save` and verified by `load`. Equal tensors and headers give equal bytes.
"""

from __future__ import annotations

import hashlib
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
from regen.files.tensor_header import (
    Header,
    check_header,
    checked_header,
    damaged,
    header_text,
    read_head,
    stored_header,
)

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
    check_header(path, complete)
    plain = {name: tensors[name].detach().cpu().contiguous().clone() for name in sorted(tensors)}
    write_bytes(path, safetensors.torch.save(plain, metadata={"regen": header_text(complete)}))
    return complete


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
        return stored_header(read_head(path, file)) is not None


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
    if stored_header(read_head(path, file)) is not None:
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


def _read_tensors(path: Path | str, file: BinaryIO) -> dict[str, Tensor]:
    file.seek(0)
    try:
        return safetensors.torch.load(file.read())
    except (SafetensorError, ValueError, KeyError, RuntimeError) as error:
        raise damaged(path, str(error)[:_LONGEST_REASON]) from error


def _read_header(path: Path | str, file: BinaryIO, format: str | None, version: int) -> Header:
    return checked_header(path, read_head(path, file), format, version)
