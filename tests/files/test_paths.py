"""`regen.files.paths`: what is no path is told, in place of a path."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from regen.errors import EditsError, StoreError
from regen.files.paths import checked_path


class Place:
    """A path of a library of somebody else's."""

    def __init__(self, path: object) -> None:
        self.path = path

    def __fspath__(self) -> object:
        return self.path


@pytest.mark.parametrize(
    "path", ["a/b.png", Path("a/b.png"), PurePosixPath("a/b.png"), Place("a/b.png")]
)
def test_every_kind_of_path_becomes_text(path: object) -> None:
    assert checked_path(path, StoreError, "file") == "a/b.png"


@pytest.mark.parametrize(
    ("path", "got"),
    [
        *((None, "NoneType"), (3, "int"), (b"a.png", "bytes"), (["a.png"], "list")),
        *((Path, "type"), ("", "an empty text"), ("a\0b", r"'a\x00b'"), ("a\ud800", r"'a\ud800'")),
    ],
)
def test_what_is_no_path(path: object, got: str) -> None:
    with pytest.raises(EditsError) as raised:
        checked_path(path, EditsError, "edits file", expected="its path")
    assert str(raised.value).startswith(f"edits file: got {got}, expected its path")


def test_a_path_of_bytes_is_none() -> None:
    with pytest.raises(StoreError, match="^file: got Place, expected a path; look again$"):
        checked_path(Place(b"a"), StoreError, "file", remedy="look again")


def test_names_of_files_that_are_not_in_utf_8_are_paths() -> None:
    assert checked_path("a\udcff", StoreError, "file") == "a\udcff"
