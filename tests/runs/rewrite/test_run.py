"""`regen.runs.rewrite.run`: what a program gets from a run, beside its folder."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from regen.edits.schema import read_edits
from regen.files.run_files import PARTIAL_FILE
from regen.report import RewriteReport, write_report
from regen.rewriting.rewrite import Rewrite
from regen.rewriting.settings import FitSettings, RewriteSettings
from regen.runs.rewrite import conclude
from regen.runs.rewrite.run import run_rewrite

FIT = FitSettings(steps=3, preserve=2, precision="fp32")
SETTINGS = RewriteSettings(fit=FIT, measured_seeds=2)


def test_the_outcome_is_what_the_folder_holds(world: Any) -> None:
    out = Path("out")
    out.mkdir()
    (out / PARTIAL_FILE).write_bytes(b"of an earlier run")
    outcome = run_rewrite(read_edits("edits.json"), out, SETTINGS, command="regen again")
    saved = Rewrite.load(out / "rewrite.safetensors")
    assert all(torch.equal(saved.deltas[name], d) for name, d in outcome.rewrite.deltas.items())
    assert outcome.metrics == json.loads((out / "metrics.json").read_text())
    assert set(outcome.metrics["seconds"]) == {
        *("load", "project", "key moments", "fit", "measure", "report", "total"),
    }
    assert (outcome.report, outcome.layers) == (out / "report.html", None)
    assert "regen again" in outcome.report.read_text()
    assert outcome.use.startswith("regen generate --generator ")
    assert outcome.use.endswith("--rewrite out/rewrite.safetensors --seeds 0-63 -o out/sheet")
    assert PARTIAL_FILE not in world.left()
    recorded = json.loads((out / "settings.json").read_text())
    assert (recorded["fit"]["steps"], recorded["measured_seeds"]) == (3, 2)


def test_the_times_are_of_everything_also_of_writing_the_report(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(folder: Path, report: RewriteReport) -> Path:
        time.sleep(0.5)
        return write_report(folder, report)

    monkeypatch.setattr(conclude, "write_report", slow)
    seconds = run_rewrite(read_edits("edits.json"), "out", SETTINGS).metrics["seconds"]
    stages = [value for name, value in seconds.items() if name != "total"]
    assert seconds["report"] >= 0.5 and seconds["total"] >= sum(stages) - 0.01
