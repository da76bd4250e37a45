from __future__ import annotations

import torch

from regen.generators.stylegan2.training.dataset import Dataset

CPU = torch.device("cpu")
PICTURES = torch.arange(10, dtype=torch.uint8)[:, None, None, None].repeat(1, 3, 2, 2)
PICTURES[..., 1] += 100  # right differs from left


def dataset(seed: int = 0, flips: float = 0.5) -> Dataset:
    return Dataset(PICTURES, seed=seed, flip_probability=flips, device=CPU)


def test_an_epoch_shows_each_image_once() -> None:
    data = dataset()
    first, second = ([data.index(10 * e + i) for i in range(10)] for e in (0, 1))
    assert sorted(first) == sorted(second) == list(range(10))
    assert first != second


def test_a_number_is_a_image_whatever_was_drawn_before() -> None:
    data = dataset()
    forwards = [data.index(i) for i in range(30)]
    assert [data.index(i) for i in reversed(range(30))] == forwards[::-1]
    assert [dataset().index(i) for i in range(30)] == forwards
    assert [dataset(seed=1).index(i) for i in range(30)] != forwards


def test_values_and_flips() -> None:
    plain = dataset(flips=0.0).batch(range(20))
    assert plain.shape == (20, 3, 2, 2) and plain.dtype == torch.float32
    values = ((plain + 1) * 127.5).round().to(torch.uint8)
    order = [dataset().index(i) for i in range(20)]
    assert torch.equal(values, PICTURES[order])
    assert torch.equal(dataset(flips=1.0).batch(range(20)), plain.flip(3))
    some = dataset().batch(range(20))
    flipped = (some[:, 0, 0, 0] > some[:, 0, 0, 1]).sum().item()
    assert 3 < flipped < 17
    assert torch.equal(some[7:9], dataset().batch([7, 8]))
