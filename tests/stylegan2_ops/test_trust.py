"""Owners and modes that are trusted, and that are not; owners are feigned."""

from __future__ import annotations

import grp
import os
import pwd
import stat
from pathlib import Path
from types import SimpleNamespace

import pytest

from stylegan2_ops._trust import Distrust, distrust

ME, ROOT, OTHER = 1000, 0, 1234
PRIVATE, SHARED = 1000, 100
FOLDER, FILE = stat.S_IFDIR, stat.S_IFREG


@pytest.fixture
def tree(monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[int, int, int]]:
    """Owner, group and mode of paths as this user sees them; change an entry to see another."""
    entries = {
        "/": (ROOT, ROOT, FOLDER | 0o755),
        "/tmp": (ROOT, ROOT, FOLDER | 0o1777),
        "/home": (ROOT, ROOT, FOLDER | 0o755),
        "/home/me": (ME, PRIVATE, FOLDER | 0o755),
        "/home/me/ops": (ME, PRIVATE, FOLDER | 0o700),
        "/home/me/ops/a.json": (ME, PRIVATE, FILE | 0o644),
        "/tmp/ops": (ME, PRIVATE, FOLDER | 0o700),
    }

    def fake(path: object) -> SimpleNamespace:
        owner, group, mode = entries[str(path)]
        return SimpleNamespace(st_uid=owner, st_gid=group, st_mode=mode)

    members: dict[int, list[str]] = {PRIVATE: [], SHARED: ["me", "other"], ROOT: []}
    names = {PRIVATE: "me", SHARED: "users", ROOT: "root"}

    def group_of(number: int) -> SimpleNamespace:
        return SimpleNamespace(gr_name=names[number], gr_mem=members[number])

    people = {ME: "me", ROOT: "root"}
    monkeypatch.setattr(os, "stat", fake)
    monkeypatch.setattr(os, "geteuid", lambda: ME)
    monkeypatch.setattr(grp, "getgrgid", group_of)
    monkeypatch.setattr(pwd, "getpwuid", lambda number: SimpleNamespace(pw_name=people[number]))
    return entries


def found(path: str = "/home/me/ops") -> Distrust | None:
    return distrust(Path(path), Path(path, "a.json")) if "home" in path else distrust(Path(path))


def test_ones_own_is_trusted(tree: dict[str, tuple[int, int, int]]) -> None:
    assert found() is None


def test_roots_is_trusted(tree: dict[str, tuple[int, int, int]]) -> None:
    tree["/home/me/ops/a.json"] = (ROOT, ROOT, FILE | 0o644)
    tree["/home/me/ops"] = (ROOT, ROOT, FOLDER | 0o755)
    assert found() is None


def test_a_folder_of_ones_own_in_a_sticky_one_is_trusted(
    tree: dict[str, tuple[int, int, int]],
) -> None:
    assert found("/tmp/ops") is None
    tree["/tmp"] = (ROOT, ROOT, FOLDER | 0o777)
    assert found("/tmp/ops") == Distrust(
        "/tmp can be written to by other users", "chmod go-w '/tmp'"
    )


@pytest.mark.parametrize("path", ["/", "/home", "/home/me", "/home/me/ops", "/home/me/ops/a.json"])
def test_anothers_is_not_trusted_wherever_it_lies(
    tree: dict[str, tuple[int, int, int]], path: str
) -> None:
    tree[path] = (OTHER, *tree[path][1:])
    assert found() == Distrust(f"{path} belongs to user {OTHER}, not to you")


@pytest.mark.parametrize("path", ["/", "/home", "/home/me", "/home/me/ops", "/home/me/ops/a.json"])
@pytest.mark.parametrize(("group", "bits"), [(SHARED, 0o020), (PRIVATE, 0o002), (SHARED, 0o022)])
def test_what_others_can_change_or_rename_is_not_trusted(
    tree: dict[str, tuple[int, int, int]], path: str, group: int, bits: int
) -> None:
    tree[path] = (tree[path][0], group, tree[path][2] | bits)
    expected = Distrust(f"{path} can be written to by other users", f"chmod go-w '{path}'")
    assert found() == expected


def test_a_group_of_ones_own_may_write_above_but_not_to_the_cache(
    tree: dict[str, tuple[int, int, int]],
) -> None:
    tree["/home/me"] = (ME, PRIVATE, FOLDER | 0o775)  # as a umask of 002 makes it
    assert found() is None
    tree["/home/me/ops"] = (ME, PRIVATE, FOLDER | 0o770)
    assert found() == Distrust(
        "/home/me/ops can be written to by other users", "chmod go-w '/home/me/ops'"
    )


def test_where_there_are_no_owners_all_is_trusted(
    tree: dict[str, tuple[int, int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    tree["/home/me/ops"] = (OTHER, SHARED, FOLDER | 0o777)
    monkeypatch.delattr(os, "geteuid")
    assert found() is None
