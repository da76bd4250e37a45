from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from regen.errors import ProjectorError
from regen.projector.losses import (
    adversarial_loss,
    discriminator_loss,
    dissimilarity,
    r1_penalty,
    weighted_l1,
)


def test_l1_without_weights_is_the_mean() -> None:
    a, b = torch.zeros(2, 3, 4, 4), torch.full((2, 3, 4, 4), 0.5)
    assert weighted_l1(a, b).item() == 0.5


def test_l1_ignores_the_scale_of_the_weights() -> None:
    a, b, weights = torch.randn(2, 3, 4, 4), torch.randn(2, 3, 4, 4), torch.rand(2, 1, 4, 4)
    assert torch.allclose(weighted_l1(a, b, weights), weighted_l1(a, b, 7 * weights))
    assert torch.allclose(weighted_l1(a, b, torch.ones(2, 1, 4, 4)), weighted_l1(a, b))


def test_l1_has_no_gradient_where_the_weight_is_zero() -> None:
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


def test_l1_refuses_shapes_that_do_not_fit() -> None:
    with pytest.raises(ProjectorError, match="L1: the shapes do not fit: got"):
        weighted_l1(torch.zeros(1, 2, 2, 2), torch.zeros(1, 3, 2, 2))
    with pytest.raises(ProjectorError, match="L1: the shapes do not fit: got"):
        weighted_l1(torch.zeros(1, 2, 2, 2), torch.zeros(1, 2, 2, 2), torch.zeros(1, 1, 4, 4))


def test_adversarial_losses_at_known_logits() -> None:
    zero = torch.zeros(2, 1, 4, 4)
    assert adversarial_loss(zero).item() == pytest.approx(math.log(2))
    assert discriminator_loss(zero, zero).item() == pytest.approx(2 * math.log(2))
    assert discriminator_loss(zero + 30, zero - 30).item() < 1e-6
    assert adversarial_loss(zero - 30).item() == pytest.approx(30)


def test_adversarial_losses_look_only_where_the_weights_are() -> None:
    logits = torch.tensor([[[[2.0, -5.0]]]])
    weights = torch.tensor([[[[1.0, 0.0]]]])
    assert torch.allclose(adversarial_loss(logits, weights), softplus(torch.tensor(-2.0)))
    both = discriminator_loss(torch.zeros(1, 1, 1, 2), logits, weights)
    assert torch.allclose(both, softplus(torch.tensor(0.0)) + softplus(torch.tensor(2.0)))


class Linear(nn.Module):
    """Logits ``c * sum(v)``, whose gradient is c everywhere."""

    def __init__(self) -> None:
        super().__init__()
        self.c = nn.Parameter(torch.tensor(3.0))

    def forward(self, v: Tensor) -> Tensor:
        return self.c * v.sum(dim=(1, 2, 3))


def test_r1_penalty_of_a_linear_discriminator() -> None:
    discriminator = Linear()
    penalty = r1_penalty(discriminator, torch.randn(4, 2, 3, 3))
    assert penalty.item() == pytest.approx(9 * 18 / 2)
    penalty.backward()
    assert discriminator.c.grad is not None
    assert discriminator.c.grad.item() == pytest.approx(2 * 3 * 18 / 2)


def test_dissimilarity_is_zero_for_equal_images_and_grows() -> None:
    image = torch.rand(2, 3, 16, 16) * 2 - 1
    assert dissimilarity(image, image).item() == pytest.approx(0, abs=1e-5)
    near, far = image + 0.1 * torch.randn(2, 3, 16, 16), torch.randn(2, 3, 16, 16)
    assert 0 < dissimilarity(near, image) < dissimilarity(far, image) <= 2


def test_dissimilarity_compares_light_as_a_positive_quantity() -> None:
    """Of two flat images only the means count: 1 - (2ab + c) / (a^2 + b^2 + c), on [0, 1]."""
    a, b = torch.full((1, 3, 16, 16), -0.5), torch.full((1, 3, 16, 16), 0.5)
    wanted = 1 - (2 * 0.25 * 0.75 + 1e-4) / (0.25**2 + 0.75**2 + 1e-4)
    assert dissimilarity(a, b).item() == pytest.approx(wanted, abs=1e-3)


@pytest.mark.parametrize("side", [4, 8, 10, 11])
def test_small_images_get_a_window_that_fits(side: int) -> None:
    image = torch.rand(1, 3, side, side)
    assert dissimilarity(image, image).item() == pytest.approx(0, abs=1e-5)


def test_dissimilarity_refuses_a_pair_that_is_none() -> None:
    with pytest.raises(ProjectorError, match="SSIM: got"):
        dissimilarity(torch.zeros(1, 3, 16, 16), torch.zeros(2, 3, 16, 16))


def test_dissimilarity_has_the_gradient_of_its_function(float64: None) -> None:
    a = torch.rand(1, 3, 11, 11, requires_grad=True)
    b = torch.rand(1, 3, 11, 11)
    assert torch.autograd.gradcheck(lambda x: dissimilarity(x, b), (a,))
