"""`regen.files.budget`: what may be spent, and when it is spent."""

import math

import pytest

from regen.errors import StoreError, UnpicklingError
from regen.files import budget
from regen.files.budget import Budget, fits, is_finite


def test_bytes_are_those_of_the_file_twice_and_some():
    purse = Budget(1000, UnpicklingError)
    purse.spend(2000 + budget.SPARE_BYTES)
    with pytest.raises(UnpicklingError, match="it grows to far more than its own size when it is"):
        purse.spend(1)


def test_steps():
    purse = Budget(0, StoreError, steps=100)
    purse.work(90)
    purse.scan(10 * budget.SCANNED_PER_STEP)
    with pytest.raises(StoreError, match="too long for a checkpoint: expected what takes at most"):
        purse.work(1)


def test_tuples_as_keys_cost_more_the_more_there_are():
    purse = Budget(0, StoreError)
    counts = []
    for _ in range(1000):
        before = purse.steps_left
        purse.tuple_key()
        counts.append(before - purse.steps_left)
    assert counts == sorted(counts) and counts[0] == 1 and counts[-1] > 100
    with pytest.raises(StoreError):
        for _ in range(10_000):
            purse.tuple_key()


@pytest.mark.parametrize(
    ("sizes", "good"),
    [
        ([], True),
        ([0], True),
        ([1 << 48], True),
        ([1 << 49], False),
        ([1 << 24, 1 << 24], True),
        ([1 << 24, 1 << 25], False),
        ([1 << 24, 0, 1 << 25], False),
        ([1] * 32, True),
        ([1] * 33, False),
        ([2.0], False),
        (["2"], False),
    ],
)
def test_sizes_that_fit(sizes, good):
    assert fits(sizes) is good


@pytest.mark.parametrize(
    ("value", "good"),
    [
        (0, True),
        (-1.5, True),
        (10**308, True),
        (10**309, False),
        (-(10**400), False),
        (math.inf, False),
        (math.nan, False),
        (True, False),
        ("1", False),
        (None, False),
    ],
)
def test_numbers_that_a_float_can_hold(value, good):
    assert is_finite(value) is good
