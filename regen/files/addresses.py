"""Paths where nothing is, and addresses that are given in place of paths.

regen reads local files alone, and asks for nothing over a network. Where a path is looked up and
nothing is there, `not_there` says so, or that it is an address, and what to do.
"""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path
from typing import TypeVar

from regen.errors import RegenError

Kind = TypeVar("Kind", bound=RegenError)

_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):(/+)")  # and not C:/


def address_of(path: Path | str) -> str | None:
    """The address that stands in place of a path, as it was typed, or None where it is a path.

    Example:
        >>> address_of("https://example.org/cat.png"), address_of("C:/cat.png")
        ('https://example.org/cat.png', None)
        >>> address_of(Path("https://example.org/cat.png"))
        'https://example.org/cat.png'
    """
    text = str(path)
    found = _ADDRESS.match(text)
    if found is None:
        return None
    scheme, slashes = found.groups()
    if len(slashes) == 1:  # Path leaves one of several out
        slashes = "///" if scheme.lower() == "file" else "//"
    return f"{scheme}:{slashes}{text[found.end() :]}"


def remedy_of(address: str) -> str:
    """What to do about an address where a path should be."""
    if address.lower().startswith("file:/"):
        return "leave the file:// out"
    return "download it, and give the local path"


def not_there(
    path: Path | str,
    kind: type[Kind],
    *,
    name: str | None = None,
    expected: str = "a local file",
    remedy: str = "check the path",
) -> Kind:
    """The error about a path where nothing is, or where nobody may look.

    Args:
        path: Where nothing is.
        kind: Of the error.
        name: What messages call it; by default the path.
        expected: What an address stands in the place of.
        remedy: Unless it is an address.
    """
    name, address = str(path) if name is None else name, address_of(path)
    if is_forbidden(path):
        problem = f"{name} cannot be looked up: {os.strerror(errno.EACCES)}"
        return kind(problem, remedy="ask for permission to enter its folder")
    if address is None:
        return kind(f"{name} does not exist", remedy=remedy)
    problem = f"{name.replace(str(path), address)} is an address"
    return kind(problem, expected=expected, remedy=remedy_of(address))


def is_forbidden(path: Path | str) -> bool:
    """Whether a folder above a path may not be entered, so that nobody knows what is there."""
    try:
        os.stat(path)
    except PermissionError:
        return True
    except (OSError, ValueError):
        pass
    return False
