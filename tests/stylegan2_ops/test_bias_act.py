from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck

from stylegan2_ops import ACTIVATIONS, bias_act
from stylegan2_ops._dispatch import use

_SELU_ALPHA, _SELU_SCALE = 1.6732632423543772, 1.0507009873554805

# The definitions, in NumPy and double precision, as functions of x and alpha.
DEFINITIONS: dict[str, Callable[[np.ndarray, float], np.ndarray]] = {
    "linear": lambda x, _: x,
    "relu": lambda x, _: np.maximum(x, 0),
    "lrelu": lambda x, alpha: np.where(x > 0, x, alpha * x),
    "tanh": lambda x, _: (np.exp(x) - np.exp(-x)) / (np.exp(x) + np.exp(-x)),
    "sigmoid": lambda x, _: 1 / (1 + np.exp(-x)),
    "elu": lambda x, _: np.where(x > 0, x, np.exp(x) - 1),
    "selu": lambda x, _: _SELU_SCALE * np.where(x > 0, x, _SELU_ALPHA * (np.exp(x) - 1)),
    "softplus": lambda x, _: np.log(1 + np.exp(x)),
    "swish": lambda x, _: x / (1 + np.exp(-x)),
}
GAINS = {"relu": math.sqrt(2), "lrelu": math.sqrt(2), "swish": math.sqrt(2)}
ALPHAS = {"lrelu": 0.2}


def away_from_kinks(*shape: int) -> Tensor:
    """Float64 values at least 0.1 from 0, where activations bend."""
    x = torch.randn(*shape, dtype=torch.float64)
    return x + 0.1 * x.sign()


def test_the_definitions_cover_every_activation() -> None:
    assert set(DEFINITIONS) == set(ACTIVATIONS)


@pytest.mark.parametrize("act", list(ACTIVATIONS))
def test_defaults_are_the_definition_times_the_default_gain(act: str) -> None:
    x, b = torch.randn(2, 3, 4, 5, dtype=torch.float64), torch.randn(3, dtype=torch.float64)
    summed = x.numpy() + b.numpy()[None, :, None, None]
    wanted = DEFINITIONS[act](summed, ALPHAS.get(act, 0.0)) * GAINS.get(act, 1.0)
    torch.testing.assert_close(bias_act(x, b, act=act), torch.from_numpy(wanted))


@pytest.mark.parametrize("act", list(ACTIVATIONS))
def test_alpha_gain_and_clamp_of_ones_own(act: str) -> None:
    x = 3 * torch.randn(2, 3, 7, dtype=torch.float64)
    wanted = np.clip(DEFINITIONS[act](x.numpy(), 0.5) * -1.7, -0.8, 0.8)
    got = bias_act(x, act=act, alpha=0.5, gain=-1.7, clamp=0.8)
    torch.testing.assert_close(got, torch.from_numpy(wanted))
    assert float(got.abs().max()) <= 0.8


def test_the_clamp_comes_after_the_gain() -> None:
    x = torch.tensor([[-9.0, 0.25, 9.0]])
    assert bias_act(x, gain=2.0, clamp=1.0).tolist() == [[-1.0, 0.5, 1.0]]
    assert bias_act(x, clamp=0.0).tolist() == [[0.0, 0.0, 0.0]]


@pytest.mark.parametrize("shape", [(4, 3), (4, 3, 2), (4, 3, 2, 2), (1, 3, 2, 2, 2)])
def test_the_bias_belongs_to_dimension_one(shape: tuple[int, ...]) -> None:
    got = bias_act(torch.zeros(shape), torch.tensor([1.0, 2.0, 3.0]))
    assert got.shape == shape
    for channel in range(3):
        assert got.select(1, channel).eq(channel + 1.0).all()


def test_the_input_is_left_alone() -> None:
    x = torch.ones(1, 2, 2)
    bias_act(x, torch.ones(2), act="relu", gain=3.0, clamp=0.5)
    assert x.eq(1).all()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32, torch.float64])
@pytest.mark.parametrize("act", list(ACTIVATIONS))
def test_dtype_and_memory_format_are_kept(act: str, dtype: torch.dtype) -> None:
    x = torch.randn(2, 3, 4, 5).to(dtype).contiguous(memory_format=torch.channels_last)
    got = bias_act(x, torch.randn(3), act=act, clamp=2.0)
    assert got.dtype == dtype
    assert got.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("act", list(ACTIVATIONS))
def test_gradients_of_first_and_second_order(act: str) -> None:
    x = away_from_kinks(2, 3, 2).requires_grad_()
    b = torch.zeros(3, dtype=torch.float64, requires_grad=True)

    def run(x: Tensor, b: Tensor) -> Tensor:
        return bias_act(x, b, act=act, alpha=0.3, gain=0.7, clamp=1.1)

    assert gradcheck(run, (x, b))
    assert gradgradcheck(run, (x, b))


def test_clamped_outputs_have_no_gradient() -> None:
    x = torch.tensor([[5.0, 0.5, -5.0]], requires_grad=True)
    bias_act(x, gain=2.0, clamp=3.0).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [[0.0, 2.0, 0.0]]


def test_an_unknown_activation_is_named_with_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"one of linear, relu, lrelu, .*; got 'gelu'"):
        bias_act(torch.zeros(1, 1), act="gelu")


def test_a_negative_clamp_is_refused() -> None:
    with pytest.raises(ValueError, match=r"clamp must be at least 0, got -1"):
        bias_act(torch.zeros(1, 1), clamp=-1)


def test_a_bias_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match=r"bias of shape \[3\] does not fit x"):
        bias_act(torch.zeros(2, 4), torch.zeros(3))


@pytest.mark.parametrize("implementation", ["auto", "reference"])
@pytest.mark.parametrize("x", [torch.zeros(3), torch.zeros(2, 4, dtype=torch.int64)])
def test_x_without_channels_or_of_integers_is_refused(
    x: torch.Tensor, implementation: Literal["auto", "reference"]
) -> None:
    with (
        use(implementation),
        pytest.raises(ValueError, match=r"x must be floating \[N, C, ...\], got torch"),
    ):
        bias_act(x)
