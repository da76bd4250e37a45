from __future__ import annotations

from dataclasses import replace

import pytest

from regen.errors import RegenError, TrainingError
from regen.generators.stylegan2.training.augmentation_settings import Augmentation
from regen.generators.stylegan2.training.settings import (
    SIZES,
    TrainingSettings,
    architecture_preset,
)


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("length_kimg", 0, "length_kimg: got 0, expected above 0"),
        ("batch_images", -1, "batch_images: got -1, expected above 0"),
        ("r1_gamma", -0.5, "r1_gamma: got -0.5, expected 0 or more"),
        ("generator_lr", float("nan"), "generator_lr: got nan, expected above 0"),
        ("flip_probability", 1.5, "flip_probability: got 1.5, expected a share, 0 to 1"),
        ("minibatch_group_images", 0, "minibatch_group_images: got 0, expected 1 or more"),
        (
            "precision",
            "fp8",
            "precision: got fp8, expected auto or fp32 or bf16 or fp16",
        ),
    ],
)
def test_values_out_of_range(name: str, value: object, text: str) -> None:
    with pytest.raises(TrainingError) as raised:
        replace(TrainingSettings(), **{name: value})
    assert str(raised.value) == text


def test_there_must_be_an_augmentation_to_steer() -> None:
    with pytest.raises(TrainingError, match="augmentation_target: got 0.6, with no augmentation"):
        TrainingSettings(augmentation=Augmentation.none(), augmentation_target=0.6)


def test_steps() -> None:
    settings = TrainingSettings(length_kimg=1.0, batch_images=16)
    assert settings.steps == 62
    assert settings.steps_of(0.001) == 1


def test_presets_grow_with_the_size() -> None:
    gammas = [TrainingSettings.preset(size).r1_gamma for size in SIZES]
    assert gammas == sorted(gammas)
    assert TrainingSettings.preset(256).r1_gamma == 0.8192  # 0.0002 256^2 / 16
    assert TrainingSettings.preset(64).ema_halflife_kimg == 5.0
    for size in SIZES:
        architecture = architecture_preset(size)
        assert architecture.resolution == size and architecture.mapping_lr_multiplier == 0.01
    assert architecture_preset(1024).channels(1024) == 32  # configuration f
    assert architecture_preset(64).channels(64) == 64


def test_warming_up_the_discriminator() -> None:
    settings = TrainingSettings(generator_lr=0.004)
    changed = settings.with_discriminator_warmup()
    assert changed == replace(settings, generator_wait_kimg=4.0, generator_lr=0.001)
    both = {"generator_wait_kimg", "generator_lr"}
    assert settings.with_discriminator_warmup(keep=both) == settings


@pytest.mark.parametrize("size", [0, 48, 2048])
def test_sizes_without_a_preset(size: int) -> None:
    for preset in (TrainingSettings.preset, architecture_preset):
        with pytest.raises(TrainingError, match=f"size: got {size}, expected 16 or 32 or 64"):
            preset(size)


def test_augmentation_out_of_range() -> None:
    with pytest.raises(RegenError, match="augmentation: cutout: got 2, expected 0 to 1"):
        Augmentation(cutout=2)
