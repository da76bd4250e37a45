from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from experiments.tables.provenance import peak_memory, provenance
from experiments.tables.rows import Measured, json_row
from experiments.tables.write import to_csv, write_tables

METRICS = ("ssim", "seconds")
LPIPS = {"backbone": None, "version": None, "resolution": 32, "unavailable": "no weights"}


@pytest.fixture
def document() -> dict[str, Any]:
    rows = [
        json_row({"row": "a", "targets": 1}, Measured({"ssim": 0.5, "seconds": 3.25}), METRICS),
        json_row(
            {"row": "b", "targets": 3},
            Measured({"ssim": 0.75, "seconds": None}, {"ssim": (0.7, 0.8)}),
            METRICS,
        ),
    ]
    return {"rows": rows, "provenance": provenance("experiments.x", {"seed": 1}, LPIPS)}


def test_csv_has_bounds_beside_what_has_an_interval(document: dict[str, Any]) -> None:
    lines = list(csv.DictReader(io.StringIO(to_csv(document["rows"], METRICS, ("row", "targets")))))
    assert list(lines[0]) == ["row", "targets", "ssim", "ssim_low", "ssim_high", "seconds"]
    assert lines[0]["ssim_low"] == "" and lines[0]["seconds"] == "3.25"
    assert lines[1]["ssim_high"] == "0.8" and lines[1]["seconds"] == ""


def test_all_three_files_are_written(document: dict[str, Any], tmp_path: Path) -> None:
    folder = tmp_path / "new"
    write_tables(
        folder, "t", document, METRICS, title="A table", notes=["A note."], group=("targets",)
    )
    text = (folder / "t.md").read_text()
    assert "## 1 target\n" in text and "## 3 targets\n" in text
    assert "| a | 0.500 | 3.2 |" in text
    assert "| b | 0.750 ±0.050 | – |" in text
    assert "LPIPS could not be measured (no weights)" in text
    assert json.loads((folder / "t.json").read_text())["rows"][1]["intervals"]["ssim"] == [0.7, 0.8]
    assert (folder / "t.csv").is_file()


def test_provenance_says_how_to_repeat_it(document: dict[str, Any]) -> None:
    about = document["provenance"]
    assert about["command"].startswith("python -m experiments.x")
    assert about["settings"] == {"seed": 1}
    assert about["hardware"]["threads"] >= 1
    assert set(about["software"]) == {"python", "torch", "numpy", "scipy", "lpips"}


def test_peak_memory_sees_what_was_held_for_a_moment_and_not_what_was_held_before() -> None:
    size = 200_000_000
    with peak_memory() as idle:
        pass
    with peak_memory() as busy:
        bytearray(size)[::4096] = b"x" * len(range(0, size, 4096))
    with peak_memory() as after:
        pass
    assert idle.megabytes is not None and busy.megabytes is not None
    assert busy.megabytes > idle.megabytes + 150
    if Path("/proc/self/clear_refs").exists():
        assert after.megabytes is not None and after.megabytes < busy.megabytes - 100
