"""The compiled operators on a GPU against the reference: values, gradients of two orders, layouts.

Skipped, with the reason, where there is no GPU or no library for it. Under compute-sanitizer, which
comes with the CUDA toolkit (a slow run, so pick tests):

    compute-sanitizer --tool memcheck  python -m pytest tests/stylegan2_ops/test_cuda.py
    compute-sanitizer --tool racecheck python -m pytest tests/stylegan2_ops/test_cuda.py -k planes
    compute-sanitizer --tool initcheck python -m pytest tests/stylegan2_ops/test_cuda.py -k values

with PYTORCH_NO_CUDA_MEMORY_CACHING=1 in the environment, so that each tensor is an allocation that
memcheck knows the bounds of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck

from stylegan2_ops import ACTIVATIONS, bias_act, upfirdn2d
from stylegan2_ops._dispatch import use
from stylegan2_ops._library import Missing, load
from stylegan2_ops.upfirdn2d_bias_act import upfirdn2d_bias_act
from tests.tolerances import DTYPES, assert_near

PIECEWISE = ("linear", "relu", "lrelu")


@pytest.fixture(autouse=True)
def compiled() -> Iterator[None]:
    if not torch.cuda.is_available():
        pytest.skip("no GPU on this machine")
    library = load("cuda")
    if isinstance(library, Missing):
        pytest.skip(f"{library.why}; {library.remedy}")
    with use("compiled"):
        yield


many = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
dtypes, flags = st.sampled_from(DTYPES), st.booleans()


def random_tensor(shape: Sequence[int], dtype: torch.dtype, channels_last: bool) -> Tensor:
    x = torch.randn(*shape, device="cuda").to(dtype)
    return x.contiguous(memory_format=torch.channels_last) if channels_last else x


def assert_same(
    run: Callable[..., Tensor], inputs: Sequence[Tensor], channels_last: bool, orders: int
) -> None:
    """Values, and gradients up to an order, of `run` compiled and as the reference in float64."""
    x = inputs[0]
    layout = torch.channels_last if channels_last else torch.contiguous_format
    leaves = [t.clone().requires_grad_() for t in inputs]
    exact = [t.double().requires_grad_() for t in inputs]
    got = run(*leaves)
    with use("reference"):
        wanted = run(*exact)
    assert got.dtype == x.dtype
    assert got.is_contiguous(memory_format=layout)
    near(got, wanted, x.dtype)
    directions = [torch.randn_like(t) for t in inputs]
    dy = torch.randn_like(got).requires_grad_()
    exact_dy = dy.detach().double().requires_grad_()
    for order in range(1, orders + 1):
        # Along a line, so that what is differentiated again stays a number.
        grads = torch.autograd.grad(got, [*leaves], dy, create_graph=True)
        exact_grads = torch.autograd.grad(wanted, [*exact], exact_dy, create_graph=True)
        for ours, theirs in zip(grads, exact_grads, strict=True):
            near(ours, theirs, x.dtype, 10.0**order)
        if order == orders:
            return
        got = _inner(grads, directions)
        wanted = _inner(exact_grads, [d.double() for d in directions])
        leaves, exact = [dy], [exact_dy]  # piecewise operators are linear in dy alone
        dy, exact_dy = torch.ones_like(got), torch.ones_like(wanted)


def _inner(tensors: Sequence[Tensor], directions: Sequence[Tensor]) -> Tensor:
    pairs = zip(tensors, directions, strict=True)
    return torch.stack([(t.double() * d.double()).sum() for t, d in pairs]).sum()


def near(got: Tensor, wanted: Tensor, dtype: torch.dtype, times: float = 1.0) -> None:
    """Relative to the magnitude of what is compared: float64 against the dtype under test."""
    size = max(1.0, wanted.abs().max().item() if wanted.numel() else 0.0)
    assert_near(got.double(), wanted.double(), dtype, size=times * size)


@st.composite
def resamplings(draw: st.DrawFn) -> tuple[list[int], list[int], dict[str, Any]]:
    """Shape of x, shape of f and the other arguments of upfirdn2d; often those that run fastest."""
    number = lambda low, high: draw(st.integers(low, high))  # noqa: E731
    if draw(flags):
        up, down = draw(st.sampled_from([(1, 1), (2, 1), (1, 2)]))
        taps, ups, downs = [4, 4], (up, up), (down, down)
    else:
        taps = [number(1, 6), number(1, 9)]
        ups, downs = (number(1, 3), number(1, 3)), (number(1, 3), number(1, 4))
    sides = [number(-2, 5) for _ in range(4)]
    shape = [number(1, 3), draw(st.sampled_from([1, 3, 4, 8, 12, 33, 64]))]
    for factor, least, before, after in [
        (ups[1], taps[0], sides[2], sides[3]),
        (ups[0], taps[1], sides[0], sides[1]),
    ]:
        shortest = max(1, -(-(least - before - after) // factor))
        shape.append(number(shortest, shortest + draw(st.sampled_from([3, 40, 200]))))
    arguments = {"up": ups, "down": downs, "padding": sides, "flip_filter": draw(flags)}
    return shape, taps, arguments | {"gain": draw(st.sampled_from([1.0, -0.7]))}


@many
@given(resamplings(), dtypes, flags, flags)
def test_upfirdn2d_values_and_gradients_of_planes_and_pixels(
    resampling: tuple[list[int], list[int], dict[str, Any]],
    dtype: torch.dtype,
    channels_last: bool,
    separable: bool,
) -> None:
    shape, taps, arguments = resampling
    x = random_tensor(shape, dtype, channels_last and shape[1] > 1)
    f = torch.randn(taps, device="cuda")
    f = torch.outer(f[:, 0], f[0]) if separable else f
    layout = channels_last and shape[1] > 1
    assert_same(lambda x: upfirdn2d(x, f, **arguments), [x], layout, orders=2)


@many
@given(
    st.sampled_from(list(ACTIVATIONS)),
    dtypes,
    flags,
    st.sampled_from([None, 0.8]),
    st.tuples(st.integers(1, 4), st.sampled_from([2, 3, 8, 32, 40]), *[st.integers(2, 70)] * 2),
)
def test_bias_act_values_and_gradients(
    act: str,
    dtype: torch.dtype,
    channels_last: bool,
    clamp: float | None,
    shape: tuple[int, ...],
) -> None:
    x = random_tensor(shape, dtype, channels_last)
    wide = torch.promote_types(dtype, torch.float32)
    b = torch.randn(shape[1], device="cuda", dtype=wide)
    scale = torch.rand(shape[:2], device="cuda", dtype=wide) + 0.5
    noise = torch.randn(shape[0], 1, *shape[2:], device="cuda", dtype=wide)

    def run(x: Tensor, b: Tensor, scale: Tensor, noise: Tensor) -> Tensor:
        return bias_act(x, b, scale=scale, noise=noise, act=act, gain=1.3, clamp=clamp)

    # In half precision a number beside a kink may lie on its other side once it is rounded.
    exact = dtype in (torch.float32, torch.float64)
    orders = 2 if exact and act in PIECEWISE else 0
    assert_same(run, [x, b, scale, noise], channels_last, orders)


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("dtype", [torch.float16, torch.float32])
@pytest.mark.parametrize("act", ["lrelu", "tanh"])
def test_filter_and_epilogue_in_one_pass(act: str, dtype: torch.dtype, channels_last: bool) -> None:
    x = random_tensor([2, 32, 65, 65], dtype, channels_last)
    f, b = torch.randn(4, 4, device="cuda"), torch.randn(32, device="cuda")
    scale, noise = torch.rand(2, 32, device="cuda"), torch.randn(2, 1, 64, 64, device="cuda")

    def run(x: Tensor, b: Tensor, scale: Tensor, noise: Tensor) -> Tensor:
        return upfirdn2d_bias_act(
            x, f.to(x.device), b, padding=1, scale=scale, noise=noise, act=act, clamp=5.0
        )

    orders = 1 if dtype == torch.float32 else 0
    assert_same(run, [x, b, scale, noise], channels_last, orders)


@pytest.mark.parametrize("channels_last", [False, True])
def test_numerical_gradients_of_both_orders(channels_last: bool) -> None:
    x = random_tensor([1, 4, 5, 6], torch.float64, channels_last).requires_grad_()
    f = torch.randn(3, 2, device="cuda", dtype=torch.float64)
    b = torch.randn(4, device="cuda", dtype=torch.float64, requires_grad=True)

    def filtered(x: Tensor) -> Tensor:
        return upfirdn2d(x, f, up=(2, 1), down=(1, 2), padding=[3, -1, 1, 2], flip_filter=True)

    def activated(x: Tensor, b: Tensor) -> Tensor:
        return bias_act(x, b, act="lrelu", clamp=1.1)

    for check in (gradcheck, gradgradcheck):
        assert check(filtered, (x,))
        assert check(activated, (x, b))


def test_sums_of_gradients_are_the_same_every_time() -> None:
    for channels_last in (False, True):
        x = random_tensor([4, 32, 256, 256], torch.float32, channels_last)
        b = torch.randn(32, device="cuda", requires_grad=True)
        noise = torch.randn(256, 256, device="cuda", requires_grad=True)
        y = bias_act(x, b, noise=noise, act="lrelu")
        dy = torch.randn_like(y)
        first, *others = (
            torch.autograd.grad(y, [b, noise], dy, retain_graph=True) for _ in range(4)
        )
        for other in others:
            assert all(torch.equal(a, b) for a, b in zip(first, other, strict=True))


def test_the_current_stream_is_used() -> None:
    x, f = torch.randn(8, 64, 256, 256, device="cuda"), torch.ones(4, 4, device="cuda")
    with torch.cuda.stream(torch.cuda.Stream()):
        torch.cuda._sleep(20_000_000)
        x = x.new_zeros(x.shape).fill_(2.0)
        y = bias_act(upfirdn2d(x, f, padding=[2, 1, 2, 1]), act="relu", gain=1.0)
        torch.cuda.current_stream().synchronize()
    assert y[:, :, 4:-4, 4:-4].eq(32).all()


@pytest.mark.parametrize("channels_last", [False, True])
def test_more_numbers_than_32_bits_count(channels_last: bool) -> None:
    shape = (2**31 // (8 * 8192) // 4096 + 1, 8, 8192, 4096)
    if torch.cuda.mem_get_info()[0] < 5 * 2 * shape[0] * 2**28:
        pytest.skip("too little memory for a tensor of more than 2**31 numbers")
    layout = torch.channels_last if channels_last else torch.contiguous_format
    x = torch.zeros(shape, device="cuda", dtype=torch.float16).contiguous(memory_format=layout)
    x[-1, -1, -1, -5:] = torch.tensor([1, 2, 3, 4, 5])
    y = bias_act(x, act="relu", gain=2.0)
    assert y[-1, -1, -1, -5:].tolist() == [2, 4, 6, 8, 10]
    assert y.count_nonzero() == 5
    del y
    for f, wanted in [(torch.ones(4, 4), 15.0), (torch.ones(1, 5), 15.0)]:
        z = upfirdn2d(x, f.cuda(), padding=[2, 2, 1, 1] if len(f) == 4 else [2, 2, 0, 0])
        assert z.amax() == (14.0 if len(f) == 4 else wanted)
        del z
