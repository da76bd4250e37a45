"""`regen.training.state_digest`: equal states have equal digests, others do not."""

from __future__ import annotations

import io
import math
from collections import OrderedDict

import pytest
import torch

from regen.training.state_digest import state_digest

STATES = [
    {},
    [],
    None,
    0,
    0.0,
    False,
    "",
    b"",
    [[]],
    [[], []],
    {"a": 1},
    {"b": 1},
    {"a": 1.0},
    {"a": True},
    {"a": "1"},
    {1: "a"},
    {"a": 1, "b": 2},
    {"b": 2, "a": 1},
    ["a", "b"],
    ["ab"],
    [["a"], "b"],
    -0.0,
    math.nan,
    "\ud800",
    torch.zeros(2),
    torch.zeros(1, 2),
    torch.zeros(2, dtype=torch.float64),
    torch.zeros(1, dtype=torch.float64),
    torch.zeros(2, dtype=torch.bfloat16),
    torch.tensor([0.0, -0.0]),
    torch.tensor(0.0),
    torch.empty(0),
    torch.empty(0, 3),
]


def test_states_that_differ_have_digests_that_differ() -> None:
    digests = [state_digest(state) for state in STATES]
    assert len(set(digests)) == len(STATES)


def test_a_state_that_was_saved_and_read_has_the_same_digest() -> None:
    # torch does not read empty bytes back
    nested = [state for state in STATES if not isinstance(state, bytes)]
    state = {"nested": nested, "transposed": torch.rand(3, 4).t(), "betas": (0.9, 0.99)}
    file = io.BytesIO()
    torch.save(OrderedDict(state), file)
    file.seek(0)
    assert state_digest(torch.load(file, weights_only=True)) == state_digest(state)


def test_what_has_no_place_in_a_state_is_a_bug() -> None:
    with pytest.raises(TypeError, match="complex has no place in a checkpoint"):
        state_digest({"a": [1j]})
