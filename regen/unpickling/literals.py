"""The pickle instructions that carry their value with them: numbers, texts, bytes. Protocols 0-5.

Instructions are known by their one-byte code, as in the standard library's `pickletools`, which
documents each. `LITERALS` maps the code to a function that reads the value.
"""

from __future__ import annotations

import re
import struct
import sys
from collections.abc import Callable

from regen.errors import UnpicklingError
from regen.files.budget import (
    ESCAPES_PER_STEP,
    LINE_STEPS,
    LONGEST_INTEGER_BYTES,
    LONGEST_WIDE_TEXT_BYTES,
    Budget,
)
from regen.unpickling.source import Span
from regen.unpickling.values import shown

# Blocks from this size on stay in the file until they are needed.
_SMALLEST_SPAN_BYTES = 4096
_ESCAPE = re.compile(rb"\\(x[0-9a-fA-F]{2}|[\\'\"ntr])")
_ESCAPED = {b"n": b"\n", b"t": b"\t", b"r": b"\r"}
# What begins a character that takes more than one byte in memory, in UTF-8 and in escapes.
_WIDE = {"utf-8": re.compile(rb"[\xc4-\xff]"), "raw-unicode-escape": re.compile(rb"\\u(?!00)|\\U")}


class Cursor:
    """A position in a span that moves forward, never past the end, on a budget."""

    __slots__ = ("budget", "buffer", "position", "span", "stop")

    def __init__(self, span: Span, budget: Budget) -> None:
        self.span, self.buffer, self.budget = span, span.buffer, budget
        self.position, self.stop = span.start, span.stop

    def skip(self, count: int) -> int:
        """Move on by `count` bytes; give the position before them."""
        start, end = self.position, self.position + count
        if end > self.stop:
            raise UnpicklingError(
                f"it is truncated: {count:,} bytes are announced at byte {start:,}, "
                f"of which it holds {self.stop - start:,}"
            )
        self.position = end
        return start

    def take(self, count: int) -> bytes:
        """The next `count` bytes."""
        start = self.skip(count)
        return self.buffer[start : self.position]

    def check_end(self) -> None:
        """Check that everything was read."""
        if self.position != self.stop:
            raise UnpicklingError(
                f"it goes on for {self.stop - self.position:,} bytes after its end"
            )

    def byte(self) -> int:
        """The next byte."""
        at = self.position
        if at >= self.stop:
            raise UnpicklingError(f"it is truncated: it ends at byte {at:,}")
        self.position = at + 1
        return self.buffer[at]

    def count(self, size: int) -> int:
        """An unsigned little-endian integer of `size` bytes."""
        return self.byte() if size == 1 else int.from_bytes(self.take(size), "little")

    def line(self, longest: int | None = None) -> bytes:
        """The bytes before the next newline, at most `longest` of them."""
        self.budget.work(LINE_STEPS)
        start = self.position
        limit = self.stop if longest is None else min(self.stop, start + longest + 1)
        end = self.buffer.find(b"\n", start, limit)
        if end < 0:
            within = "" if limit == self.stop else f" within {longest} bytes"
            raise UnpicklingError(
                f"it is truncated or damaged: a line at byte {start:,} has no end{within}"
            )
        self.position = end + 1
        return self.buffer[start:end]


def _long(cursor: Cursor, size: int) -> int:
    count = cursor.count(size)
    if count > LONGEST_INTEGER_BYTES:
        raise UnpicklingError(
            f"an integer of {count:,} bytes", expected=f"at most {LONGEST_INTEGER_BYTES}"
        )
    return int.from_bytes(cursor.take(count), "little", signed=True)


def _text(cursor: Cursor, size: int) -> str:
    return _decoded(cursor, cursor.take(cursor.count(size)), "utf-8")


def _decoded(cursor: Cursor, data: bytes, encoding: str) -> str:
    """The text of these bytes. A character takes up to four bytes for one of the file's."""
    if len(data) > LONGEST_WIDE_TEXT_BYTES and _WIDE[encoding].search(data):
        raise UnpicklingError(
            f"a text of {len(data):,} bytes with characters beyond Latin-1",
            expected=f"at most {LONGEST_WIDE_TEXT_BYTES:,} bytes of such a text",
        )
    try:
        text = data.decode(encoding, "surrogatepass" if encoding == "utf-8" else "strict")
    except UnicodeDecodeError:
        raise UnpicklingError("it is damaged: a text is not readable") from None
    if len(data) >= _SMALLEST_SPAN_BYTES:
        cursor.budget.spend(max(sys.getsizeof(text) - len(data), 0))
    return text


def _block(cursor: Cursor, size: int, *, mutable: bool = False) -> Span | bytes | bytearray:
    count = cursor.count(size)
    if count >= _SMALLEST_SPAN_BYTES:
        start = cursor.skip(count)
        return cursor.span.part(start, cursor.position, mutable=mutable)
    data = cursor.take(count)
    return bytearray(data) if mutable else data


def _latin(cursor: Cursor, size: int) -> str:
    """Text of Python 2, which did not tell text from bytes; latin-1 keeps every byte."""
    return cursor.take(cursor.count(size)).decode("latin-1")


def _number_line(cursor: Cursor, read: Callable[[bytes], float]) -> float:
    line = cursor.line(LONGEST_INTEGER_BYTES)
    try:
        return read(line)
    except ValueError:
        raise UnpicklingError(
            "it is damaged: a number", got=shown(line.decode("latin-1"))
        ) from None


def _int_line(cursor: Cursor) -> int | bool:
    truth = {b"00": False, b"01": True}
    value = _number_line(cursor, lambda line: truth[line] if line in truth else int(line))
    return value  # type: ignore[return-value]


def _quoted_line(cursor: Cursor) -> str:
    line = cursor.line()
    if len(line) < 2 or line[:1] != line[-1:] or line[:1] not in (b"'", b'"'):
        raise UnpicklingError("it is damaged: a text has no quotes")
    cursor.budget.work(line.count(b"\\") // ESCAPES_PER_STEP)

    def unescape(match: re.Match[bytes]) -> bytes:
        code = match[1]
        return bytes([int(code[1:], 16)]) if code[:1] == b"x" else _ESCAPED.get(code, code)

    return _ESCAPE.sub(unescape, line[1:-1]).decode("latin-1")


LITERALS: dict[int, Callable[[Cursor], object]] = {
    ord("N"): lambda cursor: None,
    0x88: lambda cursor: True,
    0x89: lambda cursor: False,
    ord("K"): Cursor.byte,
    ord("M"): lambda cursor: cursor.count(2),
    ord("J"): lambda cursor: int.from_bytes(cursor.take(4), "little", signed=True),
    0x8A: lambda cursor: _long(cursor, 1),
    0x8B: lambda cursor: _long(cursor, 4),
    ord("G"): lambda cursor: struct.unpack(">d", cursor.take(8))[0],
    ord("I"): _int_line,
    ord("L"): lambda cursor: _number_line(cursor, lambda line: int(line.rstrip(b"L"))),
    ord("F"): lambda cursor: _number_line(cursor, float),
    ord("X"): lambda cursor: _text(cursor, 4),
    0x8C: lambda cursor: _text(cursor, 1),
    0x8D: lambda cursor: _text(cursor, 8),
    ord("V"): lambda cursor: _decoded(cursor, cursor.line(), "raw-unicode-escape"),
    ord("S"): _quoted_line,
    ord("T"): lambda cursor: _latin(cursor, 4),
    ord("U"): lambda cursor: _latin(cursor, 1),
    ord("B"): lambda cursor: _block(cursor, 4),
    ord("C"): lambda cursor: _block(cursor, 1),
    0x8E: lambda cursor: _block(cursor, 8),
    0x96: lambda cursor: _block(cursor, 8, mutable=True),
    ord(")"): lambda cursor: (),
}
