"""The mean style, and samples of a generator in training."""

from __future__ import annotations

import torch

from regen.generators.stylegan2.generator import StyleGAN2
from regen.generators.stylegan2.training.loop import set_mean_style


def test_the_mean_style_is_that_of_many_z(tiny: StyleGAN2) -> None:
    set_mean_style(tiny)
    with torch.no_grad():
        expected = tiny.mapping(torch.randn(20_000, 8)).mean(dim=0)
    torch.testing.assert_close(tiny.mapping.w_mean, expected, atol=0.05, rtol=0)
    before = tiny.mapping.w_mean.clone()
    set_mean_style(tiny)
    assert torch.equal(tiny.mapping.w_mean, before)
