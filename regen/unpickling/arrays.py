"""numpy's arrays and numbers, of dtypes that are plain memory: never of Python objects.

A dtype comes in two halves, `dtype("f4", False, True)` and a state with the byte order, and stays
an `Instance` until an array needs it. An array comes in two halves as well: an empty one, which is
`Pending`, and its state.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from regen.errors import UnpicklingError
from regen.files.budget import ARRAY_STEPS, MOST_AXES, Budget, fits
from regen.unpickling.containers import block_of, refuse_arguments
from regen.unpickling.source import Span
from regen.unpickling.values import Context, Global, Instance, Pending, kind, shown

_CODES = frozenset(f"{kind}{size}" for kind in "iu" for size in (1, 2, 4, 8))
_CODES |= {"b1", "f2", "f4", "f8", "c8", "c16"}
NUMBERS = [f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)]
NUMBERS += ["bool", "bool_", "float16", "float32", "float64", "complex64", "complex128"]
_ORDERS = frozenset("<>=|")


def pending_array(context: Context, name: str, arguments: tuple[Any, ...]) -> Pending:
    """`numpy.core.multiarray._reconstruct(ndarray, (0,), b"b")`: the first half of an array."""
    of = arguments[0] if len(arguments) == 3 else None
    if not isinstance(of, Global) or of.global_name != "numpy.ndarray":
        refuse_arguments(name)
    return Pending(name, complete=_complete_array)


def _complete_array(context: Context, state: Any) -> np.ndarray[Any, Any]:
    if type(state) is not tuple or len(state) not in (4, 5):
        raise UnpicklingError("it is damaged: an array has an unusual state")
    shape, dtype, fortran, data = state[-4:]
    if type(fortran) not in (bool, int):
        raise UnpicklingError("it is damaged: an array has an unusual order")
    return _array(context.budget, shape, dtype, fortran == 1, data)


def array_from_buffer(
    context: Context, name: str, arguments: tuple[Any, ...]
) -> np.ndarray[Any, Any]:
    """`numpy.core.numeric._frombuffer(data, dtype, shape, order)`: an array in protocol 5.

    An array whose axes lie in another order in memory has order "K" and, fifth, the axes.
    """
    if len(arguments) not in (4, 5) or type(arguments[3]) is not str:
        refuse_arguments(name)
    data, dtype, shape, order = arguments[:4]
    axes = arguments[4] if len(arguments) == 5 else None
    if order not in ("C", "F", "K") or (order == "K") != (axes is not None):
        refuse_arguments(name)
    array = _array(context.budget, shape, dtype, order == "F", data)
    if axes is None:
        return array
    if type(axes) is not tuple or len(axes) != array.ndim or not fits(axes):
        refuse_arguments(name)
    if sorted(axes) != list(range(array.ndim)):
        refuse_arguments(name)
    transposed: np.ndarray[Any, Any] = array.transpose(axes)
    return transposed


def scalar(context: Context, name: str, arguments: tuple[Any, ...]) -> object:
    """`numpy.core.multiarray.scalar(dtype, data)`: a number."""
    if len(arguments) != 2:
        refuse_arguments(name)
    return _array(context.budget, (), arguments[0], False, arguments[1]).item()


def dtype(context: Context, name: str, arguments: tuple[Any, ...]) -> Instance:
    """`numpy.dtype(code, align, copy)`; its byte order comes as its state."""
    if not 1 <= len(arguments) <= 3 or not isinstance(arguments[0], str):
        refuse_arguments(name)
    if arguments[0] not in _CODES:
        raise UnpicklingError(
            f"it holds a numpy array of {shown(arguments[0])!r}", expected="numbers"
        )
    return Instance(name, arguments)


def _dtype_of(described: object) -> np.dtype[Any]:
    if type(described) is not Instance or described.global_name != "numpy.dtype":
        raise UnpicklingError(f"it is damaged: the dtype of an array is {kind(described)}")
    code, order = described.arguments[0], "="
    if described.state is not None:
        state = described.state
        usual = type(state) is tuple and len(state) >= 8
        usual = usual and all(part is None for part in state[2:5])
        if not usual or type(state[1]) is not str or state[1] not in _ORDERS:
            raise UnpicklingError("it is damaged: the dtype of an array has an unusual state")
        order = state[1]
    dtype: np.dtype[Any] = np.dtype(order + code)
    return dtype


def _array(
    budget: Budget, shape: Any, described: object, fortran: bool, data: object
) -> np.ndarray[Any, Any]:
    if type(shape) is not tuple or len(shape) > MOST_AXES:
        raise UnpicklingError("it is damaged: an array has an unusual shape")
    if not fits(shape):
        raise UnpicklingError("a size of an array is negative, too large or not a number")
    kind_of = _dtype_of(described)
    block = block_of(budget, data, "the content of an array")
    if math.prod(shape) * kind_of.itemsize != len(block):
        raise UnpicklingError(
            f"an array of shape {list(shape)} and dtype {kind_of}: got {len(block):,} bytes, "
            f"expected {math.prod(shape) * kind_of.itemsize:,}"
        )
    return _filled(budget, shape, kind_of, fortran, block)


def _filled(
    budget: Budget, shape: tuple[int, ...], kind_of: np.dtype[Any], fortran: bool, block: Span
) -> np.ndarray[Any, Any]:
    budget.work(ARRAY_STEPS)
    budget.spend(len(block))
    flat = np.empty(len(block), dtype=np.uint8)
    if len(block):
        block.fill(flat.data)
    array = flat.view(kind_of).reshape(shape, order="F" if fortran else "C")
    return array.astype(kind_of.newbyteorder("="), copy=False)
