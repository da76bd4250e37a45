"""Messages of errors: what was got, what was expected, what to do; one printable line."""

from __future__ import annotations

import inspect

import pytest

from regen import errors
from regen.errors import EditsError, ImageError, RegenError, StoreError, printable, within

KINDS = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if kind.__module__ == errors.__name__
]


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


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain é 猫 text", "plain é 猫 text"),
        ("a\nb\r\tc", r"a\nb\r\tc"),
        ("\x1b]0;title\x07\x1b[2J", r"\x1b]0;title\x07\x1b[2J"),
        ("\x7f\x85\x9b31m", r"\x7f\x85\x9b31m"),
        ("\u202egnp.exe\u2066\u200f\u061c", r"\u202egnp.exe\u2066\u200f\u061c"),
        ("\u2028\u2029\ufeff\U000e0041", r"\u2028\u2029\ufeff\U000e0041"),
        ("\ud800 \udce9", r"\ud800 \udce9"),
    ],
)
def test_what_cannot_be_printed_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown
    for error in (
        RegenError(text),
        StoreError("file", got=text),
        StoreError("file", expected=text),
        StoreError("file", remedy=text),
    ):
        assert shown in str(error) and str(error).isprintable()
        assert str(error).encode()


def test_a_long_value_is_cut() -> None:
    message = str(RegenError("key", got="x" * 5_000_000, expected="less"))
    assert message == f"key: got {'x' * 297}..., expected less"
    assert str(RegenError("key", got="x" * 300)) == f"key: got {'x' * 300}"


def test_a_place_is_put_before_an_error() -> None:
    for kind, raised in ((None, ImageError), (EditsError, EditsError)):
        with pytest.raises(RegenError) as caught, within("e.json: edits[0]", kind):
            raise ImageError("cat.png", got=1, expected="2", remedy="do it")
        assert type(caught.value) is raised
        assert str(caught.value) == "e.json: edits[0]: cat.png: got 1, expected 2; do it"


@pytest.mark.parametrize("place", ["e.json: value_layer", "e.json: fit.value_layer", "value_layer"])
@pytest.mark.parametrize("problem", ["value layer", "value_layer"])
def test_what_the_place_names_is_not_said_twice(place: str, problem: str) -> None:
    with pytest.raises(RegenError) as caught, within(place):
        raise RegenError(problem, got=1)
    assert str(caught.value) == f"{place}: got 1"
