from __future__ import annotations

import pytest
import torch

from regen.errors import ProjectorError
from regen.projector.config import ProjectorConfig
from regen.projector.network import (
    BackwardProjector,
    Downsampler,
    FeatureAlignment,
    FeatureDiscriminator,
    ResidualBlock,
)
from tests.tolerances import assert_near


def small(resolution: int = 16, size: int = 8) -> ProjectorConfig:
    return ProjectorConfig(resolution, 5, size, (4, 6), (1, 1))


@pytest.mark.parametrize(("ratio", "size"), [(1, 16), (2, 8), (4, 4), (8, 2)])
def test_downsampler_halves_as_often_as_it_must(ratio: int, size: int) -> None:
    assert Downsampler(ratio, 6)(torch.rand(2, 3, 16, 16)).shape == (2, 6, size, size)


@pytest.mark.parametrize(("resolution", "size"), [(16, 8), (16, 16), (32, 8)])
def test_predictions_have_the_shape_of_the_value(resolution: int, size: int) -> None:
    projector = BackwardProjector(small(resolution, size))
    assert projector(torch.rand(2, 3, resolution, resolution)).shape == (2, 5, size, size)


def test_alignment_keeps_the_shape_and_sees_everything() -> None:
    alignment = FeatureAlignment((4, 6), (1, 1))
    x = torch.randn(1, 4, 32, 32, requires_grad=True)
    y = alignment(x)
    assert y.shape == x.shape
    y[0, 0, 0, 0].backward()
    assert x.grad is not None and x.grad[0, :, 31, 31].abs().max() > 0


def test_a_block_whose_last_weights_are_zero_is_the_identity() -> None:
    block, x = ResidualBlock(4), torch.randn(1, 4, 6, 6)
    torch.nn.init.zeros_(block.second.weight)
    assert torch.equal(block(x), x)


def test_normalising_is_undone_by_denormalising() -> None:
    projector = BackwardProjector(small())
    projector.value_mean.normal_()
    projector.value_std.uniform_(0.5, 2.0)
    features = torch.randn(2, 5, 8, 8)
    assert torch.allclose(projector.denormalise(projector.normalise(features)), features, atol=1e-6)
    normalised = projector.normalise(projector.value_mean + projector.value_std)
    assert torch.allclose(normalised, torch.ones_like(normalised))


def test_predictions_are_in_the_units_of_the_generator() -> None:
    projector, image = BackwardProjector(small()), torch.rand(1, 3, 16, 16)
    prediction = projector(image)
    projector.value_mean.fill_(3.0)
    projector.value_std.fill_(2.0)
    assert_near(projector(image), 2 * prediction + 3)


def test_half_precision_is_close_and_predicts_in_float32() -> None:
    projector, image = BackwardProjector(small()), torch.rand(2, 3, 16, 16)
    exact = projector(image)
    projector.precision = torch.bfloat16
    half = projector(image)
    assert half.dtype == torch.float32
    assert 0 < (half - exact).abs().max() < 0.05 * exact.abs().max()


def test_gradients_reach_every_parameter() -> None:
    projector = BackwardProjector(small())
    projector(torch.rand(2, 3, 16, 16)).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in projector.parameters())


def test_gradient_is_that_of_the_function(float64: None) -> None:
    projector = BackwardProjector(ProjectorConfig(8, 2, 4, (2,), (1,)))
    image = torch.rand(1, 3, 8, 8, requires_grad=True)
    assert torch.autograd.gradcheck(projector, (image,))


@pytest.mark.parametrize("shape", [(1, 3, 8, 8), (3, 16, 16), (1, 1, 16, 16)])
def test_images_of_another_size_are_refused(shape: tuple[int, ...]) -> None:
    message = r"image to project: got \[.*\], expected \[N, 3, 16, 16\]; resize it first"
    with pytest.raises(ProjectorError, match=message):
        BackwardProjector(small())(torch.rand(shape))


@pytest.mark.parametrize(("size", "logits"), [(64, 8), (16, 4), (8, 4), (4, 4)])
def test_discriminator_judges_patches(size: int, logits: int) -> None:
    discriminator = FeatureDiscriminator(5, size, (4, 4, 4))
    assert discriminator(torch.randn(2, 5, size, size)).shape == (2, 1, logits, logits)


def test_discriminator_in_half_precision_gives_float32() -> None:
    discriminator = FeatureDiscriminator(5, 8)
    discriminator.precision = torch.bfloat16
    assert discriminator(torch.randn(1, 5, 8, 8)).dtype == torch.float32


@pytest.mark.parametrize("network", [BackwardProjector(small()), FeatureDiscriminator(3, 16)])
def test_half_precision_follows_the_weights_inside_of_another_block(
    network: BackwardProjector | FeatureDiscriminator,
) -> None:
    """Families that compute by torch's autocast have it around a whole training."""
    network.precision = torch.bfloat16
    x = torch.rand(1, 3, 16, 16)
    with torch.autocast("cpu", torch.bfloat16):
        before = network(x)
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.add_(0.1)
        assert not torch.equal(network(x), before)
