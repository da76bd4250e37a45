"""Convolutions whose weights get their gradient from a kernel, against those of torch."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from stylegan2_ops import conv2d, conv_transpose2d, convolution
from stylegan2_ops._dispatch import use
from tests.helpers.kernels import OPERATORS

pytestmark = pytest.mark.usefixtures("compiled")

LAST = torch.channels_last
RUNS: dict[str, tuple[Callable[..., Tensor], Callable[..., Tensor]]] = {
    "conv2d": (conv2d, F.conv2d),
    "conv_transpose2d": (conv_transpose2d, F.conv_transpose2d),
}


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel is used whatever the processor and however small the images."""
    monkeypatch.setattr(convolution._dispatch, "capability", lambda: "avx2")
    monkeypatch.setattr(convolution, "_FEWEST_CHANNELS", 1)
    monkeypatch.setattr(convolution, "_FEWEST_POSITIONS", 1)


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(memory_format=LAST)


def textbook(a: Tensor, b: Tensor, stride: int, padding: int) -> Tensor:
    """The correlation that the operator computes, in float64 by its definition."""
    a, b = a.double(), F.pad(b.double(), [padding] * 4)
    spare = [stride * (a.shape[d] - 1) + 3 - b.shape[d] for d in (3, 2)]
    b = F.pad(b, [0, max(spare[0], 0), 0, max(spare[1], 0)])
    y = a.new_empty(a.shape[1], b.shape[1], 3, 3)
    for t in range(3):
        for u in range(3):
            met = b[:, :, t::stride, u::stride][:, :, : a.shape[2], : a.shape[3]]
            y[:, :, t, u] = torch.einsum("nihw,njhw->ij", a, met)
    return y


@settings(max_examples=80, deadline=None)
@given(
    samples=st.integers(0, 3),
    channels=st.tuples(st.integers(1, 70), st.integers(1, 70)),
    size=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    other=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    stride=st.integers(1, 3),
    padding=st.integers(0, 4),
    seed=st.integers(0, 100),
)
def test_the_kernel_correlates_images_of_any_sizes(
    samples: int,
    channels: tuple[int, int],
    size: tuple[int, int],
    other: tuple[int, int],
    stride: int,
    padding: int,
    seed: int,
) -> None:
    a = normal(samples, channels[0], *size, seed=seed)
    b = normal(samples, channels[1], *other, seed=seed + 1)
    got = OPERATORS.weight_gradient(a, b, stride, padding)
    assert got.is_contiguous(memory_format=LAST)
    torch.testing.assert_close(got.double(), textbook(a, b, stride, padding), rtol=1e-4, atol=1e-4)


def test_the_kernel_sums_large_images_as_torch_does() -> None:
    a, b = normal(5, 70, 50, 60), normal(5, 130, 101, 121, seed=1)
    got, wanted = OPERATORS.weight_gradient(a, b, 2, 0), textbook(a, b, 2, 0)
    torch.testing.assert_close(got.double(), wanted, rtol=1e-4, atol=2e-3)


def test_sums_do_not_depend_on_the_number_of_threads() -> None:
    a, b, threads = normal(3, 70, 40, 50), normal(3, 33, 40, 50, seed=1), torch.get_num_threads()
    try:
        found = []
        for count in (1, 2, 3):
            torch.set_num_threads(count)
            found.append(OPERATORS.weight_gradient(a, b, 1, 1))
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(found[0], found[1]) and torch.equal(found[0], found[2])


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("name", RUNS)
@pytest.mark.parametrize("stride, padding", [(1, 0), (1, 1), (2, 0), (2, 1), (3, 2)])
def test_first_and_second_gradients_are_those_of_torch(
    name: str, stride: int, padding: int
) -> None:
    ours, theirs = RUNS[name]
    x, weight = normal(2, 5, 9, 12), normal(5, 5, 3, 3, seed=1)
    x.requires_grad_()
    weight.requires_grad_()

    def run(convolve: Callable[..., Tensor]) -> list[Tensor]:
        y = convolve(x, weight, stride=stride, padding=padding)
        loss = (y * normal(*y.shape, seed=2)).sum() + y.square().sum()
        first = torch.autograd.grad(loss, (x, weight), create_graph=True)
        total = torch.stack([g.square().sum() for g in first]).sum()
        second = torch.autograd.grad(total, (x, weight))
        return [y.detach(), *(g.detach() for g in first), *second]

    assert type(ours(x, weight).grad_fn).__name__ in ("_ConvolutionBackward", "_TransposedBackward")
    for got, wanted in zip(run(ours), run(theirs), strict=True):
        largest = wanted.abs().max().item()
        torch.testing.assert_close(got, wanted, rtol=1e-4, atol=1e-5 * largest)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("convolve", [conv2d, conv_transpose2d])
def test_gradients_that_are_taken_under_autocast_are_not_rounded(
    convolve: Callable[..., Tensor],
) -> None:
    x, weight = normal(2, 5, 9, 12), normal(5, 5, 3, 3, seed=1)
    x.requires_grad_()
    weight.requires_grad_()

    def run(half: bool) -> tuple[Tensor, ...]:
        y = convolve(x, weight)
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            first = torch.autograd.grad(y.sin().sum(), (x, weight), create_graph=True)
            return torch.autograd.grad(
                torch.stack([g.sin().sum() for g in first]).sum(), (x, weight)
            )

    for got, wanted in zip(run(half=True), run(half=False), strict=True):
        assert torch.equal(got, wanted)


@pytest.mark.usefixtures("quick")
def test_the_bias_has_its_gradient() -> None:
    x, weight, bias = normal(2, 3, 6, 5), normal(4, 3, 3, 3, seed=1), normal(1, 4, 1, 1)[0, :, 0, 0]
    weight.requires_grad_()
    bias.requires_grad_()
    got, wanted = conv2d(x, weight, bias, padding=1), F.conv2d(x, weight, bias, padding=1)
    torch.testing.assert_close(got, wanted)
    (ours,) = torch.autograd.grad(got.square().sum(), bias)
    (theirs,) = torch.autograd.grad(wanted.square().sum(), bias)
    torch.testing.assert_close(ours, theirs)


@pytest.mark.usefixtures("quick")
def test_rows_that_a_stride_leaves_out_get_no_gradient() -> None:
    x, weight = normal(1, 3, 8, 10).requires_grad_(), normal(4, 3, 3, 3, seed=1).requires_grad_()
    (got,) = torch.autograd.grad(conv2d(x, weight, stride=2).sum(), x)
    assert got.shape == x.shape
    assert bool((got[:, :, 7] == 0).all()) and bool((got[..., 9] == 0).all())
    assert bool((got[:, :, 6] != 0).any())


@pytest.mark.usefixtures("quick")
def test_everything_else_is_left_to_torch() -> None:
    x, weight = normal(1, 4, 6, 6), normal(4, 4, 3, 3, seed=1).requires_grad_()

    def plain(x: Tensor, weight: Tensor) -> bool:
        return not convolution._quick(x, weight)

    assert not plain(x, weight)
    assert plain(x, weight.detach())  # no gradient is wanted
    assert plain(x.double(), weight.double())
    assert plain(x.contiguous(), weight)
    assert plain(x, normal(4, 4, 5, 5).requires_grad_())
    with torch.no_grad():
        assert plain(x, weight)
    with torch.autocast("cpu", torch.bfloat16):
        assert plain(x, weight)
    with use("reference"):
        assert plain(x, weight)
    got = torch.func.grad(lambda w: conv2d(x, w).sum())(weight)
    (wanted,) = torch.autograd.grad(F.conv2d(x, weight).sum(), weight)
    torch.testing.assert_close(got, wanted)


def test_small_and_narrow_layers_are_left_to_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(convolution._dispatch, "capability", lambda: "avx2")
    wide = normal(16, 16, 3, 3).requires_grad_()
    assert convolution._quick(normal(1, 16, 12, 12), wide)
    assert not convolution._quick(normal(1, 16, 8, 8), wide)
    assert not convolution._quick(normal(1, 3, 12, 12), normal(16, 3, 3, 3).requires_grad_())
    monkeypatch.setattr(convolution._dispatch, "capability", lambda: "avx512")
    assert not convolution._quick(normal(1, 16, 12, 12), wide)


@pytest.mark.parametrize(
    "a, b, stride, padding",
    [
        (normal(2, 3, 4, 5).double(), normal(2, 3, 4, 5), 1, 1),
        (normal(2, 3, 4, 5), normal(3, 3, 4, 5), 1, 1),
        (normal(2, 3, 4, 5), normal(2, 3, 4, 5), 0, 1),
        (normal(2, 3, 4, 5), normal(2, 3, 4, 5), 1, -1),
    ],
    ids=["float64", "samples", "stride", "padding"],
)
def test_the_kernel_refuses_what_it_is_not_made_for(
    a: Tensor, b: Tensor, stride: int, padding: int
) -> None:
    with pytest.raises(RuntimeError, match="weight_gradient wants|must be at least"):
        OPERATORS.weight_gradient(a, b, stride, padding)
