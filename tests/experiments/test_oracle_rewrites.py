"""Rewrites that are compared with an oracle; the recipes' tests learn and measure some."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from PIL import Image

from experiments.oracle_rewrites import Measured, measure_all


def test_each_edits_file_is_measured_printed_and_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(path: Path) -> Measured:
        return {"ratio": float(len(path.stem))}, torch.zeros(1, 3, 4, 6)

    rows = measure_all([Path("hat.json"), Path("some/nose.json")], run, tmp_path)
    assert rows == {"hat": {"ratio": 3.0}, "nose": {"ratio": 4.0}}
    assert json.loads(capsys.readouterr().out.partition("}\n{")[0] + "}") == {"hat": rows["hat"]}
    for name in rows:
        with Image.open(tmp_path / f"{name}.png") as sheet:
            assert sheet.size == (6, 4)
