"""JSON out of a file that anybody may have written: not deep, and of numbers that fit."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

from regen.files.budget import DEEPEST_JSON, LONGEST_JSON_NUMBER, MOST_JSON_PARTS


class JsonLimitError(ValueError):
    """JSON that is valid, but deeper or of larger numbers than any file needs."""


def parse_json(text: str | bytes) -> Any:
    """The value of a JSON text, in UTF-8 if it is bytes.

    Raises:
        ValueError: If it is not JSON. The message is a clause about it.
        JsonLimitError: If it is nested deeper than 64 levels, has over 200,000 objects and lists,
            or holds a number that is not finite or of more than 40 digits.
    """
    raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    if raw.count(b"[") + raw.count(b"{") > MOST_JSON_PARTS:
        raise JsonLimitError(f"it has more than {MOST_JSON_PARTS:,} objects and lists")
    try:
        value = json.loads(
            text, parse_int=_integer, parse_float=_number, parse_constant=_refuse_constant
        )
    except JsonLimitError:
        raise
    except RecursionError:
        raise JsonLimitError(_TOO_DEEP) from None
    except ValueError as error:  # not of JSON, or not of UTF-8
        raise ValueError("it is not valid JSON") from error
    _check_depth(value)
    return value


_TOO_DEEP = f"its JSON is nested deeper than {DEEPEST_JSON} levels"


def _integer(digits: str) -> int:
    if len(digits) > LONGEST_JSON_NUMBER:
        raise JsonLimitError(f"it holds a number of {len(digits)} digits")
    return int(digits)


def _number(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise JsonLimitError(
            f"it holds the number {digits[:LONGEST_JSON_NUMBER]}, which is too large"
        )
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise JsonLimitError(f"it holds {name}, which is not a number in JSON")


def _check_depth(value: object) -> None:
    """Raise JsonLimitError for what recursion could not follow."""
    level = [value]
    for _ in range(DEEPEST_JSON + 1):
        below = (part for part in level if isinstance(part, (dict, list)))
        level = [
            child
            for part in below
            for child in (part.values() if isinstance(part, dict) else part)
            if isinstance(child, (dict, list))
        ]
        if not level:
            return
    raise JsonLimitError(_TOO_DEEP)
