"""Convolutions by kernels of ours, and their gradients, against those of torch."""

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
    """The kernels are used whatever the processor and however small the images."""
    monkeypatch.setattr(convolution._dispatch, "capability", lambda: "avx2")
    monkeypatch.setattr(convolution, "_FEWEST", dict.fromkeys(convolution._FEWEST, (1, 1)))
    monkeypatch.setattr(convolution, "_FEWEST_OF_GRADIENT", (1, 1))
    monkeypatch.setattr(convolution, "_FEWEST_OF_DIRECT", 1)
    monkeypatch.setattr(convolution, "_FEWEST_CHANNELS", 1)


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


SIZES = st.tuples(st.integers(1, 40), st.integers(1, 40))
CHANNELS = st.sampled_from([1, 3, 16, 17, 32, 48, 70, 80])
WHOLE = st.sampled_from([16, 32, 48, 80])


@settings(max_examples=120, deadline=None)
@given(
    samples=st.integers(0, 3),
    channels=st.tuples(CHANNELS, CHANNELS),
    size=SIZES,
    other=SIZES,
    stride=st.sampled_from([1, 1, 2, 3]),
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
    torch.testing.assert_close(got.double(), textbook(a, b, stride, padding), rtol=1e-4, atol=5e-4)


@settings(max_examples=120, deadline=None)
@given(
    samples=st.integers(0, 3),
    channels=st.tuples(WHOLE, WHOLE),
    size=st.tuples(st.integers(3, 40), st.integers(3, 40)),
    stride=st.sampled_from([1, 2]),
    padding=st.integers(0, 2),
    transposed=st.booleans(),
    layout=st.sampled_from([LAST, torch.contiguous_format]),
    with_bias=st.booleans(),
    seed=st.integers(0, 100),
)
def test_tiles_give_the_convolution_of_images_of_any_sizes(
    samples: int,
    channels: tuple[int, int],
    size: tuple[int, int],
    stride: int,
    padding: int,
    transposed: bool,
    layout: torch.memory_format,
    with_bias: bool,
    seed: int,
) -> None:
    x = normal(samples, channels[0], *size, seed=seed)
    weight = normal(*(channels if transposed else channels[::-1]), 3, 3, seed=seed + 1)
    weight = weight.contiguous(memory_format=layout)
    bias = normal(1, channels[1], 1, 1, seed=2).flatten() if with_bias else None
    padding = padding if stride == 1 else 0
    got = OPERATORS.convolution(x, weight, bias, stride, padding, transposed)
    convolve = F.conv_transpose2d if transposed else F.conv2d
    exact = None if bias is None else bias.double()
    wanted = convolve(x.double(), weight.double(), exact, stride=stride, padding=padding)
    assert got.is_contiguous(memory_format=LAST)
    torch.testing.assert_close(got.double(), wanted, rtol=1e-4, atol=2e-4)


def rounding(got: Tensor, wanted: Tensor) -> float:
    return (got - wanted).square().mean().sqrt().item()


def test_tiles_round_hardly_more_than_the_direct_sum() -> None:
    """Root mean squares of errors: at most three times; the textbook's points take five."""
    x, weight = normal(2, 64, 48, 48), normal(64, 64, 3, 3, seed=1)
    exact = F.conv2d(x.double(), weight.double(), padding=1)
    direct = rounding(F.conv2d(x, weight, padding=1), exact)
    assert rounding(OPERATORS.convolution(x, weight, None, 1, 1, False), exact) < 3 * direct


def test_gradients_of_weights_round_hardly_more_than_torchs() -> None:
    x, dy = normal(2, 64, 48, 48), normal(2, 64, 48, 48, seed=2)
    exact, one = textbook(dy, x, 1, 1), [1, 1]
    torchs = torch.ops.aten.convolution_backward(
        dy, x, normal(64, 64, 3, 3), None, one, one, one, False, [0, 0], 1, [False, True, False]
    )[1]
    assert rounding(OPERATORS.weight_gradient(dy, x, 1, 1), exact) < 2 * rounding(torchs, exact)


SCHEMES = {"plain": (1, 1, False), "halving": (2, 0, False), "enlarging": (2, 0, True)}


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)
@pytest.mark.parametrize("channels", [32, 272])
def test_an_image_does_not_depend_on_those_beside_it_nor_on_threads(
    scheme: tuple[int, int, bool], channels: int
) -> None:
    x, weight = normal(5, channels, 20, 25), normal(channels, channels, 3, 3, seed=1)
    together = OPERATORS.convolution(x, weight, None, *scheme)
    alone = torch.cat([OPERATORS.convolution(one[None], weight, None, *scheme) for one in x])
    assert torch.equal(together, alone)
    threads = torch.get_num_threads()
    try:
        for count in (1, 3):
            torch.set_num_threads(count)
            assert torch.equal(together, OPERATORS.convolution(x, weight, None, *scheme))
    finally:
        torch.set_num_threads(threads)
    stride, padding, transposed = scheme
    convolve = F.conv_transpose2d if transposed else F.conv2d
    wanted = convolve(x.double(), weight.double(), stride=stride, padding=padding)
    torch.testing.assert_close(together.double(), wanted, rtol=1e-4, atol=1e-3)


def test_the_kernel_sums_large_images_as_torch_does() -> None:
    a, b = normal(5, 70, 50, 60), normal(5, 130, 101, 121, seed=1)
    got, wanted = OPERATORS.weight_gradient(a, b, 2, 0), textbook(a, b, 2, 0)
    torch.testing.assert_close(got.double(), wanted, rtol=1e-4, atol=2e-3)


@pytest.mark.parametrize("channels", [(70, 33), (64, 48), (272, 272)])
def test_sums_do_not_depend_on_the_number_of_threads(channels: tuple[int, int]) -> None:
    a, b = normal(3, channels[0], 40, 50), normal(3, channels[1], 40, 50, seed=1)
    threads, found = torch.get_num_threads(), []
    try:
        for count in (1, 2, 3):
            torch.set_num_threads(count)
            found.append(OPERATORS.weight_gradient(a, b, 1, 1))
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(found[0], found[1]) and torch.equal(found[0], found[2])
    torch.testing.assert_close(found[0].double(), textbook(a, b, 1, 1), rtol=1e-4, atol=2e-3)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("name", RUNS)
@pytest.mark.parametrize("stride, padding", [(1, 0), (1, 1), (2, 0), (2, 1), (3, 2)])
@pytest.mark.parametrize("channels", [5, 32, 96])
@pytest.mark.parametrize("capability", ["avx2", "avx512"])
def test_first_and_second_gradients_are_those_of_torch(
    name: str,
    stride: int,
    padding: int,
    channels: int,
    capability: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(convolution._dispatch, "capability", lambda: capability)
    ours, theirs = RUNS[name]
    x, weight = normal(2, channels, 9, 12), normal(channels, channels, 3, 3, seed=1)
    x.requires_grad_()
    weight.requires_grad_()

    def run(convolve: Callable[..., Tensor]) -> list[Tensor]:
        y = convolve(x, weight, stride=stride, padding=padding)
        loss = (y * normal(*y.shape, seed=2)).sum() + y.square().sum()
        first = torch.autograd.grad(loss, (x, weight), create_graph=True)
        total = torch.stack([g.square().sum() for g in first]).sum()
        second = torch.autograd.grad(total, (x, weight))
        return [y.detach(), *(g.detach() for g in first), *second]

    node = type(ours(x, weight, stride=stride, padding=padding).grad_fn).__name__
    tiles = channels > 5 and (stride, padding) in ((1, 0), (1, 1), (2, 0))
    by_torch = capability == "avx512" and not tiles
    assert by_torch != (node in ("_ConvolutionBackward", "_TransposedBackward"))
    for got, wanted in zip(run(ours), run(theirs), strict=True):
        largest = wanted.abs().max().item()
        torch.testing.assert_close(got, wanted, rtol=1e-4, atol=1e-5 * largest)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("convolve", [conv2d, conv_transpose2d])
@pytest.mark.parametrize("channels", [5, 16])
def test_gradients_that_are_taken_under_autocast_are_not_rounded(
    convolve: Callable[..., Tensor], channels: int
) -> None:
    x, weight = normal(2, channels, 9, 12), normal(channels, channels, 3, 3, seed=1)
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
def test_what_torch_takes_is_taken() -> None:
    """Biases with gaps, paddings of other kinds, images without samples, images in batches."""
    x, weight = normal(2, 64, 8, 9), normal(64, 64, 3, 3, seed=1)
    bias = normal(1, 128, 1, 1)[0, ::2, 0, 0]
    close = {"rtol": 1e-4, "atol": 1e-3}
    torch.testing.assert_close(conv2d(x, weight, bias), F.conv2d(x, weight, bias), **close)
    for padding in ((1, 1), "same"):
        got = conv2d(x, weight, padding=padding)  # type: ignore[arg-type]
        torch.testing.assert_close(got, F.conv2d(x, weight, padding=padding), **close)
    torch.testing.assert_close(conv2d(x[0], weight), F.conv2d(x[0], weight), **close)
    for convolve, torchs in RUNS.values():
        together = torch.vmap(lambda w, run=convolve: run(x, w))(torch.stack([weight, -weight]))
        alone = torch.stack([torchs(x, w) for w in (weight, -weight)])
        torch.testing.assert_close(together, alone, **close)
    x.requires_grad_()
    y = conv2d(x, weight, padding=1)
    dy = torch.stack([y.detach(), -y.detach()])
    (batched,) = torch.autograd.grad(y, x, dy, is_grads_batched=True)
    torch.testing.assert_close(batched[0], -batched[1], **close)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("inputs, outputs", [(3, 4), (32, 16)])
def test_the_bias_has_its_gradient(inputs: int, outputs: int) -> None:
    x, weight = normal(2, inputs, 6, 5), normal(outputs, inputs, 3, 3, seed=1)
    bias = normal(1, outputs, 1, 1)[0, :, 0, 0].clone()
    with torch.no_grad():
        torch.testing.assert_close(
            conv2d(x, weight, bias, padding=1),
            F.conv2d(x, weight, bias, padding=1),
            atol=1e-4,
            rtol=1e-4,
        )
    weight.requires_grad_()
    bias.requires_grad_()
    got, wanted = conv2d(x, weight, bias, padding=1), F.conv2d(x, weight, bias, padding=1)
    torch.testing.assert_close(got, wanted, atol=1e-4, rtol=1e-4)
    (ours,) = torch.autograd.grad(got.square().sum(), bias)
    (theirs,) = torch.autograd.grad(wanted.square().sum(), bias)
    torch.testing.assert_close(ours, theirs, atol=1e-3, rtol=1e-4)


@pytest.mark.usefixtures("quick")
def test_rows_that_a_stride_leaves_out_get_no_gradient() -> None:
    x, weight = normal(1, 3, 8, 10).requires_grad_(), normal(4, 3, 3, 3, seed=1).requires_grad_()
    (got,) = torch.autograd.grad(conv2d(x, weight, stride=2).sum(), x)
    assert got.shape == x.shape
    assert bool((got[:, :, 7] == 0).all()) and bool((got[..., 9] == 0).all())
    assert bool((got[:, :, 6] != 0).any())


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("channels", [4, 16])
def test_everything_else_is_left_to_torch(channels: int) -> None:
    x = normal(1, channels, 6, 6)
    weight = normal(channels, channels, 3, 3, seed=1).requires_grad_()
    tiles = channels == 16

    def found(x: Tensor, weight: Tensor, stride: int = 1, padding: int = 0) -> tuple[bool, bool]:
        in_tiles = convolution._in_tiles(x, weight, stride, padding)
        return in_tiles, convolution._quick_gradient(x, weight, stride)

    assert found(x, weight) == (tiles, True)
    assert found(x, weight, stride=2) == (tiles, True)
    assert found(x, weight, stride=2, padding=1) == found(x, weight, stride=3) == (False, True)
    wide = convolution._in_tiles(x, weight, 2, 0, transposed=True)
    assert (wide, convolution._in_tiles(x, weight, 1, 3, transposed=True)) == (tiles, False)
    assert found(x, weight, padding=-1) == (False, True)
    assert found(x[:, :, :2], weight) == (False, True)  # leaves no output
    assert found(x, weight.detach()) == (tiles, False)  # no gradient is wanted
    with torch.no_grad():
        assert found(x, weight) == (tiles, False)
    neither = (False, False)
    assert found(x.double(), weight.double()) == neither
    assert found(x.contiguous(), weight) == neither
    assert found(x, normal(channels, channels, 5, 5).requires_grad_()) == neither
    with torch.autocast("cpu", torch.bfloat16):
        assert found(x, weight) == neither
    with use("reference"):
        assert found(x, weight) == neither
    got = torch.func.grad(lambda w: conv2d(x, w).sum())(weight)
    (wanted,) = torch.autograd.grad(F.conv2d(x, weight).sum(), weight)
    torch.testing.assert_close(got, wanted)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("convolve, torchs", RUNS.values(), ids=RUNS)
def test_wide_layers_are_converted_to_channels_last_and_back(
    convolve: Callable[..., Tensor], torchs: Callable[..., Tensor]
) -> None:
    x, weight = normal(2, 64, 9, 12).contiguous(), normal(64, 64, 3, 3, seed=1).contiguous()
    assert convolution._in_tiles(x, weight, 1, 1)
    found = []
    for run in (convolve, torchs):
        a, w = x.clone().requires_grad_(), weight.clone().requires_grad_()
        y = run(a, w, padding=1)
        assert y.is_contiguous()
        found.append([y, *torch.autograd.grad(y.square().sum(), (a, w))])
    for got, wanted in zip(*found, strict=True):
        torch.testing.assert_close(got, wanted, rtol=1e-4, atol=1e-5 * wanted.abs().max().item())


def test_small_and_narrow_layers_are_left_to_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    def found(channels: int, size: int, capability: str = "avx2") -> tuple[bool, bool]:
        monkeypatch.setattr(convolution._dispatch, "capability", lambda: capability)
        x = normal(1, channels, size, size)
        weight = normal(channels, channels, 3, 3).requires_grad_()
        gradient = convolution._quick_gradient(x, weight, 1)
        return convolution._in_tiles(x, weight, 1, 1), gradient

    assert found(16, 12) == found(16, 12, "avx512") == (True, True)
    assert found(16, 8) == found(8, 12) == found(16, 12, "baseline") == (False, False)
    assert found(17, 12) == (False, True) and found(17, 12, "avx512") == (False, False)
    assert found(256, 12) == (False, False)
    assert found(256, 16) == (False, True) and found(256, 20) == (True, True)
    filters = normal(16, 16, 3, 3)
    sizes = [
        [size for size in range(10, 50) if in_tiles(size)]
        for in_tiles in (
            lambda size: convolution._in_tiles(normal(1, 16, size, size), filters, 2, 0),
            lambda size: convolution._in_tiles(
                normal(1, 16, size, size), filters, 2, 0, transposed=True
            ),
        )
    ]
    assert [fitting[0] for fitting in sizes] == [32, 16]


@pytest.mark.parametrize(
    "x, weight, bias, stride, padding, transposed",
    [
        (normal(1, 16, 4, 5).double(), normal(16, 16, 3, 3), None, 1, 1, False),
        (normal(1, 16, 4, 5), normal(16, 16, 3, 3).double(), None, 1, 1, False),
        (normal(1, 16, 4, 5), normal(16, 32, 3, 3), None, 1, 1, False),
        (normal(1, 16, 4, 5), normal(32, 16, 3, 3), None, 1, 1, True),
        (normal(1, 24, 4, 5), normal(24, 24, 3, 3), None, 1, 1, False),
        (normal(1, 16, 4, 5), normal(16, 16, 5, 5), None, 1, 1, False),
        (normal(1, 16, 2, 5), normal(16, 16, 3, 3), None, 1, 0, False),
        (normal(1, 16, 4, 5), normal(16, 16, 3, 3), None, 1, 3, True),
        (normal(1, 16, 4, 5), normal(16, 16, 3, 3), None, 2, 1, True),
        (normal(1, 16, 4, 5), normal(16, 16, 3, 3), None, 3, 0, False),
        (normal(1, 16, 4, 5), normal(16, 16, 3, 3), normal(1, 17, 1, 1)[0, :, 0, 0], 1, 1, False),
    ],
    ids=[
        "float64",
        "float64-weight",
        "inputs",
        "transposed",
        "multiples",
        "filter",
        "empty",
        "padding",
        "strided-padding",
        "stride",
        "bias",
    ],
)
def test_tiles_refuse_what_they_are_not_made_for(
    x: Tensor, weight: Tensor, bias: Tensor | None, stride: int, padding: int, transposed: bool
) -> None:
    with pytest.raises(RuntimeError, match="convolution wants|padding must be|stride must be"):
        OPERATORS.convolution(x, weight, bias, stride, padding, transposed)


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
