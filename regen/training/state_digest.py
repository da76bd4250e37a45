"""A digest of nested plain values and tensors, to tell whether they are those that were saved."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Protocol

import torch
from torch import Tensor


class _Hash(Protocol):
    def update(self, data: bytes | memoryview, /) -> None: ...


def state_digest(value: object) -> str:
    """SHA-256, in hex, of types, names, order, shapes and values.

    Args:
        value: Mappings and sequences, nested, of tensors, numbers, texts, bytes, booleans and None.
            The device of a tensor makes no difference, nor does the class of a mapping, nor
            whether a sequence is a list or a tuple.

    Raises:
        TypeError: If there is anything else; a bug of regen's.
    """
    state = hashlib.sha256()
    _add(state, value)
    return state.hexdigest()


def _add(state: _Hash, value: object) -> None:
    """Add a value so that no two values add the same bytes: kind, size, content."""
    if isinstance(value, Tensor):
        flat = value.detach().cpu().contiguous().reshape(-1)
        _head(state, f"tensor {value.dtype} {list(value.shape)}")
        state.update(flat.view(torch.uint8).numpy().data)
    elif isinstance(value, Mapping):
        _head(state, f"mapping {len(value)}")
        for name, item in value.items():
            _add(state, name)
            _add(state, item)
    elif isinstance(value, (list, tuple)):
        _head(state, f"sequence {len(value)}")
        for item in value:
            _add(state, item)
    elif isinstance(value, bytes):
        _head(state, f"bytes {len(value)}")
        state.update(value)
    elif value is None or isinstance(value, (bool, int, float, str)):
        _head(state, f"{type(value).__name__} {value!r}")
    else:
        raise TypeError(f"{type(value).__name__} has no place in a checkpoint")


def _head(state: _Hash, text: str) -> None:
    data = text.encode("utf-8", "surrogatepass")
    state.update(len(data).to_bytes(8, "little") + data)
