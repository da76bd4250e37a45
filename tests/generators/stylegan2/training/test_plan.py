"""StyleGAN2's trainer by the protocol of `regen.generators.trainer` alone."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from regen.errors import TrainingError
from regen.generators.families import trainer_of
from regen.generators.registry import open_generator
from regen.generators.stylegan2.files import save_stylegan2
from regen.generators.stylegan2.generator import StyleGAN2
from regen.generators.stylegan2.training.discriminator import Discriminator
from regen.generators.stylegan2.training.discriminator_init import as_stored
from regen.generators.stylegan2.training.settings import TrainingSettings
from regen.generators.trainer import FamilyTrainer, Listeners

CPU = torch.device("cpu")
GIVEN = {
    "length_kimg": 0.016,
    "batch_images": 8,
    "channel_base": 128,
    "channel_max": 8,
    "precision": "fp32",
}


@pytest.fixture
def trainer() -> FamilyTrainer:
    return trainer_of("stylegan2")


def test_options_have_the_defaults_of_the_size(trainer: FamilyTrainer) -> None:
    options, preset = trainer.options(64), TrainingSettings.preset(64)
    assert options["r1_gamma"] == preset.r1_gamma and options["augment"] is True
    assert options["init_from"] is None and "augmentation" not in options
    with pytest.raises(TrainingError, match="size: got 48, expected 16 or 32"):
        trainer.options(48)


def test_a_plan_is_the_preset_with_what_is_given(trainer: FamilyTrainer) -> None:
    plan = trainer.plan(64, {"seed": 3, "length_kimg": 1.6, "augment": False})
    settings = plan.settings()
    assert (plan.size, plan.batch_images, plan.steps) == (64, 16, 100)
    assert (settings["seed"], settings["size"], settings["r1_gamma"]) == (3, 64, 0.0512)
    assert set(settings["augmentation"].values()) == {0} and 64 in plan.sizes


@pytest.mark.parametrize(
    ("size", "given", "message"),
    [
        (16, {"sede": 3}, "training options: got sede, expected augment, augmentation_kimg, "),
        (16, {"augmentation": None}, "training options: got augmentation, "),
        (16, {"r1_gamma": -1}, "r1_gamma: got -1, expected 0 or more"),
        (16, {"r1_gamma": "much"}, "r1_gamma: got much, expected 0 or more"),
        (48, {}, "size: got 48"),
    ],
)
def test_plans_that_cannot_be(
    trainer: FamilyTrainer, size: int, given: dict[str, object], message: str
) -> None:
    with pytest.raises(TrainingError) as raised:
        trainer.plan(size, given)
    assert str(raised.value).startswith(message)


def test_a_discriminator_that_is_not_trained_gets_its_warm_up(
    trainer: FamilyTrainer, tiny: StyleGAN2, tmp_path: Path
) -> None:
    alone, both = tmp_path / "alone.safetensors", tmp_path / "both.safetensors"
    save_stylegan2(alone, tiny, card={})
    save_stylegan2(both, tiny, card={}, discriminator=as_stored(Discriminator(tiny.config)))
    names = ("generator_wait_kimg", "generator_lr")
    for path, given, expected in (
        (both, {}, [0.0, 0.002]),
        (alone, {}, [4.0, 0.0005]),
        (alone, {"generator_lr": 0.003}, [4.0, 0.003]),
        (alone, {"generator_wait_kimg": 0.0}, [0.0, 0.0005]),
    ):
        settings = trainer.plan(16, {"init_from": path, **given}).settings()
        assert [settings[name] for name in names] == expected


def test_advice_is_for_few_images_without_augmentation(trainer: FamilyTrainer) -> None:
    plain = trainer.plan(16, {"augment": False})
    (advice,) = plain.advice(1999)
    assert "the discriminator soon memorises them" in advice
    assert plain.advice(2000) == trainer.plan(16, {}).advice(100) == []


def test_images_that_any_training_memorises(trainer: FamilyTrainer) -> None:
    (advice,) = trainer.plan(16, {}).advice(99)
    assert advice.startswith("So few images will be memorised, ") and "about 100 are" in advice
    assert len(trainer.plan(16, {"augment": False}).advice(3)) == 2


def test_a_training_from_the_plan_to_the_result(
    trainer: FamilyTrainer, images: Tensor, tmp_path: Path
) -> None:
    steps = list[int]()
    plan = trainer.plan(16, GIVEN)
    training = plan.initialize(CPU, print)
    finished = training.train(
        images, folder=tmp_path, resume=False, minutes=None, listeners=Listeners(steps.append)
    )
    assert steps == [1, 2] and finished.steps_done == plan.steps == 2
    assert finished.notes() == []
    assert finished.generator.family == "stylegan2" and finished.discriminator is not None
    assert finished.discriminator.image_size == finished.generator.image_size == (16, 16)
    card = finished.card()
    assert card["training"]["batch_images"] == 8 and "begun_from" not in card


def test_samples_of_the_result(trainer: FamilyTrainer, images: Tensor, tmp_path: Path) -> None:
    training = trainer.plan(16, GIVEN).initialize(CPU, print)
    finished = training.train(
        images, folder=tmp_path, resume=False, minutes=None, listeners=Listeners()
    )
    first = finished.sample([3, 4])
    assert first.shape == (2, 3, 16, 16) and not first.requires_grad
    torch.testing.assert_close(finished.sample([4])[0], first[1], atol=1e-4, rtol=1e-4)
    assert torch.equal(finished.sample([3, 4]), first)
    varied = finished.sample([3, 4], vary_noise=True)
    assert not torch.equal(varied, first)
    assert torch.equal(finished.sample([3, 4], vary_noise=True), varied)


def test_what_a_training_was_started_from_is_on_its_card(
    trainer: FamilyTrainer, tiny: StyleGAN2, images: Tensor, tmp_path: Path
) -> None:
    path = tmp_path / "mine.safetensors"
    save_stylegan2(path, tiny, card={"licence": "CC BY 4.0", "attribution": "A. Painter"})
    given = {"init_from": path, "length_kimg": 0.016, "batch_images": 8, "precision": "fp32"}
    plan = trainer.plan(16, {**given, "generator_wait_kimg": 0.008})
    folder = tmp_path / "run"
    said: list[str] = []
    finished = plan.initialize(CPU, said.append).train(
        images, folder=folder, resume=False, minutes=1e-9, listeners=Listeners()
    )
    terms = "begun from mine.safetensors: licence CC BY 4.0; attribution A. Painter"
    assert finished.card()["attribution"] == terms
    assert said[-1] == f"The result's file will say: {terms}"
    assert finished.steps_done == 1
    assert finished.notes() == [
        "The generator has not learned yet: so far the discriminator trained alone"
    ]
    started = finished.card()["begun_from"]
    assert started == {"name": "mine.safetensors", "digest": open_generator(path).digest()}
