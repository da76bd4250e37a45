"""Coordinates made of the second moments of all keys and of a rule's own."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from regen.errors import RewriteError
from regen.rewriting.coordinates import Coordinates, key_map
from regen.rewriting.key_moments import KeyMoment
from tests.tolerances import assert_near


def conditioned() -> KeyMoment:
    rows = torch.randn(50, 8) * torch.tensor([30.0, 10.0, 3.0, 1.0, 1.0, 0.3, 0.1, 0.03])
    return KeyMoment.of(rows.T @ rows / 50)


def moment_of(rows: Tensor) -> Tensor:
    return (rows.T @ rows / len(rows)).double()


def test_loud_directions_are_shortened_and_the_rest_is_not() -> None:
    moment = conditioned()
    factors = key_map(moment).norm(dim=1)
    assert factors.square().mean().sqrt().item() == pytest.approx(4.0)
    wanted = (moment.values / moment.values.mean() + 1).pow(-0.25)
    torch.testing.assert_close(factors / factors[0], wanted / wanted[0])
    assert factors[-1] < 0.7 * factors[0]


def test_along_the_rules_keys_it_is_the_formula() -> None:
    moment, own = conditioned(), moment_of(torch.randn(20, 8))
    a = 0.05 * moment.matrix() + own
    a += 3e-4 * a.diagonal().mean() * torch.eye(8)
    basis = torch.diag((moment.values / moment.values.mean() + 1).pow(-0.25)) @ moment.vectors.T
    wanted = basis @ own @ torch.linalg.inv(a)
    found = key_map(moment, own)
    assert_near(found.float(), (4 * wanted / wanted.square().sum(1).mean().sqrt()).float())


def test_a_step_moves_weights_along_the_rules_own_keys_alone() -> None:
    white = KeyMoment.of(torch.eye(8))
    key = torch.randn(8).double()
    t = key_map(white, torch.outer(key, key))
    along = t @ key / key.norm()
    assert_near(t.float(), (along[:, None] * key / key.norm()).float())
    assert along.square().mean().sqrt().item() == pytest.approx(4.0)


def test_what_all_keys_share_moves_less_than_what_the_rule_alone_has() -> None:
    shared, own = torch.randn(2, 8).double()
    own -= (own @ shared) / (shared @ shared) * shared
    moment = KeyMoment.of(100 * torch.outer(shared, shared) + 0.01 * torch.eye(8))
    t = key_map(moment, torch.outer(shared, shared) + torch.outer(own, own))
    moved = [(t @ direction).norm().item() / direction.norm().item() for direction in (shared, own)]
    assert moved[0] < 0.2 * moved[1]


def test_variables_begin_at_the_start_and_move_along_the_keys() -> None:
    start = {"w": torch.randn(2, 8, 1, 1), "b": torch.randn(2)}
    maps = {"w": key_map(conditioned(), moment_of(torch.randn(20, 8)))}
    coordinates = Coordinates(start, maps)
    assert all(torch.equal(coordinates.weights()[name], start[name]) for name in start)
    with torch.no_grad():
        coordinates.variables["w"][0, 3] = 1.0
        coordinates.variables["b"][1] = 5.0
    moved = coordinates.weights()
    step: Tensor = (moved["w"] - start["w"]).flatten(1)
    size = start["w"].square().mean().sqrt()
    torch.testing.assert_close(step[0], maps["w"][3].float() * size)
    assert step[1].abs().max() == 0 and moved["b"][1] == 5.0


def test_small_weights_take_small_steps() -> None:
    start, maps = torch.randn(2, 8, 1, 1), {"w": key_map(conditioned())}
    moved = []
    for size in (1.0, 0.05):
        coordinates = Coordinates({"w": size * start}, maps)
        with torch.no_grad():
            coordinates.variables["w"].fill_(0.1)
        moved.append(coordinates.weights()["w"] / size)
    torch.testing.assert_close(moved[1], moved[0])


def test_without_maps_the_weights_are_their_own_coordinates() -> None:
    start = {"w": torch.randn(2, 2, 3, 3)}
    coordinates = Coordinates(start)
    assert coordinates.weights()["w"] is coordinates.variables["w"]
    assert coordinates.variables["w"].requires_grad
    assert coordinates.variables["w"] is not start["w"]


def test_keys_that_are_not_finite_are_named() -> None:
    broken = torch.full((8, 8), torch.nan).double()
    with pytest.raises(RewriteError, match="the second moment of the keys has no Cholesky factor"):
        key_map(conditioned(), broken)
