"""The mean style, and samples of a generator in training."""

from __future__ import annotations

import torch

from regen.generators.stylegan2.generator import StyleGAN2
from regen.generators.stylegan2.training.loop import sampler, set_mean_style


def test_the_mean_style_is_that_of_many_z(tiny: StyleGAN2) -> None:
    set_mean_style(tiny)
    with torch.no_grad():
        expected = tiny.mapping(torch.randn(20_000, 8)).mean(dim=0)
    torch.testing.assert_close(tiny.mapping.w_mean, expected, atol=0.05, rtol=0)
    before = tiny.mapping.w_mean.clone()
    set_mean_style(tiny)
    assert torch.equal(tiny.mapping.w_mean, before)


def test_samples_are_those_of_their_seeds(tiny: StyleGAN2) -> None:
    with torch.no_grad():
        tiny.conv(3).noise_strength.fill_(0.5)
    sample = sampler(tiny)
    images = sample([3, 4])
    assert images.shape == (2, 3, 16, 16) and not images.requires_grad
    assert torch.equal(sample([3]), sample([3])) and not torch.equal(images[0], images[1])
    varied = sample([3], vary_noise=True)
    assert not torch.equal(varied, sample([3]))
    assert torch.equal(varied, sample([3], vary_noise=True))
