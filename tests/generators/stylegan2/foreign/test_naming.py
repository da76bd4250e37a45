"""The table of names and layouts: it names every tensor once, in each tool."""

from __future__ import annotations

from typing import get_args

import pytest
import torch

from regen.generators.stylegan2.foreign.naming import (
    Kind,
    from_rosinality,
    from_tensorflow,
    generator_rows,
    to_rosinality,
)
from tests.generators.stylegan2.foreign.checkpoints import generator

SHAPES = {"dense": (4, 3), "constant": (4, 4, 4), "noise": (8, 8), "noise_strength": ()}
SHAPES |= {"convolution": (4, 3, 3, 3), "enlarging_convolution": (4, 3, 3, 3)}


@pytest.mark.parametrize("classes", [0, 3])
def test_every_tensor_but_the_filters_has_a_row(classes: int) -> None:
    state = generator(label_dim=classes).state_dict()
    rows = list(generator_rows(32, 2, classes > 0))
    own = [name for name in state if not name.endswith("resample_filter")]
    assert sorted(row.ours for row in rows) == sorted(own)
    for tool in ("nvidia", "rosinality", "tensorflow"):
        names = [getattr(row, tool) for row in rows if getattr(row, tool) is not None]
        assert len(set(names)) == len(names) >= len(own) - 2  # rosinality embeds no classes


@pytest.mark.parametrize("kind", get_args(Kind))
def test_rosinality_s_layout_is_left_again(kind: Kind) -> None:
    tensor = torch.randn(SHAPES.get(kind, (3,)))
    there = to_rosinality(kind, tensor)
    assert there.numel() == tensor.numel()
    assert torch.equal(from_rosinality(kind, there), tensor)
    assert there.data_ptr() == tensor.data_ptr()


def test_tensorflow_s_layout() -> None:
    weight = torch.randn(3, 3, 5, 4)  # [k, k, I, O]
    ours = from_tensorflow("convolution", weight)
    assert ours.shape == (4, 5, 3, 3) and ours[1, 2, 0, 2] == weight[0, 2, 2, 1]
    turned = from_tensorflow("enlarging_convolution", weight)
    assert torch.equal(turned, ours.flip(2, 3))
    assert torch.equal(from_tensorflow("dense", weight[0, 0]), weight[0, 0].T)
    assert torch.equal(from_tensorflow("style_bias", torch.zeros(2)), torch.ones(2))
    assert from_tensorflow("noise", torch.zeros(1, 1, 8, 8)).shape == (8, 8)
    assert from_tensorflow("constant", torch.zeros(1, 4, 4, 4)).shape == (4, 4, 4)
