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


def test_the_run_folder_of_a_training_is_its_generator(tmp_path):
    (tmp_path / "runs" / "mine").mkdir(parents=True)
    for folder in ("runs/mine", "./runs"):
        assert ": got a folder, expected a file" in message(NameOrFile, folder, tmp_path)
    trained = tmp_path / "runs" / "mine" / "generator.safetensors"
    trained.write_text("")
    assert read(NameOrFile, "runs/mine", tmp_path) == str(trained)
    assert ": got a folder, expected a file" in message(ExistingFile, "runs/mine", tmp_path)


def test_base64_without_its_prefix_is_recognised(tmp_path):
    found = message(ExistingFile, "iVBORw0KGgo" * 4000, tmp_path)
    assert found == (
        f'e.json: "{("iVBORw0KGgo" * 9)[:56]}... does not exist; '
        'an image inside the file starts with "data:image/png;base64,"'
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "https://example.org/cat.png",
            'got the address "https://example.org/cat.png", expected a path; download it, and give',
        ),
        ("file:///home/cat.png", 'got the address "file:///home/cat.png", expected a path; leave'),
        ("~/cat.png", "~/cat.png does not exist; write the path of your home folder out in place"),
        ("DATA:image/png;base64,AAAA", 'an image inside the file starts with "data:image/png;bas'),
        ("C:/cat.png", "C:/cat.png does not exist; paths are relative to the edits file"),
    ],
)
def test_what_other_programs_take_for_paths_is_explained(text, said, tmp_path):
    assert said in message(ExistingFile, text, tmp_path)


def test_a_folder_whose_name_looks_like_an_address_is_looked_into(tmp_path):
    (tmp_path / "ab:").mkdir()
    (tmp_path / "ab:" / "cat.png").write_text("")
    assert read(ExistingFile, "ab:/cat.png", tmp_path) == str(tmp_path / "ab:" / "cat.png")
