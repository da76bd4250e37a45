"""A generator, images and settings so small that a training takes a second."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from regen.generators.stylegan2.generator import StyleGAN2
from regen.generators.stylegan2.training.settings import TrainingSettings
from tests.helpers.stylegan2 import tiny_generator

SHORT = TrainingSettings(
    length_kimg=0.048,
    batch_images=8,
    r1_interval_steps=2,
    path_length_interval_steps=3,
    checkpoint_every_kimg=0.02,
    snapshot_every_kimg=0.02,
    report_every_kimg=0.02,
    precision="fp32",
)


@pytest.fixture
def tiny() -> StyleGAN2:
    """StyleGAN2 of 16x16 with random weights, in float32."""
    return tiny_generator()


@pytest.fixture
def images() -> Tensor:
    """Twelve images of 16x16, uint8."""
    random = torch.Generator().manual_seed(3)
    return torch.randint(0, 256, (12, 3, 16, 16), dtype=torch.uint8, generator=random)


@pytest.fixture
def short() -> TrainingSettings:
    """Six steps of eight images, with both regularisers."""
    return SHORT
