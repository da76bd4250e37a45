"""`regen.numbers`: numbers of other libraries become those of Python, and nothing else does."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
import torch

from regen.numbers import plain


@pytest.mark.parametrize(
    "number",
    [
        *(
            np.int64(3),
            np.uint8(3),
            np.array(3),
            torch.tensor(3),
            torch.tensor(3, dtype=torch.uint8),
        ),
        *(torch.tensor([3]), 3),
    ],
)
def test_whole_numbers(number: object) -> None:
    assert (type(plain(number)), plain(number)) == (int, 3)


@pytest.mark.parametrize(
    "number",
    [
        *(np.float16(0.5), np.float32(0.5), np.float64(0.5), np.longdouble(0.5), np.array(0.5)),
        *(torch.tensor(0.5), torch.tensor(0.5, dtype=torch.bfloat16, requires_grad=True)),
        *(Fraction(1, 2), Decimal("0.5"), 0.5),
    ],
)
def test_real_numbers(number: object) -> None:
    assert (type(plain(number)), plain(number)) == (float, 0.5)


@pytest.mark.parametrize("truth", [True, np.bool_(True), np.array(True), torch.tensor(True)])
def test_truth_values_are_no_numbers(truth: object) -> None:
    assert plain(truth) is True


def test_what_is_not_finite_stays_so() -> None:
    assert math.isnan(plain(np.float32("nan"))) and plain(torch.tensor(math.inf)) == math.inf
    assert plain(Decimal(10) ** 400) == math.inf


@pytest.mark.parametrize(
    "other",
    [
        *(None, "3", b"3", [3], object(), 1j, Fraction(10) ** 400),
        *(np.array([0.5]), np.array([1, 2]), torch.tensor([0.5, 1.0]), torch.tensor([])),
        *(torch.tensor(3.0, device="meta"), torch.tensor([3.0]).to_sparse(), torch.nn.Identity()),
    ],
    ids=repr,
)
def test_all_else_is_left_to_be_refused(other: object) -> None:
    assert plain(other) is other


def test_complex_numbers_and_texts_of_numpy_are_none() -> None:
    assert plain(np.complex64(1j)) == 1j and plain(np.str_("3")) == "3"
