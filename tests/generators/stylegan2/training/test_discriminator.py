from __future__ import annotations

import pytest
import torch

from regen.errors import GeneratorError
from regen.generators.stylegan2.config import StyleGAN2Config
from regen.generators.stylegan2.training.discriminator import (
    Convolution,
    Discriminator,
    minibatch_std,
)
from tests.tolerances import assert_near

TINY = StyleGAN2Config(
    resolution=16, z_dim=8, w_dim=8, channel_base=128, channel_max=12, mapping_layers=2
)


def test_names_and_shapes_are_those_of_the_official_files() -> None:
    shapes = {name: list(t.shape) for name, t in Discriminator(TINY).state_dict().items()}
    assert shapes == {
        "b16.fromrgb.weight": [8, 3, 1, 1],
        "b16.fromrgb.bias": [8],
        "b16.conv0.weight": [8, 8, 3, 3],
        "b16.conv0.bias": [8],
        "b16.conv1.weight": [12, 8, 3, 3],
        "b16.conv1.bias": [12],
        "b16.skip.weight": [12, 8, 1, 1],
        "b8.conv0.weight": [12, 12, 3, 3],
        "b8.conv0.bias": [12],
        "b8.conv1.weight": [12, 12, 3, 3],
        "b8.conv1.bias": [12],
        "b8.skip.weight": [12, 12, 1, 1],
        "b4.conv.weight": [12, 13, 3, 3],
        "b4.conv.bias": [12],
        "b4.fc.weight": [12, 192],
        "b4.fc.bias": [12],
        "b4.out.weight": [1, 12],
        "b4.out.bias": [1],
    }


@pytest.mark.parametrize("size", [8, 32, 64])
def test_any_size_gives_one_logit(size: int) -> None:
    config = StyleGAN2Config(size, 8, 8, channel_base=64, channel_max=4, mapping_layers=1)
    logits = Discriminator(config)(torch.randn(3, 3, size, size))
    assert logits.shape == (3, 1) and logits.dtype == torch.float32


def test_deviations_of_a_group() -> None:
    x = torch.tensor([1.0, 3.0, 5.0, 5.0, 0.0, 0.0]).reshape(6, 1, 1, 1).expand(6, 2, 3, 3)
    spread = minibatch_std(x, 2)
    assert spread.shape == (6, 1, 3, 3)
    torch.testing.assert_close(spread[:, 0, 0, 0], torch.tensor([1.0, 1.0, 1e-4, 1e-4, 1e-4, 1e-4]))


def test_a_group_is_a_divisor_of_the_batch() -> None:
    x = torch.randn(6, 2, 2, 2)
    assert torch.equal(minibatch_std(x, 4), minibatch_std(x, 3))
    assert torch.equal(minibatch_std(x, 100), minibatch_std(x, 6))
    torch.testing.assert_close(minibatch_std(x[:1], 4), torch.full((1, 1, 2, 2), 1e-4))


def test_whole_groups_can_be_computed_apart() -> None:
    x = torch.randn(8, 3, 4, 4)
    apart = torch.cat([minibatch_std(x[:4], 4), minibatch_std(x[4:], 4)])
    assert torch.equal(minibatch_std(x, 4), apart)


def test_batches_behind_one_another_are_judged_apart() -> None:
    discriminator = Discriminator(TINY, group=4)
    real, drawn = torch.randn(6, 3, 16, 16), torch.randn(6, 3, 16, 16)
    together = discriminator(torch.cat([real, drawn]), batches=2)
    torch.testing.assert_close(together[:6], discriminator(real))
    torch.testing.assert_close(together[6:], discriminator(drawn))


def test_scales_keep_the_variance() -> None:
    """Equalised layers, gains and the sum of two branches keep activations near unit size."""
    config = StyleGAN2Config(64, 8, 8, channel_base=4096, channel_max=64, mapping_layers=1)
    discriminator = Discriminator(config)
    x = discriminator.get_submodule("b64")(torch.randn(2, 3, 64, 64))
    x = discriminator.get_submodule("b32")(x)
    assert 0.3 < x.std().item() < 1.5


@pytest.mark.parametrize("kernel", [1, 3])
def test_halving_keeps_the_image_centred(kernel: int) -> None:
    """A convolution that averages: a mirrored image gives the mirrored result."""
    layer = Convolution(2, 3, kernel, down=2, linear=True)
    with torch.no_grad():
        layer.weight.copy_(layer.weight.mean(dim=(2, 3), keepdim=True).expand_as(layer.weight))
    x = torch.randn(1, 2, 16, 16)
    assert layer(x).shape == (1, 3, 8, 8)
    torch.testing.assert_close(layer(x.flip(3)).flip(3), layer(x))
    torch.testing.assert_close(layer(x.flip(2)).flip(2), layer(x))


def test_half_precision_is_close_and_ends_in_float32() -> None:
    discriminator, x = Discriminator(TINY), torch.randn(4, 3, 16, 16)
    exact = discriminator(x)
    discriminator.precision = torch.bfloat16
    coarse = discriminator(x)
    assert coarse.dtype == torch.float32
    assert_near(coarse, exact, torch.bfloat16)
    assert not torch.equal(coarse, exact)


def test_clamp_limits_activations() -> None:
    layer = Convolution(3, 4, 1, clamp=0.5)
    x = 1e4 * torch.randn(2, 3, 4, 4)
    assert layer(x).abs().max() == 0.5
    assert layer(x, gain=0.5).abs().max() == 0.25


def test_classes_are_refused() -> None:
    config = StyleGAN2Config(16, 8, 8, label_dim=3, channel_base=128, channel_max=12)
    with pytest.raises(GeneratorError, match="discriminator: got 3 classes, expected none"):
        Discriminator(config)
