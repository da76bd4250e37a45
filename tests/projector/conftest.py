"""A generator so small that a training takes a second."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from regen.generators.stylegan2.generator import StyleGAN2
from regen.generators.stylegan2.split import StyleGAN2Split
from regen.projector.config import ProjectorConfig
from regen.projector.network import BackwardProjector
from tests.helpers.stylegan2 import tiny_generator


@pytest.fixture
def tiny() -> StyleGAN2:
    """StyleGAN2 of 16x16 with random weights, in float32 and eval mode."""
    return tiny_generator().eval().requires_grad_(False)


@pytest.fixture
def tiny_split(tiny: StyleGAN2) -> StyleGAN2Split:
    """Cut behind convolution 3: 8 channels at 8x8."""
    return tiny.split(3, 2)


@pytest.fixture
def projector(tiny_split: StyleGAN2Split) -> BackwardProjector:
    made = BackwardProjector(
        ProjectorConfig.for_split(tiny_split, tiny_split.generator, widths=(4, 4))
    )
    return made.eval().requires_grad_(False)


@pytest.fixture
def image() -> Tensor:
    return torch.rand(1, 3, 16, 16) * 2 - 1
