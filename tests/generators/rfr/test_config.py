"""The architecture of an RFR network: what it says, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest

from regen.errors import GeneratorError
from regen.generators.rfr.config import NORMS, RFRConfig


def test_the_defaults_are_those_of_the_original() -> None:
    assert RFRConfig() == RFRConfig(width=64, kernel=7, rounds=6, size=256)
    assert RFRConfig(width=16).channels == (16, 32, 64, 128)


def test_counts_of_batches_become_a_tuple() -> None:
    assert RFRConfig(batches=[3] * NORMS).batches == (3,) * NORMS  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"width": 12}, "width: got 12, expected a multiple of 8"),
        ({"width": 0}, "width: got 0, expected an integer from 8 to "),
        ({"width": 1 << 40}, "width: got 1099511627776, expected an integer from 8 to "),
        ({"kernel": 4}, "kernel: got 4, expected 3, 5 or 7"),
        ({"kernel": 9}, "kernel: got 9, expected an integer from 3 to 7"),
        ({"rounds": 0}, "rounds: got 0, expected an integer from 1 to 64"),
        ({"rounds": True}, "rounds: got True, expected an integer from 1 to 64"),
        ({"size": 4096}, "size: got 4096, expected an integer from 16 to 704"),
        ({"size": 64.0}, "size: got 64.0, expected an integer"),
        ({"batches": (1, 2)}, "batches: got (1, 2), expected 0 or 18 integers"),
        ({"batches": (-1,) * NORMS}, "batches of a norm: got -1, expected an integer from 0"),
    ],
)
def test_what_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(GeneratorError) as error:
        RFRConfig(**changes)
    assert str(error.value).startswith(message)
