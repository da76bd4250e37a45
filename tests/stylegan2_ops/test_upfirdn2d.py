from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy import signal
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck

from stylegan2_ops import filter_from_taps, upfirdn2d, upsample2d
from tests.tolerances import assert_near

ASYMMETRIC = np.array([[1.0, -2.0, 3.0], [0.5, 4.0, -1.0]])  # 2 rows, 3 columns
TAPS = np.array([1.0, 3.0, -2.0, 0.5, 2.0])

Pair = tuple[int, int]
Sides = tuple[int, int, int, int]


def by_definition(
    x: np.ndarray, f: np.ndarray, up: Pair, down: Pair, sides: Sides, flip: bool, gain: float
) -> np.ndarray:
    """Upsample, pad, filter, downsample, one after the other and pixel by pixel."""
    (upx, upy), (downx, downy), (x0, x1, y0, y1) = up, down, sides
    n, c, h, w = x.shape
    spread = np.zeros((n, c, h * upy, w * upx))
    spread[:, :, ::upy, ::upx] = x
    spread = np.pad(spread, [(0, 0), (0, 0), (max(y0, 0), max(y1, 0)), (max(x0, 0), max(x1, 0))])
    bottom, right = spread.shape[2] - max(-y1, 0), spread.shape[3] - max(-x1, 0)
    spread = spread[:, :, max(-y0, 0) : bottom, max(-x0, 0) : right]
    rows, columns = spread.shape[2] - f.shape[0] + 1, spread.shape[3] - f.shape[1] + 1
    kernel = f if flip else f[::-1, ::-1]
    out = np.zeros((n, c, rows, columns))
    for i in range(rows):
        for j in range(columns):
            window = spread[:, :, i : i + f.shape[0], j : j + f.shape[1]]
            out[:, :, i, j] = (window * kernel).sum(axis=(2, 3))
    return gain * out[:, :, ::downy, ::downx]


CASES: list[tuple[Pair, Pair, Sides, bool, float]] = [
    ((1, 1), (1, 1), (0, 0, 0, 0), False, 1.0),
    ((1, 1), (1, 1), (1, 2, 3, 0), True, 2.5),
    ((2, 2), (1, 1), (2, 1, 2, 1), False, 4.0),
    ((1, 1), (2, 2), (1, 1, 1, 1), False, 1.0),
    ((2, 3), (3, 2), (4, 0, 1, 2), True, -0.5),
    ((3, 1), (1, 2), (0, 5, 2, 0), False, 1.0),
    ((1, 1), (1, 1), (-1, -2, 0, -1), False, 1.0),
    ((2, 2), (2, 1), (-3, 2, 1, -2), True, 0.7),
]


@pytest.mark.parametrize("case", CASES)
def test_two_dimensional_filters_follow_the_definition(
    case: tuple[Pair, Pair, Sides, bool, float],
) -> None:
    up, down, sides, flip, gain = case
    x = torch.randn(2, 3, 7, 6, dtype=torch.float64)
    wanted = by_definition(x.numpy(), ASYMMETRIC, up, down, sides, flip, gain)
    f = torch.from_numpy(ASYMMETRIC)
    got = upfirdn2d(x, f, up=up, down=down, padding=sides, flip_filter=flip, gain=gain)
    torch.testing.assert_close(got, torch.from_numpy(wanted.copy()))
    height = (7 * up[1] + sides[2] + sides[3] - 2) // down[1] + 1
    assert got.shape == (2, 3, height, (6 * up[0] + sides[0] + sides[1] - 3) // down[0] + 1)


@pytest.mark.parametrize("case", CASES)
def test_separable_filters_equal_their_outer_product(
    case: tuple[Pair, Pair, Sides, bool, float],
) -> None:
    up, down, sides, flip, gain = case
    x, f = torch.randn(2, 3, 9, 9, dtype=torch.float64), torch.from_numpy(TAPS)
    got, wanted = (
        upfirdn2d(x, taps, up=up, down=down, padding=sides, flip_filter=flip, gain=gain)
        for taps in (f, torch.outer(f, f))
    )
    torch.testing.assert_close(got, wanted)
    naive = by_definition(x.numpy(), np.outer(TAPS, TAPS), up, down, sides, flip, gain)
    torch.testing.assert_close(got, torch.from_numpy(naive.copy()))


@pytest.mark.parametrize(("up", "down"), [(1, 1), (2, 1), (1, 2), (3, 2), (2, 3)])
def test_separable_filters_equal_scipy_along_each_axis(up: int, down: int) -> None:
    x = torch.randn(1, 2, 8, 10, dtype=torch.float64)
    wanted = x.numpy()
    for axis in (2, 3):
        wanted = signal.upfirdn(TAPS, wanted, up, down, axis=axis)
    before, after = len(TAPS) - 1, len(TAPS) - up  # SciPy leaves out the zeros after the last
    sides = [before, after, before, after]
    got = upfirdn2d(x, torch.from_numpy(TAPS), up=up, down=down, padding=sides)
    torch.testing.assert_close(got, torch.from_numpy(wanted))


def test_without_a_filter_it_only_spreads_pads_and_thins() -> None:
    x = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    spread = upfirdn2d(x, None, up=2, padding=[1, 0, 0, 0], gain=2.0)
    wanted = [[0, 2, 0, 4, 0], [0, 0, 0, 0, 0], [0, 6, 0, 8, 0], [0, 0, 0, 0, 0]]
    assert spread[0, 0].tolist() == wanted
    assert torch.equal(upfirdn2d(spread, None, down=2, padding=[-1, 0, 0, 0]), 2 * x)


def test_padding_of_one_two_and_four_numbers() -> None:
    x, f = torch.randn(1, 1, 4, 4), filter_from_taps([1, 2, 1])
    assert torch.equal(upfirdn2d(x, f, padding=1), upfirdn2d(x, f, padding=[1, 1, 1, 1]))
    assert torch.equal(upfirdn2d(x, f, padding=[2, 1]), upfirdn2d(x, f, padding=[2, 2, 1, 1]))


def test_convolution_puts_the_filter_as_it_is_around_an_impulse() -> None:
    x = torch.zeros(1, 1, 1, 1) + 1
    f = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    assert torch.equal(upfirdn2d(x, f, padding=[2, 2, 1, 1])[0, 0], f)
    assert torch.equal(upfirdn2d(x, f, padding=[2, 2, 1, 1], flip_filter=True)[0, 0], f.flip(0, 1))


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("arguments", [{}, {"up": 2}, {"down": 2}, {"up": 3, "padding": -1}])
@pytest.mark.parametrize("taps", [[1, 3, 3, 1], list(range(1, 9))])
def test_memory_format_is_kept_and_changes_no_value(
    arguments: dict[str, int], taps: list[float], channels_last: bool
) -> None:
    x = torch.randn(2, 3, 12, 10)
    plain = upfirdn2d(x, filter_from_taps(taps), **arguments)
    layout = torch.channels_last if channels_last else torch.contiguous_format
    got = upfirdn2d(x.contiguous(memory_format=layout), filter_from_taps(taps), **arguments)
    assert got.is_contiguous(memory_format=layout)
    torch.testing.assert_close(got, plain)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32, torch.float64])
def test_dtype_is_kept(dtype: torch.dtype) -> None:
    x = torch.randn(1, 2, 6, 6, dtype=torch.float64)
    got = upfirdn2d(x.to(dtype), filter_from_taps([1, 3, 3, 1]), up=2, padding=[2, 1, 2, 1], gain=4)
    wanted = upfirdn2d(x, filter_from_taps([1, 3, 3, 1]), up=2, padding=[2, 1, 2, 1], gain=4)
    assert got.dtype == dtype
    assert_near(got.double(), wanted, dtype)
    if dtype == torch.float32:  # six taps round less than the table allows
        torch.testing.assert_close(got.double(), wanted, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("separable", [True, False])
def test_gradients_of_first_and_second_order(separable: bool) -> None:
    x = torch.randn(1, 2, 4, 5, dtype=torch.float64, requires_grad=True)
    f = torch.randn(*([3] if separable else [2, 3]), dtype=torch.float64, requires_grad=True)

    def run(x: Tensor, f: Tensor) -> Tensor:
        sides = [3, -1, 1, 2]
        return upfirdn2d(x, f, up=(2, 1), down=(1, 2), padding=sides, flip_filter=True, gain=1.7)

    assert gradcheck(run, (x, f))
    assert gradgradcheck(run, (x, f))


@pytest.mark.parametrize("up", [1, 2, 3, 4])
@pytest.mark.parametrize("taps", [[1, 3, 3, 1], [1, 2, 1], [1, 1]])
def test_upsampling_keeps_size_and_brightness(taps: list[float], up: int) -> None:
    flat = upsample2d(torch.full((1, 1, 8, 8), 0.5), filter_from_taps(taps), up=up)
    assert flat.shape == (1, 1, 8 * up, 8 * up)
    means = F.avg_pool2d(flat, up)[:, :, 2:-2, 2:-2]
    torch.testing.assert_close(means, torch.full_like(means, 0.5))


def test_upsampling_by_two_follows_the_definition_and_is_centred() -> None:
    x, f = torch.randn(1, 2, 5, 4, dtype=torch.float64), filter_from_taps([1, 3, 3, 1])
    sides = (2, 1, 2, 1)
    wanted = by_definition(x.numpy(), f.double().numpy(), (2, 2), (1, 1), sides, False, 4.0)
    torch.testing.assert_close(upsample2d(x, f), torch.from_numpy(wanted.copy()))
    torch.testing.assert_close(upsample2d(x.flip(3), f), upsample2d(x, f).flip(3))


def test_filters_are_normalized_and_made_two_dimensional_when_short() -> None:
    f = filter_from_taps([1, 3, 3, 1])
    assert f.shape == (4, 4)
    assert f.dtype == torch.float32
    torch.testing.assert_close(f, torch.outer(*[torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8] * 2))
    assert filter_from_taps([2, 4], normalize=False).tolist() == [[4.0, 8.0], [8.0, 16.0]]
    assert filter_from_taps([[1, 2, 5]], gain=2.0).tolist() == [[0.25, 0.5, 1.25]]


def test_filters_of_eight_taps_stay_separable_with_the_gain_of_the_whole() -> None:
    f = filter_from_taps(range(1, 9), gain=9.0)
    assert f.shape == (8,)
    assert torch.outer(f, f).sum().item() == pytest.approx(9.0)


@pytest.mark.parametrize("taps", [[], [[[1.0]]]])
def test_filters_need_one_or_two_dimensions(taps: list[float]) -> None:
    with pytest.raises(ValueError, match="a filter has one or two dimensions, got shape"):
        filter_from_taps(taps)


def test_filters_that_cannot_be_scaled_are_refused() -> None:
    with pytest.raises(ValueError, match="taps sum to 0 and cannot be normalized"):
        filter_from_taps([1, -1])
    with pytest.raises(ValueError, match="gain of a separable filter must be at least 0, got -2"):
        filter_from_taps(range(8), gain=-2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"up": 0}, "up must be at least 1, got 0"),
        ({"down": (1, -1)}, r"down must be at least 1, got \(1, -1\)"),
        ({"padding": [1, 2, 3]}, r"padding must be one, two or four numbers, got \[1, 2, 3\]"),
        ({"padding": [0, 0, -3, 0]}, r"filter \[2, 2\] is larger than the padded input \[1, 4\]"),
        ({"padding": -3}, r"filter \[2, 2\] is larger than the padded input \[-2, -2\]"),
    ],
)
def test_arguments_out_of_range(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        upfirdn2d(torch.zeros(1, 1, 4, 4), torch.ones(2, 2), **arguments)


def test_tensors_of_the_wrong_kind() -> None:
    with pytest.raises(ValueError, match=r"x must be floating \[N, C, H, W\], got torch.int64"):
        upfirdn2d(torch.zeros(1, 1, 4, 4, dtype=torch.int64), None)
    with pytest.raises(ValueError, match=r"x must be floating \[N, C, H, W\], got .* \[4, 4\]"):
        upfirdn2d(torch.zeros(4, 4), None)
    with pytest.raises(ValueError, match=r"f must be \[fh, fw\] or \[taps\], got \[1, 2, 2\]"):
        upfirdn2d(torch.zeros(1, 1, 4, 4), torch.ones(1, 2, 2))
