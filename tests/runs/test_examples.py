"""`regen.runs.examples`: the examples in a folder of the user's."""

from __future__ import annotations

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
