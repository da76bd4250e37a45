"""Values in a message of the page, checked. Whatever is wrong is one `MessageError` of one line."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from regen.errors import RegenError

Message = Mapping[str, Any]
Choice = TypeVar("Choice", bound=str)

LONGEST_TEXT = 200
MOST_POINTS = 4000  # of one stroke
MOST_MASK_BYTES = 3_000_000  # of a mask inside a message, as a data URI


class MessageError(RegenError):
    """A message of the page is not one that the session understands."""


def parse(text: str) -> Message:
    """A message: a JSON object whose ``do`` says what to do.

    Raises:
        MessageError: If it is not.
    """
    try:
        message = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise MessageError("message", got="text that is not JSON", expected="JSON") from error
    if not isinstance(message, dict) or not isinstance(message.get("do"), str):
        raise MessageError("message", got=_shown(message), expected='an object with "do"')
    return message


def _refuse(name: str) -> float:
    raise ValueError(name)


def _shown(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."


def number(message: Message, key: str, low: float, high: float) -> float:
    """A number of a message from `low` to `high`. Raises MessageError for anything else."""
    return checked_number(message.get(key), key, low, high)


def checked_number(value: object, name: str, low: float, high: float) -> float:
    """The same for a value that is at hand; `name` is what the error calls it."""
    valid = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not valid or not low <= value <= high:  # type: ignore[operator]
        raise MessageError(name, got=_shown(value), expected=f"a number from {low:g} to {high:g}")
    return float(value)  # type: ignore[arg-type]


def integer(message: Message, key: str, low: int, high: int) -> int:
    """A whole number of a message."""
    value = message.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise MessageError(key, got=_shown(value), expected=f"a whole number from {low} to {high}")
    return value


def text(message: Message, key: str) -> str:
    """A short text of a message."""
    value = message.get(key)
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_TEXT:
        raise MessageError(key, got=_shown(value), expected=f"1 to {LONGEST_TEXT} characters")
    return value


def flag(message: Message, key: str) -> bool:
    """A yes or no of a message."""
    value = message.get(key)
    if not isinstance(value, bool):
        raise MessageError(key, got=_shown(value), expected="true or false")
    return value


def choice(message: Message, key: str, known: Sequence[Choice]) -> Choice:
    """One of some words."""
    value = message.get(key)
    for one in known:
        if value == one:
            return one
    raise MessageError(key, got=_shown(value), expected=" or ".join(known))


def points(
    message: Message, key: str, least: int, most: int = MOST_POINTS
) -> tuple[tuple[float, float], ...]:
    """Points of a stroke, ``[[x, y], ...]``; they may lie outside of the image."""
    value = message.get(key)
    if not isinstance(value, list) or not least <= len(value) <= most:
        got = f"{len(value)} points" if isinstance(value, list) else _shown(value)
        raise MessageError(key, got=got, expected=f"{least} to {most} points")
    return tuple(_point(one, key) for one in value)


def _point(value: object, name: str) -> tuple[float, float]:
    if not isinstance(value, list) or len(value) != 2:
        raise MessageError(name, got=_shown(value), expected="points [x, y]")
    x, y = (checked_number(part, name, -1e5, 1e5) for part in value)
    return x, y


def mask_uri(message: Message, key: str, most: int = MOST_MASK_BYTES) -> str:
    """A mask inside a message: the data URI of a PNG. Whether it is one is seen when it is read."""
    value = message.get(key)
    start = "data:image/png;base64,"
    if not isinstance(value, str) or not value.startswith(start):
        raise MessageError(key, got=_shown(value), expected="a PNG as a data URI")
    if len(value) > most:
        got = f"{len(value)} characters"
        raise MessageError(key, got=got, expected=f"at most {most}")
    return value
