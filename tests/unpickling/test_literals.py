"""Instructions that carry their value with them, and a position that never passes the end."""

import struct

import pytest

from regen.errors import UnpicklingError
from regen.unpickling.literals import LITERALS, Cursor
from regen.unpickling.source import Span
from tests.unpickling.budgets import budget_for


def literal(data):
    """The value of one instruction, which must be all there is."""
    cursor = Cursor(Span.of(data), budget_for(len(data)))
    value = LITERALS[cursor.byte()](cursor)
    cursor.check_end()
    return value


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"N", None),
        (b"\x88", True),
        (b"K\xff", 255),
        (b"M\x01\x02", 0x0201),
        (b"J\xff\xff\xff\xff", -1),
        (b"\x8a\x02\x00\xff", -256),
        (b"\x8b\x01\x00\x00\x00\x7f", 127),
        (b"G" + struct.pack(">d", -0.5), -0.5),
        (b"I01\n", True),
        (b"I-7\n", -7),
        (b"L12L\n", 12),
        (b"F1e3\n", 1000.0),
        (b"X\x02\x00\x00\x00\xc3\xbc", "ü"),
        (b"V\\u20ac\n", "€"),
        (b"S'a\\n\\x41\\\\'\n", "a\nA\\"),
        (b"U\x01\xff", "\xff"),
        (b"C\x02ab", b"ab"),
        (b"\x96\x01\x00\x00\x00\x00\x00\x00\x00a", bytearray(b"a")),
    ],
)
def test_values(data, value):
    found = literal(data)
    assert found == value and type(found) is type(value)


def test_a_large_block_stays_in_the_file():
    found = literal(b"B" + struct.pack("<I", 5000) + b"x" * 5000)
    assert isinstance(found, Span) and (found.start, len(found)) == (5, 5000)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"K", "truncated: it ends at byte 1"),
        (b"M\x01", "2 bytes are announced at byte 1, of which it holds 1"),
        (b"X\xff\xff\xff\xff", "4,294,967,295 bytes are announced at byte 5"),
        (b"Iabc\n", "number: got abc"),
        (b"F1.0", "a line at byte 1 has no end"),
        (b"L" + b"1" * 300 + b"\n", "a line at byte 1 has no end"),
        (b"\x8b\x01\x01\x00\x00", "an integer of 257 bytes.*256"),
        (b"Sabc\n", "quotes"),
        (b"X\x01\x00\x00\x00\xff", "text"),
        (b"NN", "1 bytes"),
    ],
)
def test_damage(data, words):
    with pytest.raises(UnpicklingError, match=words):
        literal(data)
