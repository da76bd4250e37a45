"""Small random StyleGAN2 generators in which every parameter matters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from regen.generators.stylegan2.generator import StyleGAN2
from tests.helpers.stylegan2 import lively

Build = Callable[..., StyleGAN2]


@pytest.fixture
def build() -> Build:
    """Call with fields of `StyleGAN2Config` to change the small default."""

    def build(**changes: Any) -> StyleGAN2:
        small = {
            "resolution": 16,
            "z_dim": 6,
            "w_dim": 5,
            "channel_base": 96,
            "channel_max": 8,
            "mapping_layers": 2,
        }
        generator = lively(0.5, **{**small, **changes})
        generator.mapping.w_mean.normal_()
        return generator

    return build
