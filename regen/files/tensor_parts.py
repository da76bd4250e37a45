"""A tensor file read in parts: its header at once, each tensor on request.

`tensor_file.load` reads and verifies a whole file. Where a file holds more than one thing, a caller
that wants one of them reads only its tensors, and the file is opened once. They are mapped from the
file into memory: what is kept must be copied.
"""

from __future__ import annotations

import math
import mmap
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from io import FileIO
from os.path import isfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from regen.errors import StoreError
from regen.files.addresses import not_there
from regen.files.safetensors_head import METADATA
from regen.files.tensor_header import Header, checked_header, damaged, read_head

_DTYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}
_LONGEST_REASON = 200


class TensorParts:
    """An open tensor file.

    Args:
        path: Its name, for messages.
        file: Open for reading, unbuffered.
        format: The format it must have, or None for any.
        version: The newest version of that format that the caller understands.

    Attributes:
        header: The file's header; its ``digest``, of all tensors, is not verified.

    Raises:
        StoreError: As `tensor_file.read_header`.
    """

    def __init__(
        self, path: Path | str, file: FileIO, *, format: str | None = None, version: int = 1
    ) -> None:
        self.path = path
        file.seek(0)
        head = read_head(path, file)
        self._start = file.tell()
        self.header: Header = checked_header(path, head, format, version)
        self._entries = {name: e for name, e in head.items() if name != METADATA}
        self._mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)

    @property
    def names(self) -> list[str]:
        """Names of all tensors."""
        return list(self._entries)

    def read(self, names: Iterable[str]) -> dict[str, Tensor]:
        """Some of the tensors, on the CPU, mapped from the file.

        They stay readable after the file is closed, but not after it has been changed.

        Raises:
            StoreError: If there is no such tensor, or the file is damaged.
        """
        try:
            return {name: self._tensor(self._entries[name]) for name in names}
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise damaged(
                self.path, f"a tensor cannot be read ({str(error)[:_LONGEST_REASON]})"
            ) from error

    def _tensor(self, entry: Mapping[str, Any]) -> Tensor:
        dtype, shape = _DTYPES[entry["dtype"]], list(entry["shape"])
        first, end = entry["data_offsets"]
        if first == end:
            return torch.empty(shape, dtype=dtype)
        count, start = math.prod(shape), self._start + first  # fitting, as `read_head` has checked
        return torch.frombuffer(self._mapped, dtype=dtype, count=count, offset=start).reshape(shape)


@contextmanager
def open_parts(
    path: Path | str, *, format: str | None = None, version: int = 1
) -> Iterator[TensorParts]:
    """Open a file for as long as its tensors are read.

    Raises:
        StoreError: As `tensor_file.read_header`; and if the file is missing or cannot be read.
    """
    if not isfile(path):  # unlike Path.is_file, it takes names that are too long for the system
        raise not_there(path, StoreError)
    try:
        with Path(path).open("rb", buffering=0) as file:
            yield TensorParts(path, file, format=format, version=version)
    except OSError as error:
        reason = error.strerror or error
        raise StoreError(f"cannot read {path}: {reason}", remedy="check the file") from error
