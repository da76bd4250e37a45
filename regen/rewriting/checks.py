"""Types, choices and ranges of settings, checked when they are made. Nothing here imports torch.

Messages name a setting by its field, and say what was got and what is accepted.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal, get_args, get_origin, get_type_hints

from regen.edits.checked_json import did_you_mean
from regen.errors import RewriteError
from regen.numbers import plain

_LIMIT = 2**63  # of integers; torch takes none beyond
_WORDS = {bool: "true or false", int: "an integer", float: "a number", str: "text"}


def check_choice(name: str, value: object, choices: Sequence[str]) -> None:
    """Raise RewriteError if the setting `name` is not one of its choices ("did you mean")."""
    if value not in choices:
        raise RewriteError(
            name,
            got=repr(value),
            expected=" or ".join(choices),
            remedy=did_you_mean(str(value), choices),
        )


def check_types(settings: Any) -> None:
    """Raise RewriteError if a field of a dataclass does not match its annotation.

    Annotations are bool, int, float, str, a Literal of words, a class, or one of these or None. An
    integer is a float, as in Python; a bool is not an integer. Numbers of NumPy and torch become
    those of Python.

    Args:
        settings: An instance of a dataclass, which may be frozen. Messages name its fields.
    """
    for name, kind in _annotations(settings.__class__).items():
        value = getattr(settings, name)
        number = plain(value)
        if number is not value:
            object.__setattr__(settings, name, number)
        _check(name, number, kind)


def check_range(
    settings: Any, names: Sequence[str], least: float = 0, most: float = math.inf
) -> None:
    """Raise RewriteError if one of these numeric fields is not in this range, or not finite."""
    for name in names:
        value = getattr(settings, name)
        if not least <= value < math.inf:
            raise RewriteError(name, got=value, expected=f"{least:g} or more")
        if value > most:
            raise RewriteError(name, got=value, expected=f"at most {most:g}")


@lru_cache
def _annotations(settings: Any) -> dict[str, Any]:
    return get_type_hints(settings)


def _check(name: str, value: object, kind: Any) -> None:
    if get_origin(kind) is Literal:
        return check_choice(name, value, get_args(kind))
    members = get_args(kind)
    if type(None) in members:
        return None if value is None else _check(name, value, members[0])
    accepted = (int, float) if kind is float else kind
    too_large = isinstance(value, int) and abs(value) >= _LIMIT
    if isinstance(value, accepted) and not too_large and (kind is bool) == isinstance(value, bool):
        return None
    limit = f" below {_LIMIT}" if too_large else ""
    raise RewriteError(name, got=repr(value), expected=f"{_WORDS.get(kind, kind.__name__)}{limit}")
