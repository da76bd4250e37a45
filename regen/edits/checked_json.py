"""JSON that people write by hand, read strictly, and its values shown in messages.

Stricter than `json.load`: a key that is written twice is an error, not overwritten, and NaN and
Infinity, which are not JSON, are refused. Invalid JSON is reported with line and column.
"""

from __future__ import annotations

import difflib
import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NoReturn

from regen.errors import EditsError, RegenError, printable
from regen.files.addresses import not_there
from regen.files.limits import MAX_EDITS_FILE_VALUES

_LONGEST = 60  # characters of a value or key that a message shows
_MOST_DIGITS = 4300  # of a whole number; Python makes none of more


class _Objects:
    """Builds the objects of a file, and remembers those that have a key more than once."""

    def __init__(self) -> None:
        self.twice: list[tuple[dict[str, Any], str]] = []

    def __call__(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) < len(pairs):
            ((name, _),) = Counter(name for name, _ in pairs).most_common(1)
            self.twice.append((made, name))
        return made


def read_json(
    path: Path | str,
    expected: str = "an edits file, as JSON",
    error: type[RegenError] = EditsError,
) -> Any:
    """Read a file of JSON.

    Args:
        path: The file, in UTF-8, with or without a byte order mark.
        expected: What kind of file it should be, for the message about a folder.
        error: What is raised.

    Returns:
        The value: dict, list, str, int, float, bool or None.

    Raises:
        RegenError: Of the kind `error`, if the file is missing, not a file, not readable, empty,
            not text in UTF-8, not valid JSON (line and column), or has an object with the same key
            twice (path inside the file).
    """
    file = Path(path)
    if not is_there(file):
        raise not_there(path, error)
    if not file.is_file():
        raise error(f"{path} is not a file", expected=expected)
    objects = _Objects()
    try:
        text = file.read_text(encoding="utf-8-sig")
        if not text.strip():
            raise error(f"{path} is empty", expected=expected)
        _check_values(text)
        value = json.loads(
            text, object_pairs_hook=objects, parse_constant=_refuse_constant, parse_int=_integer
        )
    except OSError as problem:
        raise error(f"{path} cannot be read: {problem.strerror or problem}") from problem
    except UnicodeDecodeError as problem:
        remedy = "save it as text in UTF-8"
        raise error(f"{path} is not text in UTF-8", expected=expected, remedy=remedy) from problem
    except json.JSONDecodeError as problem:
        where = f"line {problem.lineno}, column {problem.colno}"
        raise error(f"{path} is not valid JSON: {problem.msg} at {where}") from problem
    except _RefusedError as problem:
        raise error(f"{path} {problem}") from problem
    except RecursionError as problem:
        raise error(f"{path} is nested too deeply to be read") from problem
    except ValueError as problem:
        raise error(f"{path} is not valid JSON: {problem}") from problem
    if objects.twice:
        made, name = objects.twice[-1]  # the outermost of several is made last
        where = _path_of(made, value)
        prefix = f"{path}: {where}" if where else str(path)
        remedy = "remove one of them"
        raise error(f"{prefix}: key {shown_key(name)} is written twice", remedy=remedy)
    return value


class _RefusedError(ValueError):
    """JSON that is valid, but more than any such file needs; the message follows a name."""


def _check_values(text: str) -> None:
    """Before any of them is made, for they take many times as much memory as their text."""
    values = text.count(",") + text.count("[") + text.count("{")
    if values > MAX_EDITS_FILE_VALUES:
        raise _RefusedError(
            f"has too many values: got about {values}, expected at most {MAX_EDITS_FILE_VALUES}"
        )


def _integer(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise _RefusedError(f"has a number of {len(digits)} digits, which no key takes")
    return int(digits)


def is_there(path: Path) -> bool:
    """Whether a path exists; one that the system cannot even look up, for its length, does not."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def path_in_file(location: tuple[str | int, ...]) -> str:
    """Names and indices from the top as people write them.

    Example:
        >>> path_in_file(("edits", 0, "targets", 1, "seed"))
        'edits[0].targets[1].seed'
    """
    parts = [f"[{part}]" if isinstance(part, int) else f".{shortened(part)}" for part in location]
    return "".join(parts).removeprefix(".")


def shown(value: object) -> str:
    """A value as JSON on one line, cut where it is long, without control characters."""
    try:
        return shortened(json.dumps(value, ensure_ascii=False, default=str))
    except RecursionError:
        return "a value nested too deeply to show"


def shown_key(name: str) -> str:
    """A key in quotes, cut where it is long, without control characters."""
    return repr(_cut(name))


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """A question that names the known word nearest to `name`, or None if none is near.

    Example:
        >>> did_you_mean("sead", ["seed", "region"])
        "did you mean 'seed'?"
    """
    near = difflib.get_close_matches(_cut(name), list(known), 1)
    return f"did you mean {near[0]!r}?" if near else None


def shortened(text: str, longest: int = _LONGEST) -> str:
    """A text cut to so many characters, and then `printable`."""
    return printable(_cut(text, longest))


def _cut(text: str, longest: int = _LONGEST) -> str:
    return text if len(text) <= longest else text[: longest - 3] + "..."


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number in JSON")


def _path_of(wanted: object, top: object) -> str:
    """Where in a file's value an object is, found by identity."""
    left: list[tuple[tuple[str | int, ...], object]] = [((), top)]
    while left:  # no recursion: what json can read may be deeper than Python calls go
        location, value = left.pop()
        if value is wanted:
            return path_in_file(location)
        if isinstance(value, dict):
            left += [((*location, name), item) for name, item in value.items()]
        elif isinstance(value, list):
            left += [((*location, i), item) for i, item in enumerate(value)]
    return ""
