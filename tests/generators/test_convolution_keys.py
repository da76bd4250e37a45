"""Keys of a convolution: a matrix product with them is the convolution."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from regen.generators.convolution_keys import ConvolutionKeys, KeyedSplit
from regen.generators.stylegan2.split import StyleGAN2Split
from tests.toy_family import Toy


@pytest.mark.parametrize("kernel", [1, 3])
@pytest.mark.parametrize("backwards", [False, True])
def test_rows_times_the_weight_are_the_convolution(kernel: int, backwards: bool) -> None:
    field, weight = torch.randn(2, 3, 7, 6), torch.randn(4, 3, kernel, kernel)
    keys = ConvolutionKeys("w", field, kernel, backwards)
    height, width = keys.size
    assert (height, width) == (8 - kernel, 7 - kernel)
    rows = keys.rows(torch.arange(height * width))
    assert rows.shape == (2, height * width, 3 * kernel**2)
    product = (rows @ weight.flatten(1).T).transpose(1, 2).reshape(2, 4, height, width)
    wanted = F.conv2d(field, weight.flip(2, 3) if backwards else weight)
    torch.testing.assert_close(product, wanted)


def test_positions_go_row_after_row() -> None:
    keys = ConvolutionKeys("w", torch.arange(12.0).reshape(1, 1, 3, 4), 1)
    assert keys.rows(torch.tensor([5, 0, 11])).flatten().tolist() == [5, 0, 11]


def test_a_split_says_by_its_methods_whether_it_has_keys() -> None:
    assert issubclass(StyleGAN2Split, KeyedSplit)
    assert isinstance(Toy(keyed=True).split(3, 2), KeyedSplit)
    assert not isinstance(Toy(keyed=False).split(3, 2), KeyedSplit)
