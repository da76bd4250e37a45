"""Texts in a report, which is sent to others: without folders, and safe to show."""

from __future__ import annotations

import html
import re
from pathlib import PurePath, PureWindowsPath

from regen.errors import printable

_IN_QUOTES = re.compile(r"""(?P<quote>['"])(?:/|[A-Za-z]:\\)(?:(?!(?P=quote)).)*(?P=quote)""")
_BARE = re.compile(r"(?<![\w.~/:\\-])/(?:[^\s/'\"<>|]+/)+|(?<!\w)[A-Za-z]:\\(?:[^\s\\'\"<>|]+\\)+")


def escape(text: str) -> str:
    """A text as HTML: what cannot be printed is escaped, and of absolute paths the name remains.

    Example:
        >>> escape("regen project /home/me/cat.png '/home/me/my dog.png' <a/b> https://x.org/y/z")
        'regen project cat.png &#x27;my dog.png&#x27; &lt;a/b&gt; https://x.org/y/z'
    """
    return html.escape(printable(without_folders(text)))


def without_folders(text: str) -> str:
    """A text with the names in place of all absolute paths."""
    one = not _IN_QUOTES.search(text) and " /" not in text and "\n" not in text
    for path in (PurePath(text), PureWindowsPath(text)):
        if one and path.is_absolute():
            return path.name
    return _BARE.sub("", _IN_QUOTES.sub(_name_in_quotes, text))


def _name_in_quotes(found: re.Match[str]) -> str:
    quote, path = found["quote"], found[0][1:-1]
    name = PureWindowsPath(path).name if "\\" in path else PurePath(path).name
    return f"{quote}{name}{quote}"
