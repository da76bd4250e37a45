"""A generator so small that a training takes a second."""

from __future__ import annotations

import pytest

from regen.generators.stylegan2.generator import StyleGAN2
from regen.generators.stylegan2.split import StyleGAN2Split
from tests.helpers.stylegan2 import tiny_generator


@pytest.fixture
def tiny() -> StyleGAN2:
    """StyleGAN2 of 16x16 with random weights, in float32 and eval mode."""
    return tiny_generator().eval().requires_grad_(False)


@pytest.fixture
def tiny_split(tiny: StyleGAN2) -> StyleGAN2Split:
    """Cut behind convolution 3: 8 channels at 8x8."""
    return tiny.split(3, 2)
