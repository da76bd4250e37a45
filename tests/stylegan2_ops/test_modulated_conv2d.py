from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy import signal
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck

from stylegan2_ops import filter_from_taps, modulated_conv2d
from tests.tolerances import assert_near

N, IN, OUT = 2, 3, 4
ASYMMETRIC = torch.tensor([[1.0, 2.0, 0.5, -1.0], [0.0, 3.0, 1.0, 0.5], [2.0, -1.0, 1.0, 4.0]])


def modulated(weight: Tensor, styles: Tensor, demodulate: bool) -> Tensor:
    """Weights of each sample, ``[N, O, I, k, k]``, by the paper's equations 1 and 3."""
    weights = weight[None] * styles[:, None, :, None, None]
    if demodulate:
        weights = weights / (weights.square().sum(dim=[2, 3, 4], keepdim=True) + 1e-8).sqrt()
    return weights


def per_sample(x: Tensor, weight: Tensor, styles: Tensor, demodulate: bool, padding: int) -> Tensor:
    """One grouped convolution with weights of each sample's own."""
    n, _, h, w = x.shape
    weights = modulated(weight, styles, demodulate).flatten(0, 1)
    out = F.conv2d(x.reshape(1, -1, h, w), weights, padding=padding, groups=n)
    return out.reshape(n, -1, *out.shape[2:])


def enlarged(x: Tensor, weight: Tensor, styles: Tensor, f: Tensor, demodulate: bool) -> Tensor:
    """Zeros between pixels, true convolution with the kernel, then with the filter, centred."""
    weights = modulated(weight, styles, demodulate).numpy()
    n, _, h, w = x.shape
    k, (fh, fw) = weights.shape[-1], f.shape
    spread = np.zeros((n, weights.shape[2], 2 * h, 2 * w))
    spread[:, :, ::2, ::2] = x.numpy()
    out = np.zeros((n, weights.shape[1], 2 * h, 2 * w))
    top, left = (k - 1) // 2 + fh - 1 - (fh + 1) // 2, (k - 1) // 2 + fw - 1 - (fw + 1) // 2
    for sample, o, i in np.ndindex(n, weights.shape[1], weights.shape[2]):
        full = signal.convolve2d(spread[sample, i], weights[sample, o, i])
        full = 4 * signal.convolve2d(full, f.numpy())
        out[sample, o] += full[top : top + 2 * h, left : left + 2 * w]
    return torch.from_numpy(out)


def inputs(k: int = 3, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor, Tensor]:
    x, weight = torch.randn(N, IN, 5, 4), torch.randn(OUT, IN, k, k)
    return x.to(dtype), weight.to(dtype), (torch.randn(N, IN) + 1).to(dtype)


@pytest.mark.parametrize("demodulate", [True, False])
@pytest.mark.parametrize(("k", "padding"), [(1, 0), (3, 1), (3, 0), (5, 2)])
def test_equals_a_convolution_with_each_samples_own_weights(
    k: int, padding: int, demodulate: bool
) -> None:
    x, weight, styles = inputs(k)
    got = modulated_conv2d(x, weight, styles, padding=padding, demodulate=demodulate)
    torch.testing.assert_close(got, per_sample(x, weight, styles, demodulate, padding))


@pytest.mark.parametrize("demodulate", [True, False])
@pytest.mark.parametrize("k", [1, 3])
@pytest.mark.parametrize("f", [filter_from_taps([1, 3, 3, 1]), filter_from_taps([1, 2, 4]), None])
def test_enlarging_equals_zeros_kernel_and_filter(
    k: int, f: Tensor | None, demodulate: bool
) -> None:
    x, weight, styles = inputs(k)
    f = (ASYMMETRIC if f is None else f).double()
    got = modulated_conv2d(
        x, weight, styles, up=2, padding=k // 2, resample_filter=f, demodulate=demodulate
    )
    assert got.shape == (N, OUT, 10, 8)
    torch.testing.assert_close(got, enlarged(x, weight, styles, f, demodulate))


@pytest.mark.parametrize("demodulate", [True, False])
@pytest.mark.parametrize("shape", [(5, 4), (N, 1, 5, 4), (N, OUT, 5, 4)])
def test_noise_is_added_after_demodulation(shape: tuple[int, ...], demodulate: bool) -> None:
    x, weight, styles = inputs()
    noise = torch.randn(shape, dtype=torch.float64)
    plain = modulated_conv2d(x, weight, styles, padding=1, demodulate=demodulate)
    got = modulated_conv2d(x, weight, styles, noise=noise, padding=1, demodulate=demodulate)
    torch.testing.assert_close(got, plain + noise)


def test_demodulation_keeps_unit_variance_and_forgets_the_scale_of_styles() -> None:
    x, weight, styles = torch.randn(4, 8, 16, 16), torch.randn(6, 8, 3, 3), torch.rand(4, 8) + 0.5
    out = modulated_conv2d(x, weight, styles, padding=1)
    assert out[:, :, 1:-1, 1:-1].std().item() == pytest.approx(1.0, abs=0.1)
    torch.testing.assert_close(modulated_conv2d(x, weight, 7 * styles, padding=1), out)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32, torch.float64])
@pytest.mark.parametrize("up", [1, 2])
def test_dtype_of_x_is_kept_whatever_that_of_the_weights(up: int, dtype: torch.dtype) -> None:
    x, weight, styles = inputs()
    f, noise = filter_from_taps([1, 3, 3, 1]), torch.randn(5 * up, 4 * up)
    arguments = {"up": up, "padding": 1, "resample_filter": f, "noise": noise}
    wanted = modulated_conv2d(x, weight, styles, **arguments)
    for other in (torch.float32, dtype):
        got = modulated_conv2d(x.to(dtype), weight.to(other), styles.to(other), **arguments)
        assert got.dtype == dtype
        rounded = dtype if dtype.itemsize < other.itemsize else other
        assert_near(got.double(), wanted, rounded)


@pytest.mark.parametrize("up", [1, 2])
@pytest.mark.parametrize("demodulate", [True, False])
@pytest.mark.parametrize("with_noise", [True, False])
def test_channels_last_stays_channels_last(up: int, demodulate: bool, with_noise: bool) -> None:
    x, weight, styles = inputs(dtype=torch.float32)
    arguments = {
        "up": up,
        "padding": 1,
        "resample_filter": filter_from_taps([1, 3, 3, 1]),
        "demodulate": demodulate,
        "noise": torch.randn(5 * up, 4 * up) if with_noise else None,
    }
    wanted = modulated_conv2d(x, weight, styles, **arguments)
    got = modulated_conv2d(x.to(memory_format=torch.channels_last), weight, styles, **arguments)
    assert got.is_contiguous(memory_format=torch.channels_last)
    assert_near(got, wanted)


@pytest.mark.parametrize("size", [3e4, 1e-4])
def test_half_precision_survives_huge_and_tiny_weights_and_styles(size: float) -> None:
    x, weight, styles = torch.randn(N, 64, 8, 8), torch.randn(8, 64, 3, 3), torch.randn(N, 64)
    wanted = modulated_conv2d(x, weight, styles, padding=1)
    got = modulated_conv2d(x.half(), weight * size, styles * size, padding=1)
    assert torch.isfinite(got).all()
    assert_near(got.float(), wanted, torch.float16)


def test_half_precision_with_styles_or_weights_of_zero_is_zero_not_nan() -> None:
    x, weight = torch.randn(1, 2, 4, 4).half(), torch.randn(2, 2, 3, 3)
    assert modulated_conv2d(x, weight, torch.zeros(1, 2), padding=1).eq(0).all()
    weight[0] = 0
    out = modulated_conv2d(x, weight, torch.ones(1, 2), padding=1)
    assert out[:, 0].eq(0).all()
    assert out[:, 1].ne(0).any()


@pytest.mark.parametrize("up", [1, 2])
@pytest.mark.parametrize("demodulate", [True, False])
def test_gradients_of_first_and_second_order(up: int, demodulate: bool) -> None:
    x = torch.randn(2, 2, 3, 2, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(2, 2, 3, 3, dtype=torch.float64, requires_grad=True)
    styles = torch.randn(2, 2, dtype=torch.float64, requires_grad=True)
    noise = torch.randn(2, 1, 3 * up, 2 * up, dtype=torch.float64, requires_grad=True)
    f = torch.tensor([[1.0, 2.0], [-0.5, 3.0]], dtype=torch.float64)

    def run(x: Tensor, weight: Tensor, styles: Tensor, noise: Tensor) -> Tensor:
        return modulated_conv2d(
            x,
            weight,
            styles,
            noise=noise,
            up=up,
            padding=1,
            resample_filter=f,
            demodulate=demodulate,
        )

    assert gradcheck(run, (x, weight, styles, noise))
    assert gradgradcheck(run, (x, weight, styles, noise))


def test_shapes_that_do_not_fit_are_both_shown() -> None:
    x, weight, styles = inputs()
    message = (
        r"needs x \[N, 3, H, W\] and styles \[N, 3\], got x \[2, 3, 5, 4\] and styles \[1, 3\]"
    )
    with pytest.raises(ValueError, match=message):
        modulated_conv2d(x, weight, styles[:1])
    with pytest.raises(ValueError, match=r"weight \[4, 3, 3, 3\] needs x \[N, 3, H, W\]"):
        modulated_conv2d(x[:, :2], weight, styles)


@pytest.mark.parametrize("shape", [(4, 3, 2, 2), (4, 3, 3, 1), (4, 3, 3)])
def test_kernels_are_square_and_odd(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"weight must be \[O, I, k, k\] with an odd k, got"):
        modulated_conv2d(torch.zeros(1, 3, 4, 4), torch.zeros(shape), torch.ones(1, 3))


@pytest.mark.parametrize("up", [0, 2, 3])
def test_up_is_one_or_two_with_a_filter(up: int) -> None:
    x, weight, styles = inputs()
    with pytest.raises(ValueError, match=f"up must be 1, or 2 with a resample_filter; got {up}"):
        modulated_conv2d(x, weight, styles, up=up)
