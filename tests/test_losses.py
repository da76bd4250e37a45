"""Losses against closed forms, and their gradients against finite differences."""

from __future__ import annotations

import math

import pytest
import pytorch_msssim
import torch
from torch import Tensor, nn
from torch.autograd import gradcheck
from torch.nn.functional import softplus

from regen.errors import ShapeError
from regen.generators.stylegan2.config import StyleGAN2Config
from regen.generators.stylegan2.training.discriminator import Discriminator
from regen.losses import (
    discriminator_loss,
    generator_loss,
    r1_penalty,
    ssim,
    ssim_loss,
    weighted_l1,
)
from tests.tolerances import assert_near


def test_l1_without_weights_is_the_mean() -> None:
    a, b = torch.zeros(2, 3, 4, 4), torch.full((2, 3, 4, 4), 0.5)
    assert weighted_l1(a, b).item() == 0.5


def test_l1_is_the_weighted_mean_over_positions_and_the_mean_over_channels() -> None:
    a, b, weights = torch.randn(2, 3, 4, 5), torch.randn(2, 3, 4, 5), torch.rand(2, 1, 4, 5)
    differences = (a - b).abs().mean(dim=1, keepdim=True)
    expected = (weights * differences).sum() / weights.sum()
    torch.testing.assert_close(weighted_l1(a, b, weights), expected)
    torch.testing.assert_close(weighted_l1(a, b, 50 * weights), expected)
    torch.testing.assert_close(weighted_l1(a, b, torch.ones(2, 1, 4, 5)), weighted_l1(a, b))


def test_l1_is_free_where_the_weight_is_zero() -> None:
    a, weights = torch.randn(1, 2, 2, 2, requires_grad=True), torch.zeros(1, 1, 2, 2)
    weights[..., 0] = 1
    weighted_l1(a, torch.zeros(1, 2, 2, 2), weights).backward()
    assert a.grad is not None
    assert a.grad[..., 1].abs().sum() == 0
    assert torch.allclose(a.grad[..., 0].abs(), torch.full((1, 2, 2), 0.25))


def test_l1_of_nothing_is_zero_with_zero_gradient() -> None:
    a = torch.randn(1, 2, 2, 2, requires_grad=True)
    loss = weighted_l1(a, torch.zeros(1, 2, 2, 2), torch.zeros(1, 1, 2, 2))
    loss.backward()
    assert loss.item() == 0 and a.grad is not None and a.grad.abs().sum() == 0


@pytest.mark.parametrize("weights", [None, torch.ones(1, 1, 1, 1)])
def test_half_precision_is_compared_in_float32(weights: Tensor | None) -> None:
    a = torch.full((1, 1, 1, 1), 1.0, dtype=torch.bfloat16)
    error = weighted_l1(a, torch.full((1, 1, 1, 1), 1.001), weights)
    assert error.dtype == torch.float32
    assert error.item() == pytest.approx(0.001, rel=1e-3)


def test_gradient_of_l1() -> None:
    a = torch.randn(1, 2, 3, 3, dtype=torch.float64, requires_grad=True)
    b = torch.randn(1, 2, 3, 3, dtype=torch.float64)
    weights = torch.rand(1, 1, 3, 3, dtype=torch.float64)
    assert gradcheck(lambda x: weighted_l1(x, b, weights), a)


@pytest.mark.parametrize(
    ("b", "weights"),
    [((1, 3, 2, 2), None), ((1, 2, 2, 2), (1, 1, 4, 4)), ((1, 2, 2, 2), (1, 2, 2, 2))],
)
def test_l1_refuses_shapes_that_do_not_fit(
    b: tuple[int, ...], weights: tuple[int, ...] | None
) -> None:
    given = [list(b)] if weights is None else [list(b), list(weights)]
    with pytest.raises(ShapeError) as raised:
        weighted_l1(
            torch.zeros(1, 2, 2, 2),
            torch.zeros(b),
            None if weights is None else torch.ones(weights),
        )
    assert str(raised.value) == (
        f"L1: the shapes do not fit: got {' and '.join(map(str, [[1, 2, 2, 2], *given]))}, "
        "expected [N, C, h, w] twice, weights [N, 1, h, w]"
    )


def test_ssim_loss_is_zero_for_equal_images_and_grows() -> None:
    image = torch.rand(2, 3, 16, 16) * 2 - 1
    assert_near(ssim_loss(image, image), torch.tensor(0.0))
    near, far = image + 0.1 * torch.randn(2, 3, 16, 16), torch.randn(2, 3, 16, 16)
    assert 0 < ssim_loss(near, image) < ssim_loss(far, image) <= 2


def test_ssim_compares_light_as_a_positive_quantity() -> None:
    """Of two flat images only the means count: (2ab + c) / (a^2 + b^2 + c), on [0, 1]."""
    a, b = torch.full((1, 3, 16, 16), -0.5), torch.full((1, 3, 16, 16), 0.5)
    wanted = (2 * 0.25 * 0.75 + 1e-4) / (0.25**2 + 0.75**2 + 1e-4)
    assert ssim(a, b).item() == pytest.approx(wanted, abs=1e-3)
    assert ssim_loss(a, b).item() == pytest.approx(1 - wanted, abs=1e-3)


def test_ssim_of_each_image_has_the_mean_of_all() -> None:
    a, b = torch.rand(3, 3, 16, 16) * 2 - 1, torch.rand(3, 3, 16, 16) * 2 - 1
    each = ssim(a, b, per_image=True)
    assert each.shape == (3,)
    torch.testing.assert_close(each.mean(), ssim(a, b))
    torch.testing.assert_close(each[:1], ssim(a[:1], b[:1], per_image=True))


@pytest.mark.parametrize("side", [4, 8, 10, 11])
def test_small_images_get_a_window_that_fits(side: int) -> None:
    image = torch.rand(1, 3, side, side)
    assert_near(ssim_loss(image, image), torch.tensor(0.0))


def test_ssim_refuses_shapes_that_differ() -> None:
    message = r"SSIM: the shapes do not fit: got \[1, 3, 16, 16\] and \[2, 3, 16, 16\], expected"
    with pytest.raises(ShapeError, match=message):
        ssim_loss(torch.zeros(1, 3, 16, 16), torch.zeros(2, 3, 16, 16))


def test_gradient_of_the_ssim_loss(float64: None) -> None:
    a, b = torch.rand(1, 3, 11, 11, requires_grad=True), torch.rand(1, 3, 11, 11)
    assert gradcheck(lambda x: ssim_loss(x, b), (a,))


def log_of_one_plus_exp(x: float) -> float:
    return math.log1p(math.exp(x))


def test_the_logistic_losses() -> None:
    real, fake = torch.tensor([[2.0], [-1.0]]), torch.tensor([[0.5], [3.0]])
    of_fake = (log_of_one_plus_exp(-0.5) + log_of_one_plus_exp(-3.0)) / 2
    assert generator_loss(fake).item() == pytest.approx(of_fake)
    both = (-2.0, 1.0, 0.5, 3.0)
    expected = sum(map(log_of_one_plus_exp, both)) / 2
    assert discriminator_loss(real, fake).item() == pytest.approx(expected)


def test_a_discriminator_that_is_right_has_no_loss() -> None:
    zero = torch.zeros(2, 1, 4, 4)
    assert discriminator_loss(zero + 30, zero - 30).item() < 1e-6
    assert generator_loss(zero - 30).item() == pytest.approx(30)


def test_the_generator_pushes_hardest_where_it_loses() -> None:
    logits = torch.tensor([[-20.0], [20.0]], requires_grad=True)
    generator_loss(logits).backward()
    assert logits.grad is not None
    assert logits.grad.flatten().tolist() == pytest.approx([-0.5, 0.0], abs=1e-8)


def test_the_logistic_losses_look_only_where_the_weights_are() -> None:
    logits = torch.tensor([[[[2.0, -5.0]]]])
    weights = torch.tensor([[[[1.0, 0.0]]]])
    assert torch.allclose(generator_loss(logits, weights), softplus(torch.tensor(-2.0)))
    both = discriminator_loss(torch.zeros(1, 1, 1, 2), logits, weights)
    assert torch.allclose(both, softplus(torch.tensor(0.0)) + softplus(torch.tensor(2.0)))


def test_r1_of_a_linear_discriminator() -> None:
    """D(x) = c sum(x) has the gradient c everywhere."""
    c, x = torch.tensor(3.0, requires_grad=True), torch.randn(4, 2, 3, 3, requires_grad=True)
    penalty = r1_penalty(c * x.sum(dim=(1, 2, 3)), x)
    assert penalty.item() == pytest.approx(9 * 18 / 2)
    penalty.backward()
    assert c.grad is not None and c.grad.item() == pytest.approx(2 * 3 * 18 / 2)


def test_r1_of_a_quadratic_discriminator(float64: None) -> None:
    """D(x) = a |x|^2 / 2 has the gradient a x, so R1 is a^2 E|x|^2 / 2."""
    a, x = torch.tensor(3.0, requires_grad=True), torch.randn(5, 3, 4, 4, requires_grad=True)
    penalty = r1_penalty(a * x.square().sum(dim=(1, 2, 3)) / 2, x)
    energy = x.detach().square().sum(dim=(1, 2, 3)).mean()
    torch.testing.assert_close(penalty, 9 * energy / 2)
    (gradient,) = torch.autograd.grad(penalty, a)
    torch.testing.assert_close(gradient, 3 * energy)


def test_r1_sums_the_logits_of_one_image() -> None:
    convolution = nn.Conv2d(2, 1, 1)
    x = torch.randn(2, 2, 3, 3, requires_grad=True)
    penalty = r1_penalty(convolution(x), x)
    torch.testing.assert_close(penalty, convolution.weight.square().sum() * 9 / 2)


def test_gradient_of_r1_through_the_discriminator(float64: None) -> None:
    architecture = StyleGAN2Config(
        resolution=8, z_dim=4, w_dim=4, channel_base=16, channel_max=3, mapping_layers=1
    )
    discriminator = Discriminator(architecture, group=2)
    names = ["b8.fromrgb.weight", "b8.conv0.bias", "b8.conv1.weight", "b8.skip.weight"]
    names += ["b4.conv.weight", "b4.out.weight"]
    parameters = dict(discriminator.named_parameters())
    real = torch.randn(2, 3, 8, 8)

    def penalty(*values: Tensor) -> Tensor:
        x = real.clone().requires_grad_()
        changed = {**parameters, **dict(zip(names, values, strict=True))}
        logits = torch.func.functional_call(discriminator, changed, (x,))
        return r1_penalty(logits, x)

    values = [parameters[name].detach().requires_grad_() for name in names]
    assert gradcheck(penalty, values)


@pytest.mark.parametrize(("side", "window"), [(20, 7), (20, 11), (6, 11)])
def test_ssim_has_the_window_of_the_package_that_computes_it(side: int, window: int) -> None:
    a, b = torch.rand(2, 3, side, side), torch.rand(2, 3, side, side)
    theirs = pytorch_msssim.ssim(a, b, data_range=1.0, win_size=min(window, side - 1 + side % 2))
    assert_near(ssim(2 * a - 1, 2 * b - 1, window=window), theirs, size=1)
