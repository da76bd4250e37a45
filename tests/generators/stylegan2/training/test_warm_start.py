from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from regen.errors import TrainingError
from regen.generators.stylegan2.config import StyleGAN2Config
from regen.generators.stylegan2.generator import StyleGAN2
from regen.generators.stylegan2.training.warm_start import architecture_from, take_over
from stylegan2_ops import upsample2d
from tests.helpers.stylegan2 import TINY

OLD = replace(TINY, mapping_lr_multiplier=1.0)


def made(config: StyleGAN2Config, seed: int) -> StyleGAN2:
    torch.manual_seed(seed)
    generator = StyleGAN2(config).eval().requires_grad_(False)
    for layer in range(1, generator.convolutions + 1):
        generator.conv(layer).noise_strength.fill_(0.1)
    return generator


def pair(size: int) -> tuple[StyleGAN2, StyleGAN2]:
    old = made(OLD, 1)
    new = made(architecture_from(old, size), 2)
    return old, new


def test_an_equal_size_gives_the_same_images() -> None:
    old, new = pair(16)
    taken = take_over(new, old)
    assert new.config.mapping_lr_multiplier == 0.01
    torch.testing.assert_close(new(new.seed_latents([1, 2])), old(old.seed_latents([1, 2])))
    assert str(taken) == "54 tensors taken over, 0 new"


def test_a_larger_size_starts_as_the_enlarged_image() -> None:
    old, new = pair(32)
    taken = take_over(new, old)
    small, large = old(old.seed_latents([1])), new(new.seed_latents([1]))
    torch.testing.assert_close(large, upsample2d(small, new.synthesis.resample_filter))
    assert str(taken).endswith("new (convs.6, convs.7, rgbs.7)")


def test_a_smaller_size_takes_the_first_layers() -> None:
    old, new = pair(8)
    taken = take_over(new, old)
    assert torch.equal(new.conv(3).weight, old.conv(3).weight)
    assert "not needed (convs.4, convs.5, rgbs.5)" in str(taken) and taken.new == ()


def test_other_channels_at_one_end_only() -> None:
    old = made(OLD, 1)
    wider = made(replace(OLD, channel_base=256, channel_max=8), 2)
    taken = take_over(wider, old)
    assert not any(name.startswith("synthesis.convs.") for name in taken.new)
    narrower = made(replace(OLD, channel_base=64), 3)
    taken = take_over(narrower, old)  # 4 instead of 8 channels at 16x16
    assert "synthesis.convs.5.weight" in taken.new and "synthesis.convs.3.weight" in taken.taken


def test_silent_noise_is_not_taken() -> None:
    old, new = pair(16)
    for layer in range(1, 6):
        old.conv(layer).noise_const.zero_()
    taken = take_over(new, old)
    assert all(new.conv(layer).noise_const.any() for layer in range(1, 6))
    assert taken.new == ()


def test_nothing_in_common() -> None:
    old = made(OLD, 1)
    new = made(replace(OLD, channel_base=80, channel_max=5), 2)
    with pytest.raises(TrainingError) as raised:
        take_over(new, old)
    assert str(raised.value) == (
        "generator to start from: no convolution fits: got channel_base 128 and channel_max 8, "
        "expected channel_base 80 and channel_max 5; leave out the channels: the new generator "
        "then has the old one's"
    )


def test_classes_are_refused() -> None:
    old = made(replace(OLD, label_dim=3), 1)
    with pytest.raises(TrainingError, match="generator to start from: got 3 classes"):
        architecture_from(old, 16)
