"""`regen.rewriting.checks`: types, choices and ranges of settings."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pytest

from regen.errors import RewriteError
from regen.rewriting.checks import check_choice, check_range, check_types


@dataclass(frozen=True)
class Inner:
    """A part."""


@dataclass(frozen=True)
class Some:
    """One field of each kind."""

    count: int = 1
    share: float = 0.5
    flag: bool = True
    name: str = "a"
    mode: Literal["fast", "slow"] = "fast"
    layer: int | None = None
    inner: Inner = field(default_factory=Inner)


@pytest.mark.parametrize(
    "changes",
    [{}, {"share": 1}, {"layer": 3}, {"flag": False}, {"mode": "slow"}, {"count": 2**63 - 1}],
)
def test_what_is_of_its_type(changes: dict[str, Any]) -> None:
    check_types(Some(**changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"count": 1.0}, "count: got 1.0, expected an integer"),
        ({"count": True}, "count: got True, expected an integer"),
        ({"count": "1"}, "count: got '1', expected an integer"),
        ({"count": None}, "count: got None, expected an integer"),
        ({"count": 2**63}, f"count: got {2**63}, expected an integer below {2**63}"),
        ({"share": "0.5"}, "share: got '0.5', expected a number"),
        ({"share": False}, "share: got False, expected a number"),
        ({"share": 10**400}, f"share: got 1{'0' * 296}..., expected a number below {2**63}"),
        ({"flag": 1}, "flag: got 1, expected true or false"),
        ({"name": 1}, "name: got 1, expected text"),
        ({"mode": "fst"}, "mode: got 'fst', expected fast or slow; did you mean 'fast'?"),
        ({"mode": 3}, "mode: got 3, expected fast or slow"),
        ({"layer": "3"}, "layer: got '3', expected an integer"),
        ({"inner": {}}, "inner: got {}, expected Inner"),
    ],
)
def test_what_is_of_another_type(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(RewriteError) as caught:
        check_types(Some(**changes))
    assert str(caught.value) == message


def test_numbers_of_numpy_become_plain_ones() -> None:
    some = Some(count=np.int64(3), share=np.float32(0.25), flag=np.bool_(False), layer=np.uint8(2))
    check_types(some)
    assert some == Some(count=3, share=0.25, flag=False, layer=2)
    for value, kind in ((some.count, int), (some.share, float), (some.flag, bool)):
        assert type(value) is kind
    with pytest.raises(RewriteError, match=r"^count: got 3\.0, expected an integer$"):
        check_types(Some(count=np.float32(3)))  # type: ignore[arg-type]


def test_ranges() -> None:
    check_range(Some(), ("count", "share"))
    check_range(Some(), ("count",), least=1)
    with pytest.raises(RewriteError, match="share: got 0.5, expected 1 or more"):
        check_range(Some(), ("count", "share"), least=1)
    for value in (math.nan, math.inf, -1.0):
        with pytest.raises(RewriteError, match=f"share: got {value}, expected 0 or more"):
            check_range(Some(share=value), ("share",))


def test_a_choice_is_accepted_or_named() -> None:
    check_choice("mode", "a", ("a", "b"))
    with pytest.raises(RewriteError, match="mode: got 'c', expected a or b"):
        check_choice("mode", "c", ("a", "b"))
