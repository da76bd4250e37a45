"""Path lengths against closed forms on stub networks, and their gradient."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from regen.generators.stylegan2.training.losses import (
    path_length_penalty,
    path_lengths,
    updated_mean,
)
from stylegan2_ops import bias_act, modulated_conv2d

pytestmark = pytest.mark.usefixtures("float64")


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
