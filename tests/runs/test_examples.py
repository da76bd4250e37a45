"""`regen.runs.examples`: the examples in a folder of the user's."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from regen.edits.schema import read_edits
from regen.errors import StoreError
from regen.runs.examples import SCHEMA, copy_examples, examples_folder, generator_of

ROOT = Path(__file__).parents[2]


def contents(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def test_every_example_can_be_read_where_it_was_copied_to(tmp_path: Path) -> None:
    made = copy_examples(tmp_path / "new" / "mine")
    assert [path.name for path in made] == sorted(
        p.name for p in (ROOT / "examples").glob("*.json")
    )
    for path in made:
        edits = read_edits(path)  # which finds its images
        assert edits.generator == generator_of(path)
        assert f'"$schema": "{SCHEMA}"' in path.read_text(encoding="utf-8")
    schema = (ROOT / "docs" / SCHEMA).read_bytes()
    assert (tmp_path / "new" / "mine" / SCHEMA).read_bytes() == schema


def test_again_is_no_error_and_brings_back_what_is_gone(tmp_path: Path) -> None:
    first = copy_examples(tmp_path)
    before = contents(tmp_path)
    first[0].unlink()
    assert copy_examples(tmp_path) == first
    assert contents(tmp_path) == before


def test_a_file_of_the_users_is_kept_and_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "eyes.json").write_text("mine")
    with pytest.raises(StoreError, match=r"eyes\.json is there already, .*; choose another folder"):
        copy_examples(tmp_path)
    assert contents(tmp_path) == {"eyes.json": b"mine"}


def test_a_folder_of_the_users_in_the_place_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "eyes.json").mkdir()
    with pytest.raises(StoreError, match=r"eyes\.json is there already"):
        copy_examples(tmp_path)


@pytest.mark.parametrize("name", ["eyes.json", "noto/OFL.txt", "translate_hat.json"])
@pytest.mark.parametrize("goal", ["nowhere", "no/where", "."])
def test_a_link_in_the_place_of_a_file(tmp_path: Path, name: str, goal: str) -> None:
    link = tmp_path / "mine" / name
    link.parent.mkdir(parents=True)
    link.symlink_to(link if goal == "." else tmp_path / goal)
    with pytest.raises(StoreError, match=rf"{link.name} (is there already|cannot be compared)"):
        copy_examples(tmp_path / "mine")
    assert contents(tmp_path) == {} and link.is_symlink()


@pytest.mark.parametrize("obstacle", ["a file", "a link that leads nowhere"])
def test_something_else_in_the_place_of_a_folder(tmp_path: Path, obstacle: str) -> None:
    folder = tmp_path / "noto"
    if obstacle == "a file":
        folder.touch()
    else:
        folder.symlink_to(tmp_path / "no" / "where")
    before = contents(tmp_path)
    with pytest.raises(StoreError, match="cannot write .*noto: "):
        copy_examples(tmp_path)
    assert contents(tmp_path) == before


def test_a_file_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy_examples(tmp_path)
    before, read = contents(tmp_path), Path.read_bytes

    def forbidden(path: Path) -> bytes:
        if path == tmp_path / "hat.png":
            raise PermissionError(errno.EACCES, "Permission denied")
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", forbidden)
    (tmp_path / "eyes.json").unlink()
    with pytest.raises(StoreError, match=r"hat\.png cannot be compared .*: Permission denied; cho"):
        copy_examples(tmp_path)
    monkeypatch.undo()
    del before["eyes.json"]
    assert contents(tmp_path) == before


@pytest.mark.parametrize("fails", [0, 7, 20])
def test_a_full_disk_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: int
) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    calls, write = iter(range(100)), Path.write_bytes

    def full(path: Path, data: bytes) -> int:
        if data != b"regen" and next(calls) == fails:  # which is written as a probe
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(StoreError, match="cannot write .*: No space left on device; free some"):
        copy_examples(tmp_path)
    assert contents(tmp_path) == {"mine.txt": b"mine"}


def test_the_folder_they_come_from_stays_as_it_is() -> None:
    before = contents(examples_folder())
    assert copy_examples(examples_folder())[0].name == "dark_sunglasses.json"
    with pytest.raises(StoreError, match="mine lies in the folder that the examples come from; ch"):
        copy_examples(examples_folder() / "noto" / "mine")
    assert contents(examples_folder()) == before


def test_installed_examples_hold_their_schema(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = copy_examples(tmp_path / "package" / "examples")
    monkeypatch.setattr("regen.runs.examples._PACKAGE", tmp_path / "package")
    assert [p.name for p in copy_examples(tmp_path / "mine")] == [p.name for p in made]
    assert contents(tmp_path / "mine") == contents(tmp_path / "package" / "examples")
