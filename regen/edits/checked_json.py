"""Read JSON that people write by hand, and say where in it something is wrong.

A `Node` is a value with its path inside the file, ``edits[0].targets[1].seed``. Asking it for what
the schema wants gives that, or raises an `EditsError` that begins with file and path.
"""

from __future__ import annotations

import difflib
import json
import math
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from regen.errors import EditsError, RegenError


class _Object(dict[str, Any]):
    """A JSON object that knows which keys were written more than once."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        names = [name for name, _ in pairs]
        self.twice = sorted({name for name in names if names.count(name) > 1})


@dataclass(frozen=True)
class Node:
    """A value of a JSON file and where it stands.

    Attributes:
        value: As the json module gives it.
        path: Names and indices from the top, empty at the top itself.
        file: Name of the file, for messages.
    """

    value: Any
    path: str
    file: str

    def fail(
        self, problem: str = "", *, expected: str | None = None, remedy: str | None = None
    ) -> NoReturn:
        """Raise an EditsError about this value; without a `problem`, the value itself is shown."""
        where = ": ".join(part for part in (self.file, self.path, problem) if part)
        raise EditsError(
            where, got=None if problem else _shown(self.value), expected=expected, remedy=remedy
        )

    def relay(self, error: RegenError) -> NoReturn:
        """Raise the EditsError that tells of `error` at this place."""
        named = self.path.endswith(error.problem)  # "box: box: got [...]" says it twice
        where = ": ".join([self.file, self.path] + ([] if named else [error.problem]))
        raise EditsError(
            where, got=error.got, expected=error.expected, remedy=error.remedy
        ) from error

    def members(self, required: Collection[str], optional: Collection[str]) -> dict[str, Node]:
        """The members of an object that has all required keys and none that is not listed."""
        if not isinstance(self.value, dict):
            self.fail(expected="an object {...}")
        if isinstance(self.value, _Object) and self.value.twice:
            self.fail(f"key {self.value.twice[0]!r} is written twice", remedy="remove one of them")
        known = [*required, *optional]
        for name in self.value:
            if name not in known:
                near = difflib.get_close_matches(name, known, 1)
                remedy = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
                self.fail(f"unknown key {name!r}", remedy=remedy)
        for name in required:
            if name not in self.value:
                self.fail(f"key {name!r} is missing")
        prefix = f"{self.path}." if self.path else ""
        return {name: Node(v, prefix + name, self.file) for name, v in self.value.items()}

    def items(self, expected: str = "a list [...]", least: int = 1) -> list[Node]:
        """The items of a list of at least so many."""
        if not isinstance(self.value, list) or len(self.value) < least:
            self.fail(expected=expected)
        return [Node(v, f"{self.path}[{i}]", self.file) for i, v in enumerate(self.value)]

    def text(self, expected: str = "text") -> str:
        """Text that is not empty."""
        if not isinstance(self.value, str) or not self.value:
            self.fail(expected=expected)
        return str(self.value)

    def choice(self, known: Collection[str]) -> str:
        """One of the known words."""
        if not isinstance(self.value, str) or self.value not in known:
            near = difflib.get_close_matches(str(self.value), known, 1)
            remedy = f"did you mean {near[0]!r}?" if near else None
            self.fail(expected=" or ".join(map(repr, known)), remedy=remedy)
        return str(self.value)

    def integer(self, least: int, most: int = 2**63 - 1) -> int:
        """An integer within limits; neither 1.0 nor true is one."""
        value = self.value
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            limit = f" to {most}" if most < 2**63 - 1 else ""
            self.fail(expected=f"an integer from {least}{limit}")
        return int(value)

    def number(self, least: float = -math.inf, *, above: bool = False) -> float:
        """A finite number from `least`, or above it."""
        value = self.value
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not number or not _within(value, least, above):
            word = "above" if above else "from"
            self.fail(expected="a number" if least == -math.inf else f"a number {word} {least:g}")
        return float(value)

    def existing_file(self, folder: Path) -> str:
        """The path of a file that is there, relative to `folder`."""
        path = folder / self.text("a path")
        if not path.is_file():
            self.fail(f"{path} does not exist", remedy="paths are relative to the edits file")
        return str(path)

    def name_or_file(self, folder: Path) -> str:
        """A plain name as it is; what looks like a path, as `existing_file`."""
        name = self.text("a name or a path")
        is_path = "/" in name or "\\" in name or bool(Path(name).suffix)
        return self.existing_file(folder) if is_path else name


def read_json(path: Path | str) -> Node:
    """Read a file of JSON.

    Raises:
        EditsError: If it is missing, not a file, not readable, or not valid JSON (line and column).
    """
    file = Path(path)
    if not file.exists():
        raise EditsError(f"{path} does not exist", remedy="check the path")
    if not file.is_file():
        raise EditsError(f"{path} is not a file", expected="an edits file, as JSON")
    try:
        text = file.read_text(encoding="utf-8-sig")
        value = json.loads(text, object_pairs_hook=_Object, parse_constant=_refuse_constant)
    except OSError as error:
        raise EditsError(f"{path} cannot be read: {error.strerror or error}") from error
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise EditsError(f"{path} is not valid JSON: {error.msg} at {where}") from error
    except (ValueError, RecursionError) as error:
        raise EditsError(f"{path} is not valid JSON: {error}") from error
    return Node(value, "", str(path))


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number in JSON")


def _within(value: float, least: float, above: bool) -> bool:
    try:
        finite = math.isfinite(value)
    except OverflowError:  # an integer of more than 308 digits
        return False
    return finite and (value > least if above else value >= least)


def _shown(value: object) -> str:
    shown = json.dumps(value, ensure_ascii=False)
    return shown if len(shown) <= 60 else shown[:57] + "..."
