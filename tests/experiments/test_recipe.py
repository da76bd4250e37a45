"""What the recipes of generators share."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from PIL import Image

from experiments.recipe import card, write_results


def test_results_are_written_with_their_training_and_printed_without(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "settings.json").write_text('{"steps": 2}')
    (tmp_path / "log.jsonl").write_text('{"step": 1}\n{"step": 2}\n')
    write_results("cats", {"l1": 0.5}, tmp_path, torch.zeros(1, 3, 4, 6), tmp_path / "results")
    written = json.loads((tmp_path / "results" / "cats_generator.json").read_text())
    training = {"settings": {"steps": 2}, "log": [{"step": 1}, {"step": 2}]}
    assert written == {"l1": 0.5, "training": training}
    with Image.open(tmp_path / "results" / "cats_generator.png") as sheet:
        assert sheet.size == (6, 4)
    assert json.loads(capsys.readouterr().out) == {"l1": 0.5}


def test_a_card_names_the_recipe() -> None:
    assert "experiments/inpaint " in card("inpaint")["provenance"]
