"""Whether what lies at a path is ours: nobody but this user and root could have put it there.

A library runs with all that its user may do. So it is loaded only if it, its record and their
folder belong to the user or to root and can be written to by nobody else, and if no folder on the
way can be renamed or replaced by anybody else. Only what the system says of owners and modes
counts; where it says nothing (Windows), everything is trusted.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

_OTHERS = stat.S_IWGRP | stat.S_IWOTH


@dataclass(frozen=True)
class Distrust:
    """Why something is not trusted.

    Attributes:
        why: A phrase such as "/caches belongs to user 1000".
        remedy: A command that may help; empty if there is none.
    """

    why: str
    remedy: str = ""


def distrust(*paths: Path) -> Distrust | None:
    """What speaks against using files or folders, which exist; None if nothing does.

    Args:
        paths: Absolute and without links, see `os.path.realpath`; each is checked strictly, and
            all folders above it for what could be renamed there.

    Raises:
        OSError: If one of them cannot be examined.
    """
    if not hasattr(os, "geteuid"):
        return None
    for path in paths:
        found = _of_owner(path) or _of_mode(path)
        if found is not None:
            return found
    above = {parent: None for path in paths for parent in path.parents}  # each once
    for parent in above:
        found = _of_owner(parent) or _of_parent(parent)
        if found is not None:
            return found
    return None


def _of_owner(path: Path) -> Distrust | None:
    owner = os.stat(path).st_uid
    if owner in (0, os.geteuid()):
        return None
    return Distrust(f"{path} belongs to user {owner}, not to you")


def _of_mode(path: Path) -> Distrust | None:
    if not os.stat(path).st_mode & _OTHERS:
        return None
    return Distrust(f"{path} can be written to by other users", f"chmod go-w '{path}'")


def _of_parent(path: Path) -> Distrust | None:
    """Against a folder above; in a sticky one only owners rename, and all owners are checked."""
    status = os.stat(path)
    if status.st_mode & stat.S_ISVTX:
        return None
    if not status.st_mode & stat.S_IWOTH and _is_private(status.st_gid, status.st_uid):
        return None
    return _of_mode(path)


def _is_private(group: int, user: int) -> bool:
    """Whether a group is the user's own, as many systems make one for each user."""
    import grp
    import pwd

    try:
        entry, name = grp.getgrgid(group), pwd.getpwuid(user).pw_name
    except KeyError:
        return False
    return entry.gr_name == name and not set(entry.gr_mem) - {name}
