"""Tensors: storages, and the views that they are seen through.

A storage becomes a flat tensor of its dtype. A view is checked with Python's integers, which do not
overflow, before torch sees it. Letters: a view has *sizes* and *strides*, in elements, one of each
per axis, and begins at *offset*.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from regen.errors import UnpicklingError
from regen.files.budget import (
    LARGEST_SIZE,
    MOST_AXES,
    MOST_REPEATED_ELEMENTS,
    TENSOR_STEPS,
    Budget,
    fits,
)
from regen.unpickling.containers import block_of, refuse_arguments
from regen.unpickling.source import Span
from regen.unpickling.values import Context, Global, kind

STORAGE_DTYPES = {
    "BFloat16Storage": torch.bfloat16,
    "BoolStorage": torch.bool,
    "ByteStorage": torch.uint8,
    "CharStorage": torch.int8,
    "ComplexDoubleStorage": torch.complex128,
    "ComplexFloatStorage": torch.complex64,
    "DoubleStorage": torch.float64,
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "IntStorage": torch.int32,
    "LongStorage": torch.int64,
    "ShortStorage": torch.int16,
    "UntypedStorage": torch.uint8,
}
_DTYPE_NAMES = [f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)]
_DTYPE_NAMES += ["float16", "float32", "float64", "bfloat16", "complex64", "complex128", "bool"]
_DTYPE_NAMES += ["float8_e4m3fn", "float8_e5m2", "half", "float", "double", "short", "int", "long"]
DTYPES = {name: getattr(torch, name) for name in _DTYPE_NAMES}


def storage_dtype(storage_class: object) -> torch.dtype:
    """The dtype of a storage class that a file names, `torch.FloatStorage` for instance."""
    name = storage_class.global_name if isinstance(storage_class, Global) else ""
    dtype = STORAGE_DTYPES.get(name.rpartition(".")[2])
    if dtype is None:
        raise UnpicklingError(f"it is damaged: a storage is {kind(storage_class)}")
    return dtype


def allocated(count: int, budget: Budget) -> Tensor:
    """So many bytes that are paid for, as a flat uint8 tensor.

    Raises:
        MemoryError: If there are not so many.
    """
    budget.spend(count)
    try:
        return torch.empty(count, dtype=torch.uint8)
    except RuntimeError as error:  # which is how torch says it
        raise MemoryError(f"{count:,} bytes") from error


def read_block(data: Span, budget: Budget) -> Tensor:
    """Bytes of a file as a flat uint8 tensor with memory of its own."""
    flat = allocated(len(data), budget)
    if len(data):
        data.fill(flat.numpy().data)
    return flat


def view(storage: object, offset: object, sizes: object, strides: object) -> Tensor:
    """A view of a storage.

    Args:
        storage: Must be a flat tensor [n].
        offset, sizes, strides: Must be integers from 0 that keep the view inside of it.

    Raises:
        UnpicklingError: If they are not, or if the view is far larger than its storage.
    """
    storage = _checked_storage(storage)
    sizes, strides = _integers(sizes), _integers(strides)
    (start,) = _integers((offset,))
    if len(sizes) != len(strides):
        raise UnpicklingError("it is damaged: a tensor has not one stride for each of its sizes")
    if not fits(sizes):
        raise UnpicklingError(f"a tensor of sizes {list(sizes)} is too large")
    count, elements = math.prod(sizes), storage.numel()
    last = start + sum((size - 1) * step for size, step in zip(sizes, strides, strict=True))
    if count and last >= elements or start > elements:
        raise UnpicklingError(
            f"a tensor of sizes {list(sizes)} and strides {list(strides)} at {start:,} reaches "
            f"outside of its storage of {elements:,} elements"
        )
    if count > max(elements, MOST_REPEATED_ELEMENTS):
        raise UnpicklingError(
            f"a tensor of {count:,} elements has a storage of {elements:,}",
            remedy="write the file again with contiguous tensors",
        )
    return torch.as_strided(storage, sizes, strides, storage.storage_offset() + start)


def _checked_storage(storage: object) -> Tensor:
    if not isinstance(storage, Tensor) or storage.dim() != 1 or not storage.is_contiguous():
        raise UnpicklingError(f"it is damaged: a tensor lies in {kind(storage)}")
    return storage


def _integers(values: object) -> tuple[int, ...]:
    if not isinstance(values, tuple | list):
        raise UnpicklingError(f"it is damaged: the sizes of a tensor are {kind(values)}")
    if len(values) > MOST_AXES:
        raise UnpicklingError(
            f"it is damaged: a tensor has {len(values):,} sizes", expected=f"at most {MOST_AXES}"
        )
    for value in values:
        if type(value) is not int or not 0 <= value <= LARGEST_SIZE:
            raise UnpicklingError(
                "a size, stride or offset of a tensor is negative, too large or not a number"
            )
    return tuple(values)


def nested_storage(context: Context, name: str, arguments: tuple[Any, ...]) -> object:
    """`torch.storage._load_from_bytes`: a storage as a torch file inside of the pickle."""
    if len(arguments) != 1:
        refuse_arguments(name)
    return context.load_nested(block_of(context.budget, arguments[0], "a torch file inside of it"))


def tensor(context: Context, name: str, arguments: tuple[Any, ...]) -> Tensor:
    """`torch._utils._rebuild_tensor` in its versions. Whether it required gradients is dropped.

    A file may hold a storage once and view it often. Whoever uses the views may copy each of them,
    so each has its price.
    """
    version = name.rpartition("_v")[2]
    least, most = {"2": (6, 7), "3": (7, 8)}.get(version, (4, 4))
    if not least <= len(arguments) <= most:
        refuse_arguments(name)
    storage, offset, sizes, strides = arguments[:4]
    marks = arguments[-1] if version in ("2", "3") and len(arguments) == most else None
    if marks is not None and (type(marks) is not dict or marks):
        raise UnpicklingError("it holds a tensor that is marked as conjugate or negative")
    if version == "3":
        storage = _as_dtype(storage, arguments[6])
    context.budget.work(TENSOR_STEPS)
    made = view(storage, offset, sizes, strides)
    context.budget.spend(made.numel() * made.element_size())
    return made


def _as_dtype(storage: object, dtype: object) -> Tensor:
    if not isinstance(dtype, torch.dtype):
        raise UnpicklingError("it is damaged: a tensor has no dtype")
    return typed(_checked_storage(storage).view(torch.uint8), dtype)


def typed(flat: Tensor, dtype: torch.dtype) -> Tensor:
    """A flat uint8 tensor as one of another dtype, sharing its memory."""
    if flat.numel() % dtype.itemsize or flat.storage_offset() % dtype.itemsize:
        raise UnpicklingError(
            f"it is damaged: a storage of {flat.numel():,} bytes is not a whole number of {dtype}"
        )
    return flat.view(dtype)


def parameter(context: Context, name: str, arguments: tuple[Any, ...]) -> Tensor:
    """`torch._utils._rebuild_parameter` of a tensor: that tensor."""
    if len(arguments) not in (3, 4) or not isinstance(arguments[0], Tensor):
        refuse_arguments(name)
    return arguments[0]


def parameter_of(context: Context, name: str, arguments: tuple[Any, ...]) -> Tensor:
    """`torch.nn.parameter.Parameter`, called or made with a tensor: that tensor."""
    if not 1 <= len(arguments) <= 2 or not isinstance(arguments[0], Tensor):
        refuse_arguments(name)
    return arguments[0]


def subclassed(context: Context, name: str, arguments: tuple[Any, ...]) -> object:
    """`torch._tensor._rebuild_from_type_v2(function, class, arguments, state)`: just the tensor."""
    if len(arguments) != 4 or type(arguments[2]) is not tuple:
        refuse_arguments(name)
    function = arguments[0]
    if not isinstance(function, Global) or function.construct not in (tensor, parameter):
        refuse_arguments(name)
    return function.construct(context, function.global_name, arguments[2])


def size(context: Context, name: str, arguments: tuple[Any, ...]) -> tuple[int, ...]:
    """`torch.Size`: a tuple."""
    if len(arguments) != 1:
        refuse_arguments(name)
    return _integers(arguments[0])
