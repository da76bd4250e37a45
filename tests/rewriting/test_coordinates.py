"""Coordinates made of the second moments of keys."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from regen.rewriting.coordinates import Coordinates, key_map
from regen.rewriting.key_moments import KeyMoment


def conditioned() -> KeyMoment:
    rows = torch.randn(50, 8) * torch.tensor([30.0, 10.0, 3.0, 1.0, 1.0, 0.3, 0.1, 0.03])
    return KeyMoment.of(rows.T @ rows / 50)


def test_loud_directions_are_shortened_and_the_rest_is_not() -> None:
    moment = conditioned()
    factors = key_map(moment).norm(dim=1)
    assert factors.square().mean().sqrt().item() == pytest.approx(4.0)
    wanted = (moment.values / moment.values.mean() + 1).pow(-0.25)
    torch.testing.assert_close(factors / factors[0], wanted / wanted[0])
    assert factors[-1] < 0.7 * factors[0]


def test_variables_begin_at_the_start_and_move_along_the_keys() -> None:
    start = {"w": torch.randn(2, 8, 1, 1), "b": torch.randn(2)}
    moment = conditioned()
    coordinates = Coordinates(start, {"w": moment})
    assert all(torch.equal(coordinates.weights()[name], start[name]) for name in start)
    with torch.no_grad():
        coordinates.variables["w"][0, 3] = 1.0
        coordinates.variables["b"][1] = 5.0
    moved = coordinates.weights()
    step: Tensor = (moved["w"] - start["w"]).flatten(1)
    torch.testing.assert_close(step[0], key_map(moment)[3].float())
    assert step[1].abs().max() == 0 and moved["b"][1] == 5.0


def test_without_moments_the_weights_are_their_own_coordinates() -> None:
    start = {"w": torch.randn(2, 2, 3, 3)}
    coordinates = Coordinates(start)
    assert coordinates.weights()["w"] is coordinates.variables["w"]
    assert coordinates.variables["w"].requires_grad
    assert coordinates.variables["w"] is not start["w"]
