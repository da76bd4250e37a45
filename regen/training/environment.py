"""What `torchrun` sets in the environment of this process. Only this module reads it.

It does not import torch, so that a command can use it without doing so.
"""

from __future__ import annotations

import os

from regen.errors import TrainingError


def process_count() -> int:
    """How many processes work together, 1 without `torchrun`. Raises TrainingError as `rank`."""
    return _number("WORLD_SIZE", "1")


def rank() -> int:
    """The number of this process among all of them, from 0.

    Raises:
        TrainingError: If the environment variable is not a number.
    """
    return _number("RANK", "0")


def local_rank() -> int | None:
    """The number of this process on its machine, None without `torchrun`. Raises as `rank`."""
    return _number("LOCAL_RANK", "0") if "LOCAL_RANK" in os.environ else None


def is_first() -> bool:
    """Whether this process is the one, of several, that writes results and messages."""
    return os.environ.get("RANK", "0") == "0"


def _number(name: str, default: str) -> int:
    text = os.environ.get(name, default)
    if not (text.isascii() and text.isdigit()):
        raise TrainingError(
            f"environment variable {name}",
            got=repr(text),
            expected="a number, as torchrun sets it",
            remedy=f"unset {name}, or start by torchrun",
        )
    return int(text)
