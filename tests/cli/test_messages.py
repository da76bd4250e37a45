"""How a command ends: with one message, or as a bug."""

from __future__ import annotations

import subprocess
import sys

import pytest
from click.testing import CliRunner

from regen.cli import main


def test_python_m_regen() -> None:
    words = [sys.executable, "-m", "regen", "generate", "--seeds", "x", "-o", "out"]
    result = subprocess.run(words, capture_output=True, text=True)
    assert result.returncode == 2
    assert (
        result.stderr.startswith("Usage: regen generate") and "'x' is not a list" in result.stderr
    )


def test_the_bare_command_prints_its_help() -> None:
    result = CliRunner().invoke(main, [])
    assert result.output == CliRunner().invoke(main, ["--help"]).output
    assert result.output.startswith("Usage: ") and "\n  generate  " in result.output


def test_a_bug_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down() -> None:
        raise ValueError("a bug")

    monkeypatch.setattr("regen.doctor.diagnose", break_down)
    with pytest.raises(ValueError, match="a bug"):
        CliRunner().invoke(main, ["doctor"], catch_exceptions=False)
