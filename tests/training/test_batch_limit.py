"""Batches that no machine has memory for."""

from __future__ import annotations

import pytest

from regen.errors import ProjectorError, TrainingError
from regen.generators.stylegan2.training.settings import SIZES, TrainingSettings
from regen.projector.settings import ProjectorTrainingSettings
from regen.training.batch_limit import check_batch


@pytest.mark.parametrize("size", SIZES)
def test_the_usual_batches_are_far_from_the_limit(size: int) -> None:
    check_batch(
        "batch", 2 * TrainingSettings.preset(size).batch_images, (size, size), TrainingError
    )
    check_batch("batch", 2 * ProjectorTrainingSettings().batch, (size, size), ProjectorError)


def test_what_is_too_much() -> None:
    message = "batch_images: got 1000000000, expected at most 262144 images of 32x8$"
    with pytest.raises(TrainingError, match=message):
        check_batch("batch_images", 10**9, (8, 32), TrainingError)


def test_each_of_several_processes_has_its_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "4")
    check_batch("batch", 4 * 64, (1024, 1024), ProjectorError)
    message = "batch: got 257, expected at most 256 images of 1024x1024 in 4 processes$"
    with pytest.raises(ProjectorError, match=message):
        check_batch("batch", 257, (1024, 1024), ProjectorError)


def test_one_image_is_never_too_much() -> None:
    check_batch("batch", 1, (100_000, 100_000), TrainingError)
