"""Whatever a page sends is understood, or refused in one line."""

from __future__ import annotations

from typing import Any

import pytest

from regen.editor import messages
from regen.editor.messages import MessageError, parse


def test_a_message_is_an_object_that_says_what_to_do() -> None:
    assert parse('{"do": "undo"}') == {"do": "undo"}


@pytest.mark.parametrize(
    "text", ["", "[]", "1", "null", '{"do": 1}', "{}", '{"do": NaN}', "[" * 100_000, "\x00", "é"]
)
def test_anything_else_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(MessageError) as refused:
        parse(text)
    assert str(refused.value).isprintable() and len(str(refused.value)) < 200


@pytest.mark.parametrize("value", [None, "1", True, 2.5, -1.5, 10**400, float("inf"), float("nan")])
def test_numbers_are_numbers_in_their_range(value: Any) -> None:
    with pytest.raises(MessageError, match="^strength: got .*, expected a number from -1 to 1.5$"):
        messages.number({"strength": value}, "strength", -1, 1.5)
    assert messages.number({"x": 1}, "x", 0, 1) == 1.0


@pytest.mark.parametrize("value", [None, 1.0, True, -1, 10])
def test_whole_numbers(value: Any) -> None:
    with pytest.raises(MessageError, match="expected a whole number from 0 to 9"):
        messages.integer({"n": value}, "n", 0, 9)
    assert messages.integer({"n": 9}, "n", 0, 9) == 9


def test_texts_flags_and_choices() -> None:
    assert messages.text({"t": "a"}, "t") == "a" and messages.flag({"f": False}, "f") is False
    assert messages.choice({"c": "b"}, "c", ("a", "b")) == "b"
    for function, value in (
        (messages.text, ""),
        (messages.text, "x" * 201),
        (messages.text, 1),
        (messages.flag, 1),
        (lambda m, k: messages.choice(m, k, ("a", "b")), "c"),
    ):
        with pytest.raises(MessageError, match="^k: got"):
            function({"k": value}, "k")


def test_points_may_lie_outside_but_are_points() -> None:
    assert messages.points({"p": [[-1, 2.5]]}, "p", 1) == ((-1.0, 2.5),)
    for value in ([], [[1]], [[1, "2"]], [[1, 2, 3]], {}, [[1e9, 0]], [[0, 0]] * 4001):
        with pytest.raises(MessageError, match="^p: got"):
            messages.points({"p": value}, "p", 1)


def test_a_mask_is_a_png_of_bounded_size() -> None:
    assert messages.mask_uri({"m": "data:image/png;base64,AA"}, "m")
    too_large = "data:image/png;base64," + "A" * 3_000_001
    for value in (None, "file:///etc/passwd", "data:image/svg+xml;base64,AA", too_large):
        with pytest.raises(MessageError, match="^m: got"):
            messages.mask_uri({"m": value}, "m")
