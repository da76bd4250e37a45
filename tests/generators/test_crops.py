from __future__ import annotations

import pytest
import torch
from torch import Tensor

from regen.generators.crops import CropSplit, Window, cut
from tests.toy_family import Toy

LAYER = torch.arange(2 * 3 * 4 * 5, dtype=torch.float32).reshape(2, 3, 4, 5)


def padded(layer: Tensor, by: int) -> Tensor:
    wide = torch.zeros(*layer.shape[:2], layer.shape[2] + 2 * by, layer.shape[3] + 2 * by)
    wide[:, :, by:-by, by:-by] = layer
    return wide


@pytest.mark.parametrize("top", [-7, -2, 0, 1, 3, 9])
@pytest.mark.parametrize("left", [-9, -1, 0, 2, 4, 8])
def test_a_window_is_the_layer_with_zeros_around_it(top: int, left: int) -> None:
    windows = [Window(top, left, 3, 2), Window(1, 1, 3, 2)]
    wide = padded(LAYER, 12)
    wanted = wide[:1, :, 12 + top : 15 + top, 12 + left : 14 + left]
    got = cut(LAYER, windows)
    assert torch.equal(got[:1], wanted)
    assert torch.equal(got[1:], LAYER[1:, :, 1:4, 1:3])


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_the_memory_format_stays(layout: torch.memory_format) -> None:
    layer = LAYER.contiguous(memory_format=layout)
    assert cut(layer, [Window(-1, 0, 3, 2)] * 2).is_contiguous(memory_format=layout)


@pytest.mark.parametrize(
    ("window", "inside"),
    [
        (Window(0, 0, 4, 5), True),
        (Window(1, 2, 3, 3), True),
        (Window(-1, 0, 2, 2), False),
        (Window(0, -1, 2, 2), False),
        (Window(3, 0, 2, 2), False),
        (Window(0, 4, 2, 2), False),
    ],
)
def test_whether_a_window_is_inside(window: Window, inside: bool) -> None:
    assert window.within((4, 5)) is inside


def test_a_family_without_crops_is_told_apart() -> None:
    assert not isinstance(Toy().split(2, 1), CropSplit)
