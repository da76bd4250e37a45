from __future__ import annotations

import pytest

from regen.errors import TrainingError
from regen.generators.stylegan2.training.augmentation_settings import Augmentation
from regen.generators.stylegan2.training.divergence import DivergenceMonitor
from regen.generators.stylegan2.training.settings import TrainingSettings

SETTINGS = TrainingSettings(batch_images=10, stop_window_kimg=0.05)  # five steps
LOST = {"generator": 9.0, "real_sign": 1.0, "discriminator": 0.001}


def test_a_failed_training_is_stopped_with_advice() -> None:
    monitor = DivergenceMonitor(SETTINGS)
    for step in range(4):
        monitor.update(LOST, step)
    with pytest.raises(TrainingError) as raised:
        monitor.update(LOST, 4)
    assert str(raised.value) == (
        "training stopped in step 4, the discriminator wins: over the last 0.05 kimg the mean "
        "sign of its logits of real images is 1.00 (limit 0.95) and the generator's loss 9.0 "
        "(limit 8); raise r1_gamma (now 1), lower discriminator_lr (now 0.002), start from a "
        "trained generator with --init-from, or add images; if there is a checkpoint, --resume "
        "with --length-kimg 0.001 saves its generator, and --init-from starts from that in a new "
        "folder"
    )


def test_the_first_advice_is_augmentation() -> None:
    monitor = DivergenceMonitor(
        TrainingSettings(batch_images=10, stop_window_kimg=0.01, augmentation=Augmentation.none())
    )
    with pytest.raises(TrainingError, match=r"; use augmentation, raise r1_gamma"):
        monitor.update(LOST, 0)


@pytest.mark.parametrize("better", [{"generator": 7.0}, {"real_sign": 0.9}])
def test_either_alone_does_no_harm(better: dict[str, float]) -> None:
    monitor = DivergenceMonitor(SETTINGS)
    for step in range(50):
        monitor.update({**LOST, **better}, step)


def test_a_moment_does_no_harm() -> None:
    monitor = DivergenceMonitor(SETTINGS)
    for step in range(60):
        monitor.update(LOST if step % 5 else {**LOST, "generator": 0.5}, step)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_losses_must_be_finite(value: float) -> None:
    with pytest.raises(TrainingError, match=r"in step 3: r1: got (nan|inf), expected a finite"):
        DivergenceMonitor(SETTINGS).update({"generator": 1.0, "real_sign": 0.0, "r1": value}, 3)


def test_steps_of_the_discriminator_alone_do_not_count() -> None:
    monitor = DivergenceMonitor(SETTINGS)
    for step in range(20):
        monitor.update({"real_sign": 1.0, "discriminator": 0.0}, step)
