"""Paths that a program gives, which may be anything else by mistake."""

from __future__ import annotations

import os

from regen.errors import RegenError


def checked_path(
    path: object,
    kind: type[RegenError],
    name: str,
    *,
    expected: str = "a path",
    remedy: str | None = None,
) -> str:
    """The text of a path, whether anything is there or not.

    Args:
        path: Text, or any path of the standard library's protocol.
        kind: Of the error.
        name: What the error calls it: what the path leads to.
        expected: What should be in its place.
        remedy: What else its caller may have meant.

    Raises:
        RegenError: Of the kind `kind`, if it is no path, is empty, or has a character that no path
            can have.

    Example:
        >>> from pathlib import Path
        >>> checked_path(Path("eyes.json"), RegenError, "edits file")
        'eyes.json'
        >>> checked_path(None, RegenError, "edits file")
        Traceback (most recent call last):
        regen.errors.RegenError: edits file: got NoneType, expected a path
    """
    text = os.fspath(path) if isinstance(path, (str, os.PathLike)) else path
    if not isinstance(text, str):
        raise kind(name, got=type(path).__name__, expected=expected, remedy=remedy)
    if not text:
        raise kind(name, got="an empty text", expected=expected, remedy=remedy)
    if not _is_possible(text):
        raise kind(name, got=repr(text), expected=f"{expected}, of characters that a name can have")
    return text


def _is_possible(text: str) -> bool:
    """Whether the system may be asked for it: none has the code 0, or half of a character."""
    try:
        return b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:
        return False
