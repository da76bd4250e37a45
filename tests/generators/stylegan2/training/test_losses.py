"""Losses against closed forms on stub networks, and their gradients against finite differences."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from regen.generators.stylegan2.config import StyleGAN2Config
from regen.generators.stylegan2.training.discriminator import Discriminator
from regen.generators.stylegan2.training.losses import (
    discriminator_loss,
    generator_loss,
    path_length_penalty,
    path_lengths,
    r1_penalty,
    updated_mean,
)
from stylegan2_ops import bias_act, modulated_conv2d

pytestmark = pytest.mark.usefixtures("float64")


def softplus(x: float) -> float:
    return math.log1p(math.exp(x))


def test_the_logistic_losses() -> None:
    real, drawn = torch.tensor([[2.0], [-1.0]]), torch.tensor([[0.5], [3.0]])
    expected = (softplus(-0.5) + softplus(-3.0)) / 2
    assert generator_loss(drawn).item() == pytest.approx(expected)
    expected = (softplus(-2.0) + softplus(1.0) + softplus(0.5) + softplus(3.0)) / 2
    assert discriminator_loss(real, drawn).item() == pytest.approx(expected)


def test_the_generator_pushes_hardest_where_it_loses() -> None:
    logits = torch.tensor([[-20.0], [20.0]], requires_grad=True)
    generator_loss(logits).backward()
    assert logits.grad is not None
    assert logits.grad.flatten().tolist() == pytest.approx([-0.5, 0.0], abs=1e-8)


def test_r1_of_a_quadratic_discriminator() -> None:
    """D(x) = a |x|^2 / 2 has the gradient a x, so R1 is a^2 E|x|^2 / 2."""
    a = torch.tensor(3.0, requires_grad=True)
    x = torch.randn(5, 3, 4, 4, requires_grad=True)
    penalty = r1_penalty(a * x.square().sum(dim=(1, 2, 3)) / 2, x)
    energy = x.detach().square().sum(dim=(1, 2, 3)).mean()
    torch.testing.assert_close(penalty, 9 * energy / 2)
    (gradient,) = torch.autograd.grad(penalty, a)
    torch.testing.assert_close(gradient, 3 * energy)


def test_gradient_of_r1_through_the_discriminator() -> None:
    architecture = StyleGAN2Config(
        resolution=8, z_dim=4, w_dim=4, channel_base=16, channel_max=3, mapping_layers=1
    )
    discriminator = Discriminator(architecture, group=2)
    names = ["b8.fromrgb.weight", "b8.conv0.bias", "b8.conv1.weight", "b8.skip.weight"]
    names += ["b4.conv.weight", "b4.out.weight"]
    parameters = dict(discriminator.named_parameters())
    real = torch.randn(2, 3, 8, 8)

    def penalty(*values: torch.Tensor) -> torch.Tensor:
        x = real.clone().requires_grad_()
        changed = {**parameters, **dict(zip(names, values, strict=True))}
        logits = torch.func.functional_call(discriminator, changed, (x,))
        return r1_penalty(logits, x)

    values = [parameters[name].detach().requires_grad_() for name in names]
    assert torch.autograd.gradcheck(penalty, values)


def test_path_length_of_a_linear_generator() -> None:
    """G(w) = A w in each layer has J = A, so the length is |A^T y| / R, whatever w is."""
    layers, styles, side = 3, 5, 4
    matrix = torch.randn(3 * side * side, styles)
    ws = torch.randn(2, layers, styles, requires_grad=True)
    images = (ws.sum(dim=1) @ matrix.T).reshape(2, 3, side, side)
    noise = torch.randn(2, 3, side, side)
    lengths = path_lengths(images, ws, noise)
    torch.testing.assert_close(lengths, (noise.flatten(1) @ matrix).norm(dim=1) / side)


def test_gradient_of_the_path_length_penalty() -> None:
    to_style, noise = nn.Linear(4, 3), torch.randn(2, 2, 5, 5)
    x, ws = torch.randn(2, 3, 5, 5), torch.randn(2, 1, 4, requires_grad=True)

    def penalty(weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        drawn = modulated_conv2d(x, weight, to_style(ws[:, 0]), padding=1)
        drawn = bias_act(drawn, bias, act="lrelu")
        return path_length_penalty(path_lengths(drawn, ws, noise), torch.tensor(0.3))

    weight = torch.randn(2, 3, 3, 3, requires_grad=True)
    bias = torch.randn(2, requires_grad=True)
    assert torch.autograd.gradcheck(penalty, (weight, bias))


def test_the_running_mean_follows_and_is_no_part_of_the_graph() -> None:
    lengths = torch.tensor([2.0, 4.0], requires_grad=True)
    mean = updated_mean(torch.tensor(1.0), lengths, 0.25)
    assert mean.item() == 1.5 and not mean.requires_grad
    path_length_penalty(lengths, mean).backward()
    assert lengths.grad is not None and lengths.grad.tolist() == [0.5, 2.5]
