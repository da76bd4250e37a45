"""Six of the trials of `make kill-trials`, at instants that do not depend on any clock."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers import editor_hand
from tests.helpers.browser import running
from tests.helpers.killed import COMMANDS, make_world, session, unwanted
from tests.kill_trials import Row, table

ROOT = Path(__file__).parents[1]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="trials are forked")
def test_what_was_killed_ends_as_if_nobody_had() -> None:
    """In a process of its own: this one may have computed, which forbids to fork."""
    pytest.importorskip("uvicorn", reason="the editor's extra is not installed")
    command = [sys.executable, "-m", "tests.kill_trials", "--trials", "6", "--seed", "0"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    ran = subprocess.run(
        [*command, "--at", "events", "bytes"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    head, *rows = (line.split() for line in ran.stdout.splitlines()[:6])
    assert head == ["command", "trials", "kills", "resumed", "run", "again", "lost", "differing"]
    assert [row[0] for row in rows] == [*COMMANDS, "all"]
    assert rows[-1][1] == "6" and int(rows[-1][2]) >= 6 and rows[-1][-2:] == ["0", "0"]


def test_what_went_wrong_is_counted_and_shown() -> None:
    shown = table({"a": Row(trials=2, kills=3, lost=["at byte 5: why"]), "b": Row(differing=["x"])})
    assert shown.splitlines()[3].split() == ["all", "2", "3", "0", "0", "1", "1"]
    assert shown.splitlines()[4:] == ["lost: a at byte 5: why", "differing: b x"]


def test_a_run_that_leaves_too_much_is_noticed(tmp_path: Path) -> None:
    for name in ("events.out.tfevents.1", "events.out.tfevents.2", ".x.part", "a"):
        (tmp_path / name).touch()
    found = sorted(unwanted(tmp_path))
    assert found == [".x.part", "events.out.tfevents.1", "events.out.tfevents.2"]


def test_a_rule_that_is_not_whole_is_noticed(tmp_path: Path) -> None:
    rule = tmp_path / "rules" / "a"
    rule.mkdir(parents=True)
    for name in ("edits.json", "settings.json", "losses.json"):
        (rule / name).touch()
    assert unwanted(tmp_path) == ["a without rewrite.safetensors"]


def test_sessions_that_differ_in_keys_alone_are_equal(tmp_path: Path) -> None:
    for name, key in (("a", "01234567"), ("b", "89abcdef"), ("c", "89abcdef")):
        rule = tmp_path / name / "rules" / key
        rule.mkdir(parents=True)
        (rule / "edits.json").write_text(name if name == "c" else "")
        kept = json.dumps({"rules": [{"key": key}], "painting": key})
        (tmp_path / name / "session.json").write_text(kept)
    first, second, third = (session(tmp_path / name) for name in "abc")
    assert first == second != third


def test_what_an_editor_showed_and_lost_is_noticed(tmp_path: Path) -> None:
    pytest.importorskip("uvicorn", reason="the editor's extra is not installed")
    make_world(tmp_path)
    (tmp_path / editor_hand.NOTES).write_text("..")
    words = (str(tmp_path / "g.safetensors"), "--edits", str(tmp_path / "edits.json"))
    wanted = pytest.raises(AssertionError, match="gesture 0 was shown, and is lost")
    with running(tmp_path / "out", *words) as command, wanted:
        editor_hand.work(tmp_path, command.address.removeprefix("http://").rstrip("/"))
