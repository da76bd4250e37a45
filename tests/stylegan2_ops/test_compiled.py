"""The compiled kernels against the references: values, threads, and what they refuse."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from stylegan2_ops import ACTIVATIONS, bias_act, modulated_conv2d, upfirdn2d
from tests.helpers.kernels import (
    ASYMMETRIC,
    LAYOUTS,
    OPERATORS,
    RESAMPLINGS,
    SEPARABLE,
    both,
    close,
    random,
)
from tests.tolerances import DTYPES, assert_near

pytestmark = pytest.mark.usefixtures("compiled")


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("f", [SEPARABLE, ASYMMETRIC, torch.tensor([1.0, 2.0, -1.0])])
@pytest.mark.parametrize("arguments", RESAMPLINGS)
def test_upfirdn2d_gives_the_values_of_the_reference(
    arguments: dict[str, Any], f: Tensor, dtype: torch.dtype, layout: torch.memory_format
) -> None:
    x = random(2, 37, 6, 9, dtype=dtype, layout=layout)
    got, wanted = both(lambda: upfirdn2d(x, f, **arguments))
    close(got, wanted, dtype)
    assert got.is_contiguous(memory_format=layout)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("act", ACTIVATIONS)
def test_bias_act_gives_the_values_of_the_reference(
    act: str, dtype: torch.dtype, layout: torch.memory_format
) -> None:
    x = random(3, 41, 4, 5, dtype=dtype, layout=layout)
    scale, b, noise = random(3, 41), random(41), random(3, 1, 4, 5)
    for parts in ({}, {"b": b}, {"scale": scale, "b": b, "noise": noise}, {"noise": noise[0, 0]}):
        got, wanted = both(lambda p=parts: bias_act(x, act=act, alpha=0.3, clamp=1.5, **p))
        close(got, wanted, dtype)
        assert got.is_contiguous(memory_format=layout) and got.dtype == dtype


@pytest.mark.parametrize(
    "shape", [(4, 7), (2, 3, 5), (2, 3, 2, 2, 2), (1, 3, 40, 40), (2, 0, 3, 3)]
)
def test_bias_act_takes_any_number_of_dimensions(shape: tuple[int, ...]) -> None:
    x, b, scale = random(*shape), random(shape[1]), random(*shape[:2])
    got, wanted = both(lambda: bias_act(x, b, scale=scale, act="lrelu"))
    close(got, wanted, torch.float64)


def test_infinity_and_nan_pass_as_in_the_reference() -> None:
    x = torch.tensor([[float("inf"), float("-inf"), float("nan"), -0.0, 70000.0]])
    for dtype in DTYPES:
        for act in ("linear", "relu", "lrelu"):
            got, wanted = both(lambda d=dtype, a=act: bias_act(x.to(d), act=a, clamp=300.0))
            torch.testing.assert_close(got, wanted, equal_nan=True)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_rounds_as_torch_does(dtype: torch.dtype) -> None:
    every = torch.arange(-(2**15), 2**15, dtype=torch.int32).to(torch.int16).view(dtype)
    every = every[~every.isnan()]
    assert torch.equal(bias_act(every[None]), every[None])  # read and written unchanged
    x = (every[None].float() * 1.00073).to(torch.float32)
    x = x[:, x[0].abs() < 3e4]
    one = torch.ones(1, x.shape[1], dtype=dtype)
    got = bias_act(one, scale=x)  # computed in float32, then rounded once
    assert torch.equal(got, x.to(dtype))


@pytest.mark.parametrize("up", [1, 2])
@pytest.mark.parametrize("k", [1, 3])
@pytest.mark.parametrize("n", [1, 3])
@pytest.mark.parametrize("exchanged", [False, True])
def test_modulated_convolution_of_both_implementations(
    n: int, k: int, up: int, exchanged: bool
) -> None:
    x = random(n, 8, 9, 9, dtype=torch.float32, layout=torch.channels_last)
    weight, styles = random(6, 8, k, k, dtype=torch.float32), random(n, 8, dtype=torch.float32)
    if exchanged:
        weight = weight.transpose(0, 1).contiguous(memory_format=torch.channels_last)
        weight = weight.transpose(0, 1)
    noise, bias = random(9 * up, 9 * up, dtype=torch.float32), random(6, dtype=torch.float32)

    def run() -> Tensor:
        return modulated_conv2d(
            x,
            weight,
            styles,
            noise=noise,
            up=up,
            padding=k // 2,
            resample_filter=SEPARABLE,
            bias=bias,
            act="lrelu",
            clamp=5.0,
        )

    got, wanted = both(run)
    close(got, wanted, torch.float32)
    assert got.is_contiguous(memory_format=torch.channels_last)
    weight.requires_grad_()  # through autograd, where `demodulation` does not run
    close(run(), wanted, torch.float32)


def test_kernels_refuse_what_does_not_fit() -> None:
    x, f = torch.randn(1, 2, 3, 3), torch.ones(2, 2)
    with pytest.raises(RuntimeError, match="act must be an activation"):
        OPERATORS.bias_act(x, None, None, None, "gelu", 0.0, 1.0, -1.0)
    with pytest.raises(RuntimeError, match="scale does not fit x"):
        OPERATORS.bias_act(x, torch.ones(1, 3), None, None, "linear", 0.0, 1.0, -1.0)
    with pytest.raises(RuntimeError, match="larger than the padded input"):
        OPERATORS.upfirdn2d(x, f, [1, 1], [1, 1], [-2, -2, 0, 0], False, 1.0)
    with pytest.raises(RuntimeError, match="floating|float32, float64"):
        OPERATORS.bias_act(x.int(), None, None, None, "linear", 0.0, 1.0, -1.0)
    with pytest.raises(RuntimeError, match="slope of tanh"):
        OPERATORS.bias_act_backward(x, x, None, None, "tanh", 0.0, 1.0, -1.0, [True] * 4, 0)


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_sums_do_not_depend_on_the_number_of_threads(threads: int) -> None:
    torch.manual_seed(0)
    x = random(3, 40, 33, 31, dtype=torch.float32, layout=torch.channels_last)
    scale = random(3, 40, dtype=torch.float32).requires_grad_()

    def gradient() -> Tensor:
        (g,) = torch.autograd.grad(bias_act(x, scale=scale, act="lrelu").square().sum(), scale)
        return g

    before = torch.get_num_threads()
    wanted = gradient()
    try:
        torch.set_num_threads(threads)
        assert torch.equal(gradient(), wanted)
    finally:
        torch.set_num_threads(before)


# The warning is torch's own, when it first makes a forward-mode rule.
@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")
def test_forward_mode_and_function_transforms_run_the_reference() -> None:
    x, b = random(2, 3, 5, 5), random(3)

    def layer(b: Tensor) -> Tensor:
        return upfirdn2d(bias_act(x, b, act="lrelu"), SEPARABLE, padding=2).square().sum()

    wanted = torch.autograd.grad(layer(b.requires_grad_()), b)[0]
    torch.testing.assert_close(torch.func.grad(layer)(b.detach()), wanted)
    tangent = torch.func.jvp(layer, (b.detach(),), (torch.ones_like(b),))[1]
    torch.testing.assert_close(tangent, wanted.sum())
    rows = torch.func.vmap(torch.func.grad(layer))(b.detach().expand(2, 3))
    torch.testing.assert_close(rows, wanted.expand(2, 3))


def test_autocast_to_half_precision_does_not_overflow_the_demodulation() -> None:
    x, styles = torch.randn(1, 64, 8, 8), torch.full((1, 64), 50.0)
    weight = torch.randn(32, 64, 3, 3, requires_grad=True)
    wanted = modulated_conv2d(x, weight, styles, padding=1)
    with torch.autocast("cpu", torch.float16):
        got = modulated_conv2d(x, weight, styles, padding=1)
    assert_near(got.float(), wanted, torch.float16)
