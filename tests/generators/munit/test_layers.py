"""Convolutions that reflect, norms of whole images, and halves of residual blocks."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from regen.generators.munit.layers import (
    Block,
    Closing,
    Convolution,
    Enlarging,
    InstanceNorm,
    LinearNorm,
    Opening,
    SlicedNorm,
    WholeNorm,
)
from tests.tolerances import assert_near


@pytest.mark.parametrize(("kernel", "stride"), [(1, 1), (3, 1), (5, 1), (7, 1), (4, 2)])
def test_a_convolution_is_one_of_its_field(kernel: int, stride: int) -> None:
    layer, x = Convolution(2, 3, kernel, stride=stride), torch.randn(1, 2, 8, 12)
    torch.nn.init.normal_(layer.bias)
    y = layer(x)
    assert y.shape == (1, 3, 8 // stride, 12 // stride)
    bare = F.conv2d(layer.field(x), layer.weight, stride=stride)
    assert_near(y, bare + layer.bias[:, None, None], size=5)
    mirrored = layer(x.flip(3)).flip(3)
    with torch.no_grad():
        layer.weight.copy_(layer.weight.flip(3))
    assert_near(mirrored, layer(x), size=5)  # the border is the same on both sides


def test_an_instance_norm() -> None:
    x = torch.randn(2, 3, 5, 6) * 4 + 7
    plain = InstanceNorm(3)(x)
    assert_near(plain.mean((2, 3)), torch.zeros(2, 3))
    assert_near(plain.var((2, 3), correction=0), torch.ones(2, 3), size=2)
    norm = InstanceNorm(3, affine=True)
    torch.nn.init.constant_(norm.weight, 2.0), torch.nn.init.constant_(norm.bias, 3.0)
    assert_near(norm(x), plain * 2 + 3, size=5)
    assert list(InstanceNorm(3).state_dict()) == []


def test_a_sliced_norm_has_shifts_first() -> None:
    x, code = torch.randn(1, 2, 4, 4), torch.tensor([[9.0, 9.0, 1.0, 2.0, 3.0, 4.0, 9.0]])
    y = SlicedNorm(2, start=2)(x, code)
    assert_near(y.mean((2, 3)), torch.tensor([[1.0, 2.0]]), size=5)
    assert_near(y.std((2, 3), correction=0), torch.tensor([[3.0, 4.0]]), size=50)


def test_a_linear_norm_has_scales_first_and_adds_one() -> None:
    norm, x = LinearNorm(2, 1), torch.randn(1, 2, 4, 4)
    with torch.no_grad():
        norm.linear.weight.zero_()
        norm.linear.bias.copy_(torch.tensor([2.0, 3.0, 5.0, 6.0]))
    y = norm(x, torch.zeros(1, 1))
    assert_near(y.mean((2, 3)), torch.tensor([[5.0, 6.0]]), size=5)
    assert_near(y.std((2, 3), correction=0), torch.tensor([[3.0, 4.0]]), size=50)


def test_a_whole_norm_keeps_differences_between_channels() -> None:
    x = torch.randn(2, 3, 4, 5) + torch.tensor([0.0, 10.0, 20.0])[:, None, None]
    y = WholeNorm(3)(x)
    assert_near(y.mean((1, 2, 3)), torch.zeros(2))
    assert_near(y.std((1, 2, 3)), torch.ones(2), size=10)  # unbiased
    assert (y.mean((2, 3)).diff(dim=1) > 0.5).all()


def test_norms_of_half_precision_are_computed_in_single() -> None:
    x = (torch.randn(1, 2, 64, 64) + 30).bfloat16()
    for norm in (InstanceNorm(2), SlicedNorm(2, 0), WholeNorm(2)):
        code = torch.ones(1, 4)
        y = norm(x, code)
        assert y.dtype == torch.bfloat16
        assert_near(y.float(), norm(x.float(), code), torch.bfloat16)


def test_a_block_without_norm() -> None:
    convolution, x = Convolution(2, 3, 3), torch.randn(1, 2, 4, 4)
    assert torch.equal(Block(convolution, None)(x), F.relu(convolution(x)))
    normed = F.relu(InstanceNorm(3)(convolution(x)))
    assert torch.equal(Block(convolution, InstanceNorm(3))(x), normed)


@pytest.mark.parametrize("norm_first", [False, True])
def test_two_halves_are_a_residual_block(norm_first: bool) -> None:
    one, two = Convolution(3, 3, 3), Convolution(3, 3, 3)
    norm, x = InstanceNorm(3), torch.randn(1, 3, 6, 6)
    y, held = Opening(one, norm, norm_first=norm_first)(x, None, None)
    assert held is x
    y, held = Closing(two, norm, norm_first=norm_first)(y, held, None)
    assert held is None
    if norm_first:
        wanted = two(F.relu(norm(one(F.relu(norm(x)))))) + x
    else:
        wanted = norm(two(F.relu(norm(one(x))))) + x
    assert torch.equal(y, wanted)


def test_enlarging_doubles_the_size() -> None:
    layer, x = Enlarging(Convolution(2, 3, 5), WholeNorm(3)), torch.randn(1, 2, 4, 6)
    y, held = layer(x, None, None)
    assert y.shape == (1, 3, 8, 12) and held is None and y.min() == 0
    big = layer.convolved(x, None)
    assert torch.equal(big[..., ::2, 1::2], x)
