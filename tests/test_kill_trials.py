"""Six of the trials of `make kill-trials`, at instants that do not depend on any clock."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import kill_trials
from tests.kill_trials import Row, table

ROOT = Path(__file__).parents[1]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="trials are forked")
def test_what_was_killed_ends_as_if_nobody_had() -> None:
    """In a process of its own: this one may have computed, which forbids to fork."""
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
    head, *rows = (line.split() for line in ran.stdout.splitlines()[:5])
    assert head == ["command", "trials", "kills", "resumed", "run", "again", "lost", "differing"]
    assert [row[0] for row in rows] == ["rewrite", "train-projector", "train-generator", "all"]
    assert rows[-1][1] == "6" and int(rows[-1][2]) >= 6 and rows[-1][-2:] == ["0", "0"]


def test_what_went_wrong_is_counted_and_shown() -> None:
    shown = table({"a": Row(trials=2, kills=3, lost=["at byte 5: why"]), "b": Row(differing=["x"])})
    assert shown.splitlines()[3].split() == ["all", "2", "3", "0", "0", "1", "1"]
    assert shown.splitlines()[4:] == ["lost: a at byte 5: why", "differing: b x"]


def test_a_run_that_leaves_too_much_is_noticed(tmp_path: Path) -> None:
    for name in ("events.out.tfevents.1", "events.out.tfevents.2", ".x.part", "a"):
        (tmp_path / name).touch()
    found = sorted(kill_trials.unwanted(tmp_path))
    assert found == [".x.part", "events.out.tfevents.1", "events.out.tfevents.2"]
