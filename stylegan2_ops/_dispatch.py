"""Which implementation of the operators runs: the one place that decides.

Only the reference (plain torch) exists so far. Asking for another by name is an error, never a
silent fall-back.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Name = Literal["auto", "reference"]


class Implementation(NamedTuple):
    """What runs and why, in words for `regen doctor`."""

    name: str
    reason: str


def implementation(requested: Name = "auto") -> Implementation:
    """Resolve a request into what will run.

    Args:
        requested: "auto" or "reference".

    Returns:
        The implementation's name and the reason it was chosen.

    Raises:
        ValueError: If `requested` names an implementation this build does not have.

    Example:
        >>> implementation().name
        'reference'
    """
    if requested not in ("auto", "reference"):
        raise ValueError(f"implementation must be 'auto' or 'reference', got {requested!r}")
    return Implementation("reference", "plain torch operators; no compiled kernels in this version")
