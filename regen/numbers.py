"""Numbers that a program has at hand, those of NumPy and torch for instance, as plain ones."""

from __future__ import annotations

from operator import index
from typing import Any


def plain(number: object) -> Any:
    """A number of another library as one of Python; all else as it is, to be refused.

    Numbers are what Python itself takes for one: scalars, arrays and tensors without an axis,
    fractions and decimals. Truth values stay truth values, and what is no whole number never
    becomes one. Whoever asks for a number checks its type and range afterwards.

    Example:
        >>> import numpy as np
        >>> plain(np.int64(3)), plain(np.array(0.5)), plain(np.bool_(True)), plain("3")
        (3, 0.5, True, '3')
    """
    if type(number) in (bool, int, float, str, type(None)):
        return number
    try:
        return _plain(number)
    except (TypeError, ValueError, OverflowError, RuntimeError):  # torch raises nearly any
        return number


def _plain(number: Any) -> Any:
    axes = getattr(number, "shape", ())
    if len(axes) == 0 and hasattr(number, "item"):  # an enumeration's `item` is nobody's business
        number = number.item()
    if isinstance(number, (bool, str, bytes)):
        return number
    if hasattr(number, "__index__"):
        return index(number)
    return float(number) if len(axes) == 0 and hasattr(number, "__float__") else number
