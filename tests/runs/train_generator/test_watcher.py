"""What a generator's training leaves in its folder while it runs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import PIL.Image
import pytest
import torch
from torch import Tensor

from regen.generators.trainer import Report, TrainingPlan
from regen.runs.train_generator.watcher import TrainingWatcher

PLAN = cast(TrainingPlan, cast(Any, SimpleNamespace(steps=10, batch_images=8)))


def watcher(folder: Path, minutes: float | None = None) -> TrainingWatcher:
    images = torch.full((30, 3, 8, 8), 255, dtype=torch.uint8)
    return TrainingWatcher(folder / "run", PLAN, images, {"size": 8}, minutes)


def sample(numbers: Sequence[int], *, vary_noise: bool = False) -> Tensor:
    return torch.stack([torch.full((3, 8, 8), number / 20 - 1) for number in numbers])


def test_reports_go_into_the_logbook(tmp_path: Path) -> None:
    watching = watcher(tmp_path)
    watching.report(Report(step=2, kimg=0.016, scalars={"generator": 0.5}))
    watching.close()
    assert watching.scalars == {"generator": 0.5}
    assert json.loads((tmp_path / "run" / "settings.json").read_text()) == {"size": 8}
    assert len(list((tmp_path / "run").glob("events.out.tfevents.*"))) == 1


def test_snapshots_are_named_by_the_images_shown(tmp_path: Path) -> None:
    watching = watcher(tmp_path)
    for done in (0, 5):
        watching.snapshot(done, sample)
    watching.close()
    folder = tmp_path / "run" / "snapshots"
    names = ["000000.00kimg.png", "000000.04kimg.png", "real.png"]
    assert sorted(path.name for path in folder.iterdir()) == names
    with PIL.Image.open(folder / names[0]) as sheet, PIL.Image.open(folder / "real.png") as real:
        assert sheet.size == real.size == (6 * 10 - 2, 4 * 10 - 2)
        assert real.getpixel((0, 0)) == (255, 255, 255)
        levels = [sheet.getpixel((10 * x, 10 * y)) for y, x in ((0, 0), (0, 5), (3, 5))]
    wanted = [round(127.5 * number / 20) for number in (0, 5, 23)]
    assert [level[0] for level in levels] == pytest.approx(wanted, abs=1)  # type: ignore[index]


def test_the_note_says_the_time_left_and_the_losses(tmp_path: Path, hours_pass: None) -> None:
    watching = watcher(tmp_path, minutes=150)
    watching.scalars = {"discriminator": 1.25, "generator": 0.5, "r1": 3.0}
    assert watching._note() == "at most 1 h 30 min left, G 0.500, D 1.250"
    assert watching._note() == "at most 30 min 0 s left, G 0.500, D 1.250"
    assert watching._note().startswith("at most 0 s left")
