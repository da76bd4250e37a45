"""Partial convolutions, and the layers that go with them."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from regen.generators.rfr.layers import BatchNorm, Block, Convolution, Enlarging, PartialConvolution
from tests.tolerances import assert_near


def test_a_partial_convolution_of_a_whole_image_is_a_convolution_inside() -> None:
    layer, x = PartialConvolution(3, 5, 3), torch.randn(2, 3, 8, 9)
    got, covered = layer.partial([(x, torch.ones(2, 1, 8, 9))])
    assert (covered == 1).all()
    assert_near(got[..., 1:-1, 1:-1], F.conv2d(x, layer.weight))


def test_unknown_inputs_count_as_the_mean_of_the_known_ones() -> None:
    layer = PartialConvolution(1, 1, 3)
    torch.nn.init.ones_(layer.weight)
    known = torch.zeros(1, 1, 7, 7)
    known[..., :3] = 1
    got, covered = layer.partial([(torch.full((1, 1, 7, 7), 2.0), known)])
    assert_near(got[..., :4], torch.full((1, 1, 7, 4), 18.0))
    assert (got[..., 4:] == 0).all()
    assert torch.equal(covered[..., :4], torch.ones(1, 1, 7, 4)) and not covered[..., 4:].any()
    assert torch.equal(layer.covered(known), covered)


def test_each_part_has_its_own_mask() -> None:
    layer, x = PartialConvolution(5, 4, 3), torch.randn(1, 5, 6, 6)
    one, two = (torch.rand(2, 1, 1, 6, 6) > 0.4).float()
    got, covered = layer.partial([(x[:, :2], one), (x[:, 2:], two)])
    mask = torch.cat([one.expand(-1, 2, -1, -1), two.expand(-1, 3, -1, -1)], dim=1)
    count = F.conv2d(mask, torch.ones(1, 5, 3, 3), padding=1)
    wanted = F.conv2d(x * mask, layer.weight, padding=1) * 45 / count.clamp_min(1) * (count > 0)
    assert_near(got, wanted, size=5)
    assert torch.equal(covered, (count > 0).float())


def test_enlarging_is_a_convolution_of_its_field() -> None:
    layer, x = Enlarging(3, 5), torch.randn(2, 3, 4, 6)
    wanted = F.conv_transpose2d(x, layer.weight.transpose(0, 1), stride=2, padding=1)
    assert torch.equal(layer(x), wanted)
    assert_near(F.conv2d(layer.field(x), layer.weight.flip(2, 3)), wanted)


def test_a_norm_is_that_of_torch() -> None:
    own, theirs, x = BatchNorm(4), torch.nn.BatchNorm2d(4), torch.randn(3, 4, 5, 5)
    for _ in range(2):
        assert_near(own(x), theirs(x))
    assert_near(own.running_mean, theirs.running_mean)
    own.eval(), theirs.eval()
    assert_near(own(x), theirs(x))


def test_a_block_is_its_layers_one_after_the_other() -> None:
    block, x = Block(Convolution(3, 4, 3, stride=2), 4, 0.2).eval(), torch.randn(1, 3, 6, 6)
    plain = F.conv2d(x, block.convolution.weight, stride=2, padding=1)
    assert_near(block(x), F.leaky_relu(plain / (1 + 1e-5) ** 0.5, 0.2))
