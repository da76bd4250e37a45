"""`regen edit` parses, and says what is wrong in one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import regen.editor.run
from regen.cli import main


def test_what_is_passed_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    given: dict[str, Any] = {}
    monkeypatch.setattr(
        regen.editor.run,
        "edit",
        lambda generator, folder, **more: given.update(more, generator=generator, folder=folder),
    )
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "ffhq.pkl").touch()
    runner = CliRunner()
    assert runner.invoke(main, ["edit", "--no-browser"]).exit_code == 0
    assert (given["generator"], str(given["folder"])) == ("portraits", "out/edit/portraits")
    assert (given["host"], given["port"], given["browser"]) == ("127.0.0.1", 0, False)
    assert runner.invoke(main, ["edit", "a/ffhq.pkl", "--port", "80", "-o", "s"]).exit_code == 0
    assert (given["generator"], str(given["folder"]), given["port"]) == ("a/ffhq.pkl", "s", 80)
    assert given["browser"] is True


def test_a_wrong_name_is_refused_before_an_address_is_printed(world: Any) -> None:
    result = world.run("edit", "portrait", "--no-browser", "-o", "out")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("Error: no such generator: got portrait, ")
    assert not (world.folder / "out").exists()


def test_a_missing_generator_or_edits_file_is_one_line(world: Any) -> None:
    for words in (("none",), ("portraits", "--edits", "none.json")):
        result = world.run("edit", *words, "--no-browser")
        assert result.exit_code == 2
        (line,) = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
        assert "none" in line
