"""`regen.errors`: one line that names what is wrong and does nothing to a terminal."""

import pytest

from regen.errors import RegenError, StoreError, printable


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
def test_what_cannot_be_printed_is_escaped(text, shown):
    assert printable(text) == shown
    for error in (
        RegenError(text),
        StoreError("file", got=text),
        StoreError("file", expected=text),
        StoreError("file", remedy=text),
    ):
        assert shown in str(error) and str(error).isprintable()
        assert str(error).encode()


def test_a_long_value_is_cut():
    message = str(RegenError("key", got="x" * 5_000_000, expected="less"))
    assert message == f"key: got {'x' * 297}..., expected less"
    assert str(RegenError("key", got="x" * 300)) == f"key: got {'x' * 300}"
