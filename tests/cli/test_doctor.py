"""`regen doctor`: what it prints, and its exit code."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from regen.cli import main
from regen.doctor import Check

GOOD = [Check("python", "ok", "3.12.1"), Check("lpips", "warn", "no weights", "download them")]


def test_checks_are_lines_with_remedies_below(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("regen.doctor.diagnose", lambda: GOOD)
    result = CliRunner().invoke(main, ["doctor"])
    assert result.exit_code == 0 and result.stderr == ""
    assert result.stdout.splitlines() == [
        "ok    python  3.12.1",
        "warn  lpips   no weights",
        "              -> download them",
    ]


def test_a_failure_gives_exit_code_1(monkeypatch: pytest.MonkeyPatch) -> None:
    bad = Check("torch", "fail", "1.13 is too old", "upgrade")
    monkeypatch.setattr("regen.doctor.diagnose", lambda: [*GOOD, bad])
    result = CliRunner().invoke(main, ["doctor"])
    assert result.exit_code == 1 and result.stderr == "1 of 3 checks failed\n"
    assert "FAIL  torch   1.13 is too old" in result.stdout.splitlines()


def test_on_this_machine_without_a_network(empty_torch_home: Path) -> None:
    result = CliRunner().invoke(main, ["doctor"])
    assert result.exit_code in (0, 1) and "device cpu" in result.stdout
    assert f"to {empty_torch_home / 'hub' / 'checkpoints'}" in result.stdout
    assert (result.exit_code == 1) == ("FAIL" in result.stdout)
