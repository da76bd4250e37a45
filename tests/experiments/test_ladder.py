from __future__ import annotations

from typing import Any

from experiments.ladder import PATTERNS, table
from regen.edits.schema import read_edits


def rung(name: str, lpips: float) -> dict[str, Any]:
    return {
        "rung": name,
        "inside": {"lpips": lpips, "l1": 0.5},
        "outside": {"lpips": 0.01, "l1": 0.1},
    }


def test_every_pattern_has_an_edits_file_for_aligned_faces() -> None:
    for pattern in PATTERNS:
        edits = read_edits(f"examples/faces_{pattern}.json")
        assert edits.generator == "london-faces"
        assert edits.oracle is not None
        assert [len(edit.targets) for edit in edits.edits] == [3]


def test_the_table_has_a_line_for_each_rung() -> None:
    lines = table({"cat_eyes": [rung("before", 0.04), rung("unseen", 0.02)]}).splitlines()
    assert lines[2] == "| cat_eyes | before | 0.0400 | 0.500 | 0.0100 |"
    assert len(lines) == 4
