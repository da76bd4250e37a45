"""The table of tolerances: rounding passes, anything more does not."""

from __future__ import annotations

import pytest
import torch

from tests.tolerances import DTYPES, TOLERANCES, assert_near


@pytest.mark.parametrize("dtype", DTYPES)
def test_rounding_passes_and_a_difference_does_not(dtype: torch.dtype) -> None:
    wanted = torch.rand(1000, dtype=torch.float64) + 0.5
    rounded = wanted.to(dtype).double()
    assert_near(rounded, wanted, dtype)
    rtol, atol = TOLERANCES[dtype]
    assert torch.finfo(dtype).eps < rtol < 1e5 * torch.finfo(dtype).eps
    with pytest.raises(AssertionError):
        assert_near(wanted * (1 + 3 * max(rtol, atol)), wanted, dtype)


def test_large_sums_may_be_further_apart() -> None:
    zero = torch.zeros(1)
    assert_near(zero + 5e-4, zero, size=100.0)
    with pytest.raises(AssertionError):
        assert_near(zero + 5e-4, zero)
