"""Gradients of the compiled operators, against finite differences and the reference."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from stylegan2_ops import ACTIVATIONS, bias_act, upfirdn2d, upfirdn2d_bias_act
from tests.helpers.kernels import (
    ASYMMETRIC,
    LAYOUTS,
    RESAMPLINGS,
    SEPARABLE,
    both,
    close,
    random,
)
from tests.tolerances import DTYPES

pytestmark = pytest.mark.usefixtures("compiled")


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.tuples(*[st.integers(1, n) for n in (3, 40, 9, 9)]),
    filters=st.tuples(st.integers(1, 5), st.integers(1, 5)),
    factors=st.tuples(*[st.integers(1, 3)] * 4),
    padding=st.lists(st.integers(-2, 6), min_size=4, max_size=4),
    flip=st.booleans(),
    layout=st.sampled_from(LAYOUTS),
    seed=st.integers(0, 1000),
)
def test_upfirdn2d_and_its_gradients_on_random_shapes(
    sizes: tuple[int, ...],
    filters: tuple[int, int],
    factors: tuple[int, ...],
    padding: list[int],
    flip: bool,
    layout: torch.memory_format,
    seed: int,
) -> None:
    torch.manual_seed(seed)
    upx, upy, downx, downy = factors
    x = random(*sizes, layout=layout).requires_grad_()
    f = random(*filters)
    height, width = sizes[2] * upy + sum(padding[2:]), sizes[3] * upx + sum(padding[:2])
    if height < filters[0] or width < filters[1]:
        return

    def run() -> list[Tensor]:
        y = upfirdn2d(
            x, f, up=(upx, upy), down=(downx, downy), padding=padding, flip_filter=flip, gain=0.8
        )
        torch.manual_seed(seed)
        (first,) = torch.autograd.grad(y.sin().mul(torch.randn_like(y)).sum(), x, create_graph=True)
        (second,) = torch.autograd.grad(first.square().sum(), x)
        return [y, first, second]

    for got, wanted in zip(*both(run), strict=True):
        close(got, wanted, torch.float64)


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.tuples(*[st.integers(1, n) for n in (3, 70, 6, 6)]),
    act=st.sampled_from(list(ACTIVATIONS)),
    clamp=st.sampled_from([None, 0.9]),
    with_parts=st.tuples(st.booleans(), st.booleans(), st.booleans(), st.booleans()),
    layout=st.sampled_from(LAYOUTS),
    seed=st.integers(0, 1000),
)
def test_bias_act_and_its_gradients_on_random_shapes(
    sizes: tuple[int, ...],
    act: str,
    clamp: float | None,
    with_parts: tuple[bool, ...],
    layout: torch.memory_format,
    seed: int,
) -> None:
    torch.manual_seed(seed)
    n, c, h, w = sizes
    x = random(*sizes, layout=layout)
    noise = random(n if with_parts[3] else 1, 1, h, w)
    parts = {"scale": random(n, c), "noise": noise, "b": random(c)}
    used = {k: v for (k, v), on in zip(parts.items(), with_parts, strict=False) if on}
    inputs = [x, *used.values()]
    for tensor in inputs:
        tensor.requires_grad_()

    def run() -> list[Tensor]:
        y = bias_act(x, act=act, alpha=0.3, gain=1.3, clamp=clamp, **used)
        torch.manual_seed(seed)
        loss = (y * torch.randn_like(y)).sum() + y.pow(3).sum()
        first = torch.autograd.grad(loss, inputs, create_graph=True)
        second = torch.autograd.grad(sum(g.square().sum() for g in first), inputs)
        return [y, *first, *second]

    for got, wanted in zip(*both(run), strict=True):
        close(got, wanted, torch.float64)


@pytest.mark.parametrize("dtype", DTYPES)
def test_no_gradient_passes_a_clamp_that_rounding_moved(dtype: torch.dtype) -> None:
    x = torch.tensor([[-5.0, 0.3, 5.0]], dtype=dtype, requires_grad=True)
    bias_act(x, clamp=0.7).sum().backward()
    assert x.grad is not None and x.grad.tolist() == [[0.0, 1.0, 0.0]]
    unlimited = torch.tensor([[float("inf"), 2.0]], dtype=dtype, requires_grad=True)
    bias_act(unlimited, act="lrelu", gain=1.0).sum().backward()
    assert unlimited.grad is not None and unlimited.grad.tolist() == [[1.0, 1.0]]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("f", [SEPARABLE, ASYMMETRIC])
@pytest.mark.parametrize("arguments", RESAMPLINGS)
def test_upfirdn2d_gradients_are_those_of_finite_differences(
    arguments: dict[str, Any], f: Tensor, layout: torch.memory_format
) -> None:
    x = random(1, 2, 4, 5, layout=layout).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: upfirdn2d(x, f, **arguments), x)
    assert torch.autograd.gradgradcheck(lambda x: upfirdn2d(x, f, **arguments), x)


@pytest.mark.parametrize("act", ACTIVATIONS)
@pytest.mark.parametrize("gain", [1.3, -0.6])
def test_bias_act_gradients_are_those_of_finite_differences(act: str, gain: float) -> None:
    inputs = [random(2, 3, 3, 2), random(3), random(2, 3), random(2, 1, 3, 2)]

    def run(x: Tensor, b: Tensor, scale: Tensor, noise: Tensor) -> Tensor:
        arguments = {"act": act, "alpha": 0.3, "gain": gain, "clamp": 0.8}
        return bias_act(x, b, scale=scale, noise=noise, **arguments)

    for tensor in inputs:
        tensor.requires_grad_()
    assert torch.autograd.gradcheck(run, inputs)
    assert torch.autograd.gradgradcheck(run, inputs, atol=1e-4)


def test_third_derivatives_exist() -> None:
    x, scale = random(1, 2, 3, 3).requires_grad_(), random(1, 2).requires_grad_()

    def run() -> Tensor:
        y = upfirdn2d_bias_act(x, SEPARABLE, padding=2, scale=scale, act="lrelu").pow(4).sum()
        (first,) = torch.autograd.grad(y, x, create_graph=True)
        (second,) = torch.autograd.grad(first.square().sum(), scale, create_graph=True)
        (third,) = torch.autograd.grad(second.sin().sum(), x)
        return third

    got, wanted = both(run)
    torch.testing.assert_close(got, wanted, rtol=1e-9, atol=1e-9 * float(wanted.abs().max()))


def test_inputs_are_kept_for_the_backward_only_where_they_matter() -> None:
    x = random(1, 3, 4, 4).requires_grad_()
    kept: list[int] = []
    with torch.autograd.graph.saved_tensors_hooks(
        lambda t: kept.append(t.numel()) or t, lambda t: t
    ):
        bias_act(x * 1, act="lrelu")
    assert kept.count(x.numel()) == 1  # the output


def test_empty_tensors_have_gradients_of_zero() -> None:
    noise = torch.zeros(64, 64, requires_grad=True)
    y = bias_act(torch.zeros(2, 0, 64, 64), noise=noise, act="lrelu")
    assert torch.autograd.grad(y.sum(), noise)[0].abs().sum() == 0
    x = torch.zeros(2, 3, 0, 4, requires_grad=True)
    assert torch.autograd.grad(upfirdn2d(x, SEPARABLE, padding=4).sum(), x)[0].shape == x.shape


@pytest.mark.parametrize("act", ["lrelu", "tanh"])
def test_an_empty_batch_has_gradients(act: str) -> None:
    x, scale, noise, b = (
        torch.ones(shape).requires_grad_() for shape in ([0, 3, 4, 4], [0, 3], [0, 1, 4, 4], [3])
    )
    y = bias_act(x, b, scale=scale, noise=noise, act=act)
    gradients = torch.autograd.grad(y.sum(), (x, scale, noise, b))
    assert [g.shape for g in gradients] == [x.shape, scale.shape, noise.shape, b.shape]
    assert not gradients[3].any()
