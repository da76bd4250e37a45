from __future__ import annotations

import copy
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from regen.files.tensor_file import digest
from regen.generators.stylegan2.generator import StyleGAN2
from regen.generators.stylegan2.training.augmentation import augment
from regen.generators.stylegan2.training.augmentation_settings import Augmentation
from regen.generators.stylegan2.training.dataset import Dataset
from regen.generators.stylegan2.training.discriminator import Discriminator
from regen.generators.stylegan2.training.discriminator_init import initialize_discriminator
from regen.generators.stylegan2.training.settings import TrainingSettings
from regen.generators.stylegan2.training.trainer import Trainer, lazy_adam
from regen.training.distributed import Workers
from regen.training.graphs import Graphs
from tests.helpers.recording import Tracer

CPU = torch.device("cpu")


def made(
    generator: StyleGAN2,
    images: Tensor,
    settings: TrainingSettings,
    dtype: torch.dtype = torch.float32,
) -> Trainer:
    data = Dataset(images, seed=settings.seed, flip_probability=0.5, device=CPU)
    judge = initialize_discriminator(generator.config, None, group=4, seed=1).discriminator
    return Trainer(copy.deepcopy(generator), judge, data, settings, Workers(), dtype)


def test_regularisers_are_lazy(tiny: StyleGAN2, images: Tensor, short: TrainingSettings) -> None:
    trainer = made(tiny, images, short)
    steps = [trainer.step() for _ in range(6)]
    assert ["r1" in metrics for metrics in steps] == [True, False] * 3
    due = [True, False, False] * 2
    assert ["path_length_penalty" in metrics for metrics in steps] == due
    always = {"generator", "discriminator", "real_sign", "fake_sign"}
    assert all(always <= set(metrics) for metrics in steps)


def test_without_regularisers(tiny: StyleGAN2, images: Tensor, short: TrainingSettings) -> None:
    plain = replace(short, r1_gamma=0.0, path_length_weight=0.0)
    metrics = made(tiny, images, plain).step()
    assert set(metrics) == {"generator", "discriminator", "real_sign", "fake_sign"}


def test_adam_is_corrected_for_lazy_steps() -> None:
    parameter = torch.nn.Parameter(torch.zeros(1))
    (group,) = lazy_adam([parameter], 0.002, 4).param_groups
    assert group["lr"] == pytest.approx(0.0016)
    assert group["betas"] == (0.0, pytest.approx(0.99**0.8))
    (group,) = lazy_adam([parameter], 0.002, None).param_groups
    assert (group["lr"], group["betas"]) == (0.002, (0.0, 0.99))


def test_both_networks_learn_and_the_average_follows(
    tiny: StyleGAN2, images: Tensor, short: TrainingSettings
) -> None:
    trainer = made(tiny, images, replace(short, ema_halflife_kimg=1.0))
    judge = digest(trainer.discriminator.state_dict())
    for _ in range(3):
        trainer.step()
    assert digest(trainer.discriminator.state_dict()) != judge
    before, now, mean = (g.conv(3).weight for g in (tiny, trainer.generator, trainer.average))
    assert 0 < (mean - before).norm() < 2 * (now - before).norm()
    assert not torch.equal(mean, now)
    assert not trainer.average.training and trainer.average.precision == torch.float32


def test_the_average_has_the_half_life_asked_for(
    tiny: StyleGAN2, images: Tensor, short: TrainingSettings
) -> None:
    """Long after the ramp, the average goes half of the way in a half-life."""
    trainer = made(tiny, images, replace(short, ema_halflife_kimg=0.08))  # ten steps
    trainer.done = 10_000
    with torch.no_grad():
        for parameter in trainer.generator.parameters():
            parameter.fill_(1.0)
        for parameter in trainer.average.parameters():
            parameter.fill_(0.0)
    for _ in range(10):
        trainer._follow()
    assert trainer.average.conv(1).weight.mean().item() == pytest.approx(0.5, abs=1e-4)


def test_the_generator_can_wait(tiny: StyleGAN2, images: Tensor, short: TrainingSettings) -> None:
    trainer = made(tiny, images, replace(short, generator_wait_kimg=0.016))
    untouched = digest(tiny.state_dict())
    steps = [trainer.step() for _ in range(2)]
    assert not any("generator" in metrics for metrics in steps)
    assert digest(trainer.generator.state_dict()) == untouched
    assert "generator" in trainer.step()
    assert digest(trainer.generator.state_dict()) != untouched


def test_the_generator_gets_better_at_what_the_discriminator_sees(
    tiny: StyleGAN2, images: Tensor, short: TrainingSettings
) -> None:
    """With D held still, the generator's loss falls."""
    plain = replace(
        short,
        discriminator_lr=1e-12,
        generator_lr=0.01,
        r1_gamma=0.0,
        path_length_weight=0.0,
        augmentation=Augmentation.none(),
    )
    trainer = made(tiny, images, plain)
    losses = [trainer.step()["generator"] for _ in range(25)]
    assert sum(losses[-5:]) < 0.8 * sum(losses[:5])


def test_the_path_lengths_mean_moves_from_zero(
    tiny: StyleGAN2, images: Tensor, short: TrainingSettings
) -> None:
    trainer = made(tiny, images, short)
    length = trainer.step()["path_length"]
    assert trainer.mean_length.item() == pytest.approx(0.01 * length, rel=1e-5)


def test_each_process_has_its_own_images(
    tiny: StyleGAN2, images: Tensor, short: TrainingSettings
) -> None:
    data = Dataset(images, seed=0, flip_probability=0.5, device=CPU)
    shares = []
    for rank in (0, 1):
        trainer = Trainer(
            copy.deepcopy(tiny),
            Discriminator(tiny.config),
            data,
            short,
            Workers(rank, 2),
            torch.float32,
        )
        trainer.done = 3
        shares += trainer.numbers
    assert shares == list(range(24, 32))


def test_half_precision_trains_alike(
    tiny: StyleGAN2, images: Tensor, short: TrainingSettings
) -> None:
    exact, coarse = made(tiny, images, short), made(tiny, images, short, torch.bfloat16)
    for _ in range(3):
        wide, narrow = exact.step(), coarse.step()
        for name in ("generator", "discriminator", "r1", "path_length"):
            if name in wide:
                assert narrow[name] == pytest.approx(wide[name], rel=0.2, abs=0.05)
    weight = coarse.generator.conv(1).weight
    assert weight.dtype == torch.float32 and not torch.equal(weight, exact.generator.conv(1).weight)


def test_gradients_of_float16_that_are_not_finite_count_as_zero(
    tiny: StyleGAN2, images: Tensor, short: TrainingSettings
) -> None:
    trainer = made(tiny, images, replace(short, r1_gamma=0.0, path_length_weight=0.0))
    trainer._zeroes_nonfinite = True
    trainer.generator.conv(1).bias.register_hook(lambda gradient: gradient * float("inf"))
    trainer.step()
    assert trainer.generator.conv(1).bias.isfinite().all()


def test_state_goes_round(tiny: StyleGAN2, images: Tensor, short: TrainingSettings) -> None:
    one, other = made(tiny, images, short), made(tiny, images, replace(short))
    for _ in range(3):
        one.step()
    other.load(copy.deepcopy(one.state()))
    assert one.step() == other.step()
    assert digest(one.average.state_dict()) == digest(other.average.state_dict())


def test_the_share_of_augmented_images_is_steered(
    tiny: StyleGAN2, images: Tensor, short: TrainingSettings
) -> None:
    """It falls by a step's worth while D does not tell real images apart, and is remembered."""
    steering = replace(short, augmentation_target=1.0, augmentation_kimg=0.08)  # ten steps
    trainer, other = made(tiny, images, steering), made(tiny, images, steering)
    shares = []
    for _ in range(3):
        shares.append(trainer.augmented_share)
        assert trainer.step()["real_sign"] <= 1
    assert shares == pytest.approx([1.0, 0.9, 0.8])
    other.load(copy.deepcopy(trainer.state()))
    assert other.augmented_share == trainer.augmented_share
    assert other.step() == trainer.step()
    unlike = made(tiny, images, replace(short, augmented_share=0.0))
    assert unlike.step() != made(tiny, images, short).step()
    assert unlike.augmented_share == 0


def test_recorded_steps_give_the_same_bits(
    tiny: StyleGAN2, images: Tensor, short: TrainingSettings
) -> None:
    """Every part of a step is a pure function of tensors, so a GPU may replay it."""
    tracer, waiting = Tracer(), replace(short, generator_wait_kimg=0.008)
    plain, recorded = (made(tiny, images, waiting) for _ in range(2))
    recorded.graphs = recorded._path_graphs = Graphs(tracer)
    for _ in range(7):
        assert plain.step() == recorded.step()
    for ours, theirs in zip(plain._parts().values(), recorded._parts().values(), strict=True):
        assert str(ours.state_dict()) == str(theirs.state_dict())
    assert digest(plain.average.state_dict()) == digest(recorded.average.state_dict())
    assert tracer.replays == 6 + 7 + 4 + 2  # generator, discriminator, R1, path lengths


def test_r1_is_of_the_image_before_it_is_augmented(
    tiny: StyleGAN2, images: Tensor, short: TrainingSettings
) -> None:
    trainer = made(tiny, images, replace(short, generator_lr=1e-12, discriminator_lr=1e-12))
    real = trainer.dataset.batch(trainer.numbers).requires_grad_()
    numbers = trainer.streams.augmentation(trainer.numbers, "real")
    shown = augment(real, numbers, short.augmentation)
    (gradient,) = torch.autograd.grad(trainer.discriminator(shown).sum(), real)
    expected = gradient.square().sum(dim=(1, 2, 3)).mean() / 2
    assert trainer.step()["r1"] == pytest.approx(expected.item(), rel=1e-4)
