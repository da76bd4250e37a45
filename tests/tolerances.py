"""How far numbers may be apart that should be equal but for rounding: one table, by dtype.

A test that needs to be more exact than this says so with numbers of its own; a test that allows
more compares what is not equal in exact arithmetic either, such as half precision with single.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Tolerance(NamedTuple):
    """|got - wanted| may be at most ``atol + rtol * |wanted|``, where numbers are about 1."""

    rtol: float
    atol: float


TOLERANCES = {
    torch.float64: Tolerance(1e-11, 1e-11),
    torch.float32: Tolerance(1e-5, 1e-5),
    torch.float16: Tolerance(4e-3, 4e-3),
    torch.bfloat16: Tolerance(3e-2, 3e-2),
}
DTYPES = list(TOLERANCES)


def assert_near(
    got: Tensor, wanted: Tensor, dtype: torch.dtype | None = None, size: float = 1.0
) -> None:
    """Assert that two tensors are equal but for the rounding of a dtype.

    Args:
        got: What was computed.
        wanted: Of the same dtype and shape.
        dtype: That `got` was computed in; by default its own.
        size: How large the numbers are that were summed on the way.
    """
    rtol, atol = TOLERANCES[dtype or got.dtype]
    torch.testing.assert_close(got, wanted, rtol=rtol, atol=atol * size)
