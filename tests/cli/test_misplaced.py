"""A word without an option: the error says which option it was meant for."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from regen.cli import main

CASES = {
    "rewrite portraits --edits x.json": "--generator portraits",
    "rewrite eyes.json": "--edits eyes.json",
    "rewrite portraits eyes.json": "--generator portraits --edits eyes.json",
    "rewrite portriats": "--generator portriats",
    "rewrite --edits eyes.json out/eyes": "-o out/eyes",
    "edit portraits eyes.json": "--edits eyes.json",
    "generate portraits": "--generator portraits",
    "generate 0-63 -o x": "--seeds 0-63",
    "generate sheet": "-o sheet",
    "generate mine -o x": "--generator mine",
    "generate portraits sheet 1,5,7-9": "--generator portraits -o sheet --seeds 1,5,7-9",
    "generate rewrite.safetensors:0.5 -o x": "--rewrite rewrite.safetensors:0.5",
    "generate --rewrite a out/rewrite.safetensors -o x": "--rewrite out/rewrite.safetensors",
    "train-generator photos sheets": "-o sheets",
    "train-projector portraits -o x": "--generator portraits",
    "convert a b out/rewrite.safetensors": "--rewrite out/rewrite.safetensors",
}


def error_of(words: list[str]) -> str:
    result = CliRunner().invoke(main, words)
    assert (result.exit_code, result.stdout) == (2, "")
    return result.stderr.splitlines()[-1]


@pytest.mark.parametrize("line", CASES)
def test_the_option_a_word_was_meant_for(line: str) -> None:
    assert error_of(line.split()).endswith(f" write {CASES[line]}")


def test_nothing_is_said_of_an_empty_word() -> None:
    """No option takes it either."""
    assert error_of(["generate", "", "-o", "x"]).endswith("unexpected extra argument ()")


def test_the_whole_message() -> None:
    assert error_of(["generate", "a;b", "-o", "x"]) == (
        "Error: Got unexpected extra argument (a;b). In place of 'a;b' write --generator 'a;b'"
    )
    assert error_of(["generate", "0-3"]) == (
        "Error: Missing option '-o' / '--output'. In place of 0-3 write --seeds 0-3"
    )


@pytest.mark.parametrize(
    "line",
    [
        "doctor portraits",
        "convert a b c",
        "edit portraits portraits-cats -o x",
        "generate --generator portraits london-faces -o x",
        "rewrite teach it cats",
    ],
)
def test_where_no_option_fits_every_word_the_message_is_clicks(line: str) -> None:
    assert "write" not in error_of(line.split())


def test_a_wrong_option_is_said_first() -> None:
    assert error_of(["rewrite", "portraits", "--nonsense"]).startswith("Error: No such option")
    assert "in place" not in error_of(["rewrite", "portraits", "--steps", "x"]).lower()


def test_run_folders_are_what_is_in_them(tmp_path: Path) -> None:
    for name in ("generator", "rewrite"):
        (tmp_path / name[0]).mkdir()
        (tmp_path / name[0] / f"{name}.safetensors").touch()
        message = error_of(["generate", str(tmp_path / name[0]), "-o", "x"])
        assert message.endswith(f" write --{name} {tmp_path / name[0]}")


def test_words_are_short_and_harmless() -> None:
    message = error_of(["generate", "\x1b[2J" + "x" * 5000, "-o", "x"])
    assert len(message) < 1100 and message.isprintable()
