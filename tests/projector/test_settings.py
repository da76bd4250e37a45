from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from regen.errors import ProjectorError
from regen.projector.settings import CompositeSettings, ProjectorTrainingSettings


def test_lengths_in_steps() -> None:
    config = ProjectorTrainingSettings(kimg=1.6, batch=16)
    assert config.steps == 100
    assert config.steps_of(0.32) == 20
    assert config.steps_of(1e-6) == 1


def test_the_papers_choices() -> None:
    paper = ProjectorTrainingSettings(seed=5, context="swap").paper()
    assert (paper.composites, paper.context, paper.schedule, paper.seed) == (
        0,
        "own",
        "constant",
        5,
    )


def test_lists_are_accepted_as_json_has_them() -> None:
    pastes = CompositeSettings(pastes=[1, 2], radius=[3, 4])  # type: ignore[arg-type]
    config = ProjectorTrainingSettings(pastes=pastes)
    assert config == ProjectorTrainingSettings(
        pastes=CompositeSettings(pastes=(1, 2), radius=(3, 4))
    )


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("kimg", 0.0, "kimg: got 0.0, expected a number above 0"),
        ("batch", 0, "batch: got 0, expected an integer above 0"),
        ("lr", float("nan"), "lr: got nan, expected a number above 0"),
        ("lr", float("inf"), "lr: got inf, expected a number above 0"),
        ("window", float("inf"), "window: got inf, expected an integer, 0 or more"),
        ("r1_gamma", float("inf"), "r1_gamma: got inf, expected a number, 0 or more"),
        ("lr", "fast", "lr: got fast, expected a number above 0"),
        ("lr", True, "lr: got True, expected a number above 0"),
        ("batch", 1.5, "batch: got 1.5, expected an integer above 0"),
        ("adversarial", -1.0, "adversarial: got -1.0, expected a number, 0 or more"),
        ("paste_weight", -1.0, "paste_weight: got -1.0, expected a number, 0 or more"),
        ("schedule", "linear", "schedule: got linear, expected cosine or constant"),
        ("context", "none", "context: got none, expected own or mean or swap"),
        ("precision", "half", "precision: got half, expected auto or fp32 or bf16"),
        ("composites", 1.5, "composites: got 1.5, expected a share, 0 to 1"),
    ],
)
def test_values_out_of_range_are_refused(name: str, value: object, message: str) -> None:
    with pytest.raises(ProjectorError, match=message):
        ProjectorTrainingSettings(**{name: value})  # type: ignore[arg-type]


def test_numbers_of_numpy_become_those_of_python() -> None:
    config = ProjectorTrainingSettings(batch=np.int64(4), lr=np.float32(0.5))  # type: ignore[arg-type]
    assert (type(config.batch), type(config.lr), config.lr) == (int, float, 0.5)


def test_training_towards_nothing_is_refused() -> None:
    with pytest.raises(ProjectorError, match="no loss with a weight, expected at least one"):
        ProjectorTrainingSettings(feature_l1=0, adversarial=0, semi_cycle_l1=0, semi_cycle_ssim=0)


def test_a_batch_of_one_has_nothing_to_swap() -> None:
    with pytest.raises(ProjectorError, match="batch: got 1, expected 2 or more to swap contexts"):
        ProjectorTrainingSettings(batch=1, context="swap")


def test_torch_is_not_imported_for_defaults() -> None:
    program = "import sys, regen.projector.settings; sys.exit('torch' in sys.modules)"
    root = Path(__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", program], cwd=root).returncode == 0
