"""The compiled kernels against the references: values, gradients of both orders, tracing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from stylegan2_ops import (
    ACTIVATIONS,
    bias_act,
    filter_from_taps,
    modulated_conv2d,
    upfirdn2d,
    upfirdn2d_bias_act,
    upsample2d,
)
from stylegan2_ops._dispatch import implementation, use

TOLERANCE = {torch.float64: 1e-11, torch.float32: 2e-5, torch.float16: 4e-3, torch.bfloat16: 3e-2}
DTYPES = list(TOLERANCE)
LAYOUTS = [torch.contiguous_format, torch.channels_last]
ASYMMETRIC = torch.tensor([[1.0, 2.0, -0.5], [0.3, 1.5, 0.7], [-1.0, 0.2, 0.4], [0.1, 0.6, 2.0]])
SEPARABLE = filter_from_taps([1, 3, 3, 1])
RESAMPLINGS: list[dict[str, Any]] = [
    {"padding": 1},
    {"up": 2, "padding": [2, 1, 2, 1], "gain": 4.0},
    {"down": 2, "padding": [-1, 2, 3, -2], "flip_filter": True},
    {"up": (3, 1), "down": (2, 3), "padding": [4, 5, 1, 6], "gain": -0.7},
    {"up": (1, 4), "down": (5, 1), "padding": [0, 3, 7, -3]},
]
OPERATORS = torch.ops.stylegan2_ops


@pytest.fixture(autouse=True)
def compiled() -> Iterator[None]:
    try:
        implementation("compiled")
    except RuntimeError as error:
        pytest.skip(str(error))
    with use("compiled"):
        yield


def both(function: Callable[[], Any]) -> tuple[Any, Any]:
    """What the kernels and what the reference give."""
    got = function()
    with use("reference"):
        return got, function()


def close(got: Tensor, wanted: Tensor, dtype: torch.dtype) -> None:
    size = float(wanted.detach().abs().max()) if wanted.numel() else 0.0
    tolerance = TOLERANCE[dtype]
    torch.testing.assert_close(got, wanted, rtol=tolerance, atol=tolerance * max(size, 1e-3))


def random(*shape: int, dtype: torch.dtype = torch.float64, layout: Any = None) -> Tensor:
    x = torch.randn(shape, dtype=torch.float64).to(dtype)
    return x if layout is None else x.contiguous(memory_format=layout)


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


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("f", [SEPARABLE, ASYMMETRIC])
def test_fused_operator_is_the_two_in_a_row(
    f: Tensor, dtype: torch.dtype, layout: torch.memory_format
) -> None:
    x = random(2, 35, 7, 8, dtype=dtype, layout=layout)
    for noise in (None, random(7, 8), random(2, 1, 7, 8)):
        for act in ("linear", "lrelu", "tanh"):
            parts = {"scale": random(2, 35), "noise": noise, "act": act, "clamp": 2.0}
            b = random(35)
            got, wanted = both(
                lambda b=b, p=parts: upfirdn2d_bias_act(
                    x, f, b, padding=[1, f.shape[1] - 2, 2, 1], filter_gain=2.0, **p
                )
            )
            close(got, wanted, dtype)


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


@pytest.mark.parametrize("act", ["lrelu", "tanh"])
@pytest.mark.parametrize("f", [SEPARABLE, ASYMMETRIC])
def test_fused_gradients_are_those_of_finite_differences(act: str, f: Tensor) -> None:
    inputs = [random(2, 3, 4, 3), random(3), random(2, 3), random(1, 1, 3, 3)]
    padding = [1, f.shape[1] - 2, 1, 1]

    def run(x: Tensor, b: Tensor, scale: Tensor, noise: Tensor) -> Tensor:
        return upfirdn2d_bias_act(
            x, f, b, padding=padding, filter_gain=2.0, scale=scale, noise=noise, act=act, clamp=1.1
        )

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


# The warning is opcheck's own: it reads gradients of tensors that it made from its inputs.
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")
@pytest.mark.parametrize("layout", LAYOUTS)
def test_operators_pass_the_checks_of_torch(layout: torch.memory_format) -> None:
    f, x = SEPARABLE, random(2, 5, 6, 7, dtype=torch.float32, layout=layout).requires_grad_()
    scale, noise, b = torch.randn(2, 5), torch.randn(1, 1, 6, 7), torch.randn(5)
    for part in (scale, noise, b):
        part.requires_grad_()
    resampling = ([2, 1], [1, 2], [2, 1, 3, -1], True, 1.5)
    torch.library.opcheck(OPERATORS.upfirdn2d.default, (x, f, *resampling))
    for act in ("linear", "relu", "lrelu", "swish"):
        arguments = (act, 0.2, 1.4, 0.9)
        torch.library.opcheck(OPERATORS.bias_act.default, (x, scale, noise, b, *arguments))
    y_noise = torch.randn(2, 1, 3, 14)
    fused = (x, f, *resampling, scale, y_noise, b, "lrelu", 0.2, 1.4, -1.0)
    torch.library.opcheck(OPERATORS.upfirdn2d_bias_act.default, fused)
    dy, y = torch.randn_like(x), bias_act(x, act="lrelu").detach()
    for wanted in ([True] * 4, [True, False, False, True]):
        inputs = (dy, y, x if wanted[1] else None, scale, "lrelu", 0.2, 1.4, -1.0, wanted, 1)
        torch.library.opcheck(OPERATORS.bias_act_backward.default, inputs)
    weight = torch.randn(6, 5, 3, 3).contiguous(memory_format=torch.channels_last)
    torch.library.opcheck(OPERATORS.demodulation.default, (weight, torch.randn(2, 5)))


def test_torch_compile_traces_without_a_break() -> None:
    x, weight, styles = random(2, 4, 5, 5), random(6, 4, 3, 3), random(2, 4)
    x, weight, styles = (t.float() for t in (x, weight, styles))

    def layer(x: Tensor, weight: Tensor, styles: Tensor) -> Tensor:
        y = modulated_conv2d(
            x, weight, styles, up=2, padding=1, resample_filter=SEPARABLE, act="lrelu", clamp=9.0
        )
        return upsample2d(bias_act(y, act="swish"), SEPARABLE)

    traced = torch.compile(layer, backend="aot_eager", fullgraph=True)
    torch.testing.assert_close(traced(x, weight, styles), layer(x, weight, styles))
    weight.requires_grad_()
    (got,) = torch.autograd.grad(traced(x, weight, styles).sum(), weight)
    (wanted,) = torch.autograd.grad(layer(x, weight, styles).sum(), weight)
    torch.testing.assert_close(got, wanted)


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


@pytest.mark.parametrize("act", ["lrelu", "relu", "linear"])
def test_negative_gain_of_the_fused_operator_without_a_scale(act: str) -> None:
    x, b = random(1, 3, 5, 5).requires_grad_(), random(3).requires_grad_()

    def run() -> list[Tensor]:
        y = upfirdn2d_bias_act(x, SEPARABLE, b, padding=2, act=act, gain=-1.3)
        return list(torch.autograd.grad(y.square().sum(), [x, b]))

    for got, wanted in zip(*both(run), strict=True):
        close(got, wanted, torch.float64)


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


def test_autocast_to_half_precision_does_not_overflow_the_demodulation() -> None:
    x, styles = torch.randn(1, 64, 8, 8), torch.full((1, 64), 50.0)
    weight = torch.randn(32, 64, 3, 3, requires_grad=True)
    wanted = modulated_conv2d(x, weight, styles, padding=1)
    with torch.autocast("cpu", torch.float16):
        got = modulated_conv2d(x, weight, styles, padding=1)
    torch.testing.assert_close(got.float(), wanted, rtol=0.02, atol=0.02)
