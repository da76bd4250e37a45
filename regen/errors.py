"""Errors that a user can cause and correct. Commands print them and exit with code 2.

Every message says what was got, what was expected and what to do next, so each error is built from
these parts rather than from free text. Anything that is not a `RegenError` is a bug in regen.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

_LONGEST_VALUE = 300
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def printable(text: str) -> str:
    """A text in one line that does nothing to a terminal: what cannot be printed is escaped.

    Names and texts of a file may hold control characters, those that turn the direction of
    writing, and halves of characters that no terminal can be given.

    >>> printable("eyes.json"), printable("a\\x1b[2J\\u202eb\\ud800")
    ('eyes.json', 'a\\\\x1b[2J\\\\u202eb\\\\ud800')
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    """As Python writes it. By hand: a codec would be imported while a file is being read."""
    if character in _SHORT:
        return _SHORT[character]
    code = ord(character)
    return (
        f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"
    )


class RegenError(Exception):
    """Bad input, described so that whoever sees it can correct it. The message is `printable`.

    Args:
        problem: What is wrong, naming the file, key or option it is about. No full stop.
        got: The offending value, shown as it is.
        expected: What would have been accepted.
        remedy: What to do next. No full stop.

    Example:
        >>> print(RegenError("eyes.json: version", got=3, expected="1", remedy="update regen"))
        eyes.json: version: got 3, expected 1; update regen
    """

    def __init__(
        self,
        problem: str,
        *,
        got: object = None,
        expected: str | None = None,
        remedy: str | None = None,
    ) -> None:
        self.problem, self.got, self.expected, self.remedy = problem, got, expected, remedy
        facts = []
        if got is not None:
            facts.append(f"got {_shortened(got)}")
        if expected is not None:
            facts.append(f"expected {expected}")
        message = problem + (": " + ", ".join(facts) if facts else "")
        super().__init__(printable(message + (f"; {remedy}" if remedy else "")))


def _shortened(value: object) -> str:
    text = str(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 3]}..."


@contextmanager
def within(place: str, kind: type[RegenError] | None = None) -> Iterator[None]:
    """Put a place, a path in a file for instance, before what is raised in the block.

    A problem that the place names already, in words or as a key, is not said twice.

    Args:
        place: What the message is to begin with.
        kind: Of the error; by default its own.
    """
    try:
        yield
    except RegenError as error:
        key = place.rpartition(" ")[2].rpartition(".")[2]
        named = error.problem in (key, key.replace("_", " "))
        raise (kind or type(error))(
            place if named else f"{place}: {error.problem}",
            got=error.got,
            expected=error.expected,
            remedy=error.remedy,
        ) from error


class ShapeError(RegenError):
    """Tensors that belong together have incompatible shapes."""


class ImageError(RegenError):
    """An image cannot be read, or is not usable as one."""


class RegionError(RegenError):
    """A region of an image is empty, outside of it, or badly written."""


class EditsError(RegenError):
    """An edits file breaks its schema. The problem starts with the path inside the file."""


class StoreError(RegenError):
    """A file of regen's cannot be read or written, or does not hold what it should."""


class GeneratorError(RegenError):
    """A generator is unknown, damaged, or lacks a requested layer."""


class UnpicklingError(RegenError):
    """A pickle or torch file is damaged, or holds what is not read for safety's sake."""


class ProjectorError(RegenError):
    """A backward projector does not fit its generator, or its training cannot continue."""


class TrainingError(RegenError):
    """A training cannot be started, resumed or completed."""


class RewriteError(RegenError):
    """A rule cannot be learned, or a rewrite does not fit its generator."""


class MetricError(RegenError):
    """A metric cannot be computed, because weights are missing for instance."""
