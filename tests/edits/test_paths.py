"""`regen.edits.paths`: files that are there, and messages about those that are not."""

import os

import pytest

from regen.edits.paths import ExistingFile, NameOrFile
from regen.edits.validation import validated
from regen.errors import EditsError


def read(kind, value, folder):
    return validated(kind, value, file="e.json", folder=folder)


def message(kind, value, folder):
    with pytest.raises(EditsError) as caught:
        read(kind, value, folder)
    return str(caught.value)


def test_names_and_files(tmp_path):
    (tmp_path / "g.pkl").write_text("")
    assert read(ExistingFile, "g.pkl", tmp_path) == str(tmp_path / "g.pkl")
    assert read(NameOrFile, "g.pkl", tmp_path) == str(tmp_path / "g.pkl")
    assert read(NameOrFile, "portraits", tmp_path) == "portraits"
    expected = f"{tmp_path / 'no/g'} does not exist; paths are relative to the edits file"
    assert message(NameOrFile, "no/g", tmp_path) == f"e.json: {expected}"
    assert message(ExistingFile, "", tmp_path) == 'e.json: got "", expected a path'
    assert message(ExistingFile, ".", tmp_path).endswith(": got a folder, expected a file")
    os.mkfifo(tmp_path / "pipe")
    assert ": got a device or a pipe, expected a" in message(ExistingFile, "pipe", tmp_path)
    remedy = "paths are relative to the edits file"
    assert message(ExistingFile, "../" * 100 + "x", tmp_path).endswith(remedy)
    assert "does not exist" in message(ExistingFile, "a\0b", tmp_path)


def test_base64_without_its_prefix_is_recognised(tmp_path):
    found = message(ExistingFile, "iVBORw0KGgo" * 4000, tmp_path)
    assert found == (
        f'e.json: "{("iVBORw0KGgo" * 9)[:56]}... does not exist; '
        'an image inside the file starts with "data:image/png;base64,"'
    )
