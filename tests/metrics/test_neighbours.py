from __future__ import annotations

import pytest
import torch

from regen.errors import MetricError
from regen.metrics.neighbours import Neighbours, nearest, sheet


def test_copies_are_found_mirrored_ones_too() -> None:
    training, mirrored = torch.randn(20, 6), torch.randn(20, 6)
    found = nearest(torch.stack([training[4], mirrored[7]]), training, mirrored=mirrored)
    assert found.index[:, 0].tolist() == [4, 7]
    assert found.flipped[:, 0].tolist() == [False, True]
    assert found.distance[:, 0].tolist() == [0, 0] and found.ratio == 0
    assert (found.distance.diff(dim=1) >= 0).all()


def test_new_samples_of_the_same_kind_have_a_ratio_of_one() -> None:
    training = torch.randn(400, 4)
    found = nearest(torch.randn(400, 4), training, mirrored=training, k=1)
    assert found.index.shape == (400, 1) and 0.8 < found.ratio < 1.25


def test_the_sheet_shows_each_sample_left_of_its_neighbours() -> None:
    samples, training = torch.full((2, 3, 4, 4), 0.5), torch.zeros(3, 3, 4, 4)
    training[1] = -0.5
    training[2, :, :, 0] = 1.0
    index, flipped = torch.tensor([[1, 0], [0, 2]]), torch.tensor([[True, False], [False, True]])
    shown = sheet(samples, training, Neighbours(index, index, flipped, 1.0), pairs=2)
    block = 3 * 6 - 2
    assert shown.shape == (1, 3, 4, 2 * block + 10)
    assert shown[0, 0, 0, :block:6].tolist() == [0.5, -0.5, 0.0]
    assert shown[0, 0, 0, block + 10 :: 6].tolist() == [0.5, 0.0, 0.0]
    assert shown[0, 0, 0, -1] == 1.0  # the last neighbour is shown mirrored


@pytest.mark.parametrize("k", [0, 4])
def test_too_few_images(k: int) -> None:
    with pytest.raises(MetricError, match=f"neighbours: got {k}, expected 1 to 3"):
        nearest(torch.zeros(1, 2), torch.zeros(3, 2), mirrored=torch.zeros(3, 2), k=k)


def test_features_that_do_not_fit() -> None:
    with pytest.raises(MetricError, match=r"expected \[N, D\], \[M, D\] and \[M, D\]"):
        nearest(torch.zeros(1, 3), torch.zeros(3, 2), mirrored=torch.zeros(3, 2))
