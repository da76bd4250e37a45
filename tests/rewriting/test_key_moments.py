"""Second moments of keys against their definition, and the coordinates made of them."""

from __future__ import annotations

import pytest
import torch

from regen.errors import RewriteError
from regen.generators.convolution_keys import ConvolutionKeys
from regen.generators.stylegan2.split import StyleGAN2Split
from regen.rewriting.key_moments import KeyMoment, measure_moments, second_moment
from regen.rewriting.preserved import Preserved
from tests.tolerances import assert_near


def some_keys() -> ConvolutionKeys:
    return ConvolutionKeys("w", torch.randn(2, 3, 6, 7), 3)


def test_a_weighted_moment_is_its_sum(monkeypatch: pytest.MonkeyPatch) -> None:
    keys, weights = some_keys(), torch.rand(2, 1, 4, 5)
    weights[:, :, 0] = 0
    rows = keys.rows(torch.arange(20)).double()
    wanted = torch.einsum("nmk,nm,nml->kl", rows, weights.flatten(1).double(), rows)
    torch.testing.assert_close(second_moment(keys, weights), wanted)
    monkeypatch.setattr("regen.rewriting.key_moments._ROWS_AT_ONCE", 3)
    torch.testing.assert_close(second_moment(keys, weights), wanted)


def test_few_of_many_positions_stand_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = ConvolutionKeys("w", torch.randn(1, 2, 42, 42) + 0.5, 3)
    weights = torch.full((1, 1, 40, 40), 0.1)
    weights[..., 10:15, 10:15] = 50.0  # these are all taken
    whole = second_moment(keys, weights)
    monkeypatch.setattr("regen.rewriting.key_moments._MOST_POSITIONS", 400)
    found = second_moment(keys, weights)
    assert not torch.equal(found, whole)
    torch.testing.assert_close(found, second_moment(keys, weights))
    assert (found - whole).norm() < 0.05 * whole.norm()


def test_weights_that_are_all_zero_are_refused() -> None:
    with pytest.raises(RewriteError, match="keys of w: got no position with a weight above 0"):
        second_moment(some_keys(), torch.zeros(2, 1, 4, 5))


def test_the_moment_of_the_generator_is_a_mean_over_positions(
    split: StyleGAN2Split, preserved: Preserved
) -> None:
    whole = measure_moments(split, [preserved.keys])
    parts = measure_moments(split, [preserved.keys.select([i]) for i in range(5)])
    for keys in split.convolution_keys(preserved.keys, {}):
        rows = keys.rows(torch.arange(256)).flatten(0, 1).double()  # fewer than are taken at most
        wanted = rows.T @ rows / len(rows)
        for moments in (whole, parts):
            found = moments[keys.name].matrix()
            assert_near(found, wanted, torch.float32, size=float(wanted.abs().max()))
    with pytest.raises(RewriteError, match="second moments of keys: got no samples"):
        measure_moments(split, [])


def test_rounding_leaves_no_negative_mean_square() -> None:
    rows = torch.randn(2, 6)
    moment = KeyMoment.of(rows.T @ rows)
    assert moment.values.min() >= 0
    assert_near(moment.matrix().float(), rows.T @ rows)
