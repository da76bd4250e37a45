from __future__ import annotations

import pytest
import torch
from torch import Tensor

from experiments.portraits import patterns_error
from experiments.portraits.export_generator import pair
from regen.generators.stylegan2.generator import StyleGAN2
from regen.generators.stylegan2.split import StyleGAN2Split
from regen.rewriting.settings import RuleSettings


def test_errors_of_every_pattern_inside_and_outside(
    generator: StyleGAN2, split: StyleGAN2Split, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("skimage")
    monkeypatch.setattr(patterns_error, "TARGETS", (60_000, 60_001))

    def nothing(images: Tensor) -> Tensor:
        return images.new_zeros(len(images), 8, 32, 32)

    rule = RuleSettings(paste="difference")  # the projector's own errors cancel
    errors = patterns_error.pattern_errors(generator, split, nothing, rule, None)
    assert list(errors) == ["real_cat", "cat_eyes", "gear_eyes", "red_nose", "samples"]
    assert errors["samples"]["all"]["l1"] > 0
    for pattern in list(errors)[:-1]:
        inside, outside = errors[pattern]["inside"], errors[pattern]["outside"]
        assert inside["l1"] > outside["l1"] and inside["lpips"] is None


def test_renderer_and_generator_show_the_same_seeds(generator: StyleGAN2) -> None:
    plain, fake = pair(generator, [5, 6])
    assert plain.shape == fake.shape == (2, 3, 32, 32)
    assert not torch.equal(plain[0], plain[1]) and fake.abs().max() <= 1
