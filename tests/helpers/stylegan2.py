"""Small random StyleGAN2 generators: eight channels at most, at 16x16 or 32x32."""

from __future__ import annotations

from typing import Any

import torch

from regen.generators.stylegan2.config import StyleGAN2Config
from regen.generators.stylegan2.generator import StyleGAN2

TINY = StyleGAN2Config(
    resolution=16, z_dim=8, w_dim=8, channel_base=128, channel_max=8, mapping_layers=2
)


def tiny_generator(seed: int = 7) -> StyleGAN2:
    """Random weights of a seed, as a generator that is to be trained."""
    torch.manual_seed(seed)
    return StyleGAN2(TINY)


def lively(strength: float, **architecture: Any) -> StyleGAN2:
    """A generator in eval mode, in which biases and noise matter as well.

    Args:
        strength: Size of what is added to biases and strengths of noise, which start at 0.
        architecture: Fields of `StyleGAN2Config`.
    """
    generator = StyleGAN2(StyleGAN2Config(**architecture))
    for name, parameter in generator.named_parameters():
        if name.endswith(("bias", "noise_strength")):
            parameter.data += strength * torch.randn_like(parameter)
    return generator.eval().requires_grad_(False)


def seven_convolutions() -> StyleGAN2:
    """Images of 32x32 from seven convolutions with noise and biases."""
    return lively(
        0.1,
        resolution=32,
        z_dim=8,
        w_dim=8,
        channel_base=256,
        channel_max=8,
        mapping_layers=1,
    )
