from __future__ import annotations

import torch

from regen.generators.stylegan2.config import StyleGAN2Config
from regen.generators.stylegan2.training.streams import Streams, numbered

CONFIG = StyleGAN2Config(16, 8, 8, channel_base=128, channel_max=8, mapping_layers=2)
CPU = torch.device("cpu")


def test_an_image_has_its_numbers_whoever_asks() -> None:
    whole = Streams(1, CONFIG, CPU).latents(range(4, 12), 0.5)
    torch.randn(9)
    half = Streams(1, CONFIG, CPU).latents(range(8, 12), 0.5)
    assert torch.equal(whole.z[4:], half.z) and torch.equal(whole.other_z[4:], half.other_z)
    assert torch.equal(whole.crossover[4:], half.crossover)
    for mine, theirs in zip(whole.noise, half.noise, strict=True):
        assert torch.equal(mine[4:], theirs)


def test_seeds_images_and_purposes_differ() -> None:
    one, other = (Streams(seed, CONFIG, CPU) for seed in (1, 2))
    z = one.latents([0, 1], 0.0).z
    assert not torch.equal(z[0], z[1])
    assert not torch.equal(z, other.latents([0, 1], 0.0).z)
    assert not torch.equal(one.augmentation([0], "real"), one.augmentation([0], "fake"))
    assert torch.equal(one.direction([3], 4), one.direction([2, 3], 4)[1:])


def test_numbers_are_standard_normal() -> None:
    latents = Streams(0, CONFIG, CPU).latents(range(500), 0.0)
    for sample in (latents.z, latents.other_z, latents.noise[-1]):
        assert abs(sample.mean().item()) < 0.06 and abs(sample.std().item() - 1) < 0.06


def test_what_is_drawn_at_once_depends_on_the_step_alone() -> None:
    one, other = (Streams(1, CONFIG, CPU, at_once=True) for _ in range(2))
    one.latents(range(4), 0.5)
    mine, theirs = one.latents(range(4, 500), 0.5), other.latents(range(4, 500), 0.5)
    assert torch.equal(mine.z, theirs.z) and torch.equal(mine.crossover, theirs.crossover)
    assert torch.equal(mine.noise[-1], theirs.noise[-1])
    assert [list(n.shape) for n in mine.noise] == [[496, 1, r, r] for r in (4, 8, 8, 16, 16)]
    for sample in (mine.z, mine.other_z, mine.noise[-1], one.direction(range(500), 4)):
        assert abs(sample.mean().item()) < 0.06 and abs(sample.std().item() - 1) < 0.06
    assert mine.crossover.unique().tolist() == [1, 2, 3, 4, 5, 6]
    numbers = one.augmentation(range(8), "real")
    assert torch.equal(numbers, other.augmentation(range(8), "real"))
    assert not torch.equal(numbers, one.augmentation(range(8, 16), "real"))
    assert not torch.equal(numbers, one.augmentation(range(8), "drawn"))


def test_mixing_takes_place_at_every_layer() -> None:
    streams = Streams(0, CONFIG, CPU)
    assert streams.latents(range(50), 0.0).crossover.unique().tolist() == [6]  # L + 1: none
    mixed = streams.latents(range(200), 1.0).crossover
    assert mixed.unique().tolist() == [1, 2, 3, 4, 5]
    assert 60 < (streams.latents(range(200), 0.5).crossover == 6).sum() < 140


def test_noise_has_the_sizes_of_the_layers() -> None:
    shapes = [list(n.shape) for n in Streams(0, CONFIG, CPU).latents([0, 1], 0.9).noise]
    assert shapes == [[2, 1, r, r] for r in (4, 8, 8, 16, 16)]


def test_numbers_do_not_change_between_releases() -> None:
    """A run folder must be resumable by the next version."""
    value = torch.rand([], generator=numbered(torch.Generator(), 0, "z", 0)).item()
    assert round(value, 6) == 0.736864
