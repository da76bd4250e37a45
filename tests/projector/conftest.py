"""A generator so small that a training takes a second."""

from __future__ import annotations

import pytest
import torch

from regen.generators.stylegan2.generator import StyleGAN2
from regen.generators.stylegan2.network import StyleGAN2Config
from regen.generators.stylegan2.split import StyleGAN2Split


@pytest.fixture
def tiny() -> StyleGAN2:
    """StyleGAN2 of 16x16 with random weights, in float32 and eval mode."""
    torch.manual_seed(7)
    config = StyleGAN2Config(
        resolution=16, z_dim=8, w_dim=8, channel_base=128, channel_max=8, mapping_layers=2
    )
    return StyleGAN2(config).eval().requires_grad_(False)


@pytest.fixture
def tiny_split(tiny: StyleGAN2) -> StyleGAN2Split:
    """Cut behind convolution 3: 8 channels at 8x8."""
    return tiny.split(3, 2)
