"""`regen.runs.info`: what `tests/cli/test_info.py` does not see."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from regen.files import tensor_file
from regen.runs.info import describe, rewrite_changes


def test_changes_are_relative_to_the_norm() -> None:
    deltas = {"b": torch.tensor([3.0, -4.0]), "a": torch.ones(2), "c": torch.zeros(0)}
    base = {"a": torch.zeros(2), "b": torch.tensor([0.0, 10.0]), "c": torch.zeros(0)}
    assert rewrite_changes(deltas, base) == [
        {"name": "a", "shape": [2], "largest": 1.0, "relative": None},
        {"name": "b", "shape": [2], "largest": 4.0, "relative": 0.5},
        {"name": "c", "shape": [0], "largest": 0.0, "relative": None},
    ]


def test_changes_of_whole_numbers_and_truth_values_are_shown() -> None:
    deltas = {"a": torch.tensor([True, False]), "b": torch.tensor([-2, 1], dtype=torch.int8)}
    found = rewrite_changes(deltas, {"a": torch.ones(1), "b": torch.ones(1)})
    assert [change["largest"] for change in found] == [1.0, 2.0]


@pytest.mark.parametrize(
    ("format", "entry"), [("projector", "stopped_after_kimg"), ("generator", "kimg")]
)
def test_how_long_a_folders_result_was_trained(format: str, entry: str, tmp_path: Path) -> None:
    path = tmp_path / f"{format}.safetensors"
    header = {"format": format, "version": 1}
    tensor_file.save(path, {"a": torch.ones(1)}, {**header, entry: 0.144})
    assert describe(tmp_path)["trained_kimg"] == 0.144
    tensor_file.save(path, {"a": torch.ones(1)}, header)
    assert "trained_kimg" not in describe(tmp_path)
    path.write_bytes(b"damaged")
    assert "trained_kimg" not in describe(tmp_path)
