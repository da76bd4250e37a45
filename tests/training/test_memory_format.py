"""Gradients are laid out as what they change, and copied only where they are not."""

from __future__ import annotations

import torch

from regen.training.memory_format import laid_out_as


def test_a_gradient_is_laid_out_as_its_variable() -> None:
    variable = torch.zeros(2, 3, 4, 4).contiguous(memory_format=torch.channels_last)
    gradient = torch.randn(2, 3, 4, 4)
    found = laid_out_as(gradient, variable)
    assert found.stride() == variable.stride() and torch.equal(found, gradient)
    assert laid_out_as(found, variable) is found
