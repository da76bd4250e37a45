"""Messages of errors: what was got, what was expected, what to do."""

from __future__ import annotations

import inspect

import pytest

from regen import errors
from regen.errors import RegenError

KINDS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass)]


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({}, "x.json: size"),
        ({"got": 3}, "x.json: size: got 3"),
        ({"got": 0, "expected": "1 or 2"}, "x.json: size: got 0, expected 1 or 2"),
        ({"expected": "1"}, "x.json: size: expected 1"),
        ({"remedy": "check it"}, "x.json: size; check it"),
        ({"got": "", "expected": "a", "remedy": "b"}, "x.json: size: got , expected a; b"),
    ],
)
def test_a_message_is_made_of_its_parts(parts: dict[str, object], message: str) -> None:
    error = RegenError("x.json: size", **parts)  # type: ignore[arg-type]
    assert str(error) == message
    kept = {name: getattr(error, name) for name in ("problem", "got", "expected", "remedy")}
    nothing = dict.fromkeys(("got", "expected", "remedy"))
    assert kept == {"problem": "x.json: size", **nothing, **parts}


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_is_caught_as_one_of_regen(kind: type[RegenError]) -> None:
    with pytest.raises(RegenError, match="^a: got 1$"):
        raise kind("a", got=1)
    assert kind.__doc__ and kind.__module__ == "regen.errors"
