from __future__ import annotations

import pytest
import torch
from torch import nn

from regen.training.moving_average import update_average


def constant(value: float) -> nn.Module:
    module = nn.BatchNorm1d(2)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.fill_(value)
    return module


def average_after(steps: int, *, seen_images: int, halflife_kimg: float) -> float:
    """Where an average of 0 is after some steps of ten images towards a network of 1."""
    average, network = constant(0.0), constant(1.0)
    for _ in range(steps):
        update_average(
            average,
            network,
            seen_images=seen_images,
            batch_images=10,
            halflife_kimg=halflife_kimg,
        )
    values = torch.cat([parameter.detach() for parameter in average.parameters()])
    assert values.unique().numel() == 1
    return values[0].item()


def test_long_after_the_ramp_it_goes_half_of_the_way_in_a_half_life() -> None:
    assert average_after(8, seen_images=10**6, halflife_kimg=0.08) == pytest.approx(0.5, abs=1e-6)


def test_early_on_the_half_life_is_a_twentieth_of_what_was_seen() -> None:
    assert average_after(1, seen_images=200, halflife_kimg=100.0) == pytest.approx(0.5)
    assert average_after(1, seen_images=10, halflife_kimg=100.0) > 0.999


def test_without_a_half_life_it_is_the_network() -> None:
    assert average_after(1, seen_images=10**6, halflife_kimg=0.0) == 1.0


def test_buffers_and_graphs_are_left_alone() -> None:
    average, network = constant(0.0), constant(1.0)
    network(torch.randn(4, 2))  # moves the running statistics
    before = {name: buffer.clone() for name, buffer in average.named_buffers()}
    update_average(average, network, seen_images=100, batch_images=10, halflife_kimg=1.0)
    assert all(torch.equal(buffer, before[name]) for name, buffer in average.named_buffers())
    assert all(parameter.grad_fn is None for parameter in average.parameters())
