"""PSNR and SSIM against their definitions."""

from __future__ import annotations

import pytest
import torch

from regen.errors import MetricError
from regen.metrics import psnr, ssim


def test_psnr_is_its_formula_image_by_image() -> None:
    a = torch.zeros(2, 3, 8, 8)
    b = torch.stack([torch.full((3, 8, 8), 0.2), torch.full((3, 8, 8), 0.02)])
    torch.testing.assert_close(psnr(a, b), torch.tensor([20.0, 40.0]))


def test_psnr_of_equal_images_is_infinite() -> None:
    a = torch.rand(1, 3, 8, 8)
    assert psnr(a, a).isinf().all()


def test_ssim_of_equal_images_is_one() -> None:
    a = torch.rand(2, 3, 16, 24) * 2 - 1
    torch.testing.assert_close(ssim(a, a), torch.ones(2))


def test_ssim_of_flat_images_is_the_luminance_term_on_zero_to_one() -> None:
    a, b = torch.full((1, 3, 16, 16), -0.5), torch.full((1, 3, 16, 16), 0.5)
    light_a, light_b, constant = 0.25, 0.75, 0.01**2
    wanted = (2 * light_a * light_b + constant) / (light_a**2 + light_b**2 + constant)
    assert ssim(a, b).item() == pytest.approx(wanted, abs=1e-3)  # variance cancels in float32


def test_ssim_falls_with_noise_and_has_a_gradient() -> None:
    a = torch.rand(1, 3, 32, 32) - 0.5
    noise = torch.randn_like(a).clamp(-1, 1)
    little, much = (ssim(a, a + scale * noise) for scale in (0.05, 0.5))
    assert 0 < much.item() < little.item() < 1
    b = (a + 0.1 * noise).requires_grad_()
    ssim(a, b).sum().backward()
    assert b.grad is not None and b.grad.abs().sum() > 0


def test_images_that_do_not_match_are_refused() -> None:
    with pytest.raises(MetricError) as error:
        psnr(torch.zeros(1, 3, 8, 8), torch.zeros(2, 3, 8, 8))
    assert str(error.value) == (
        "PSNR: the two batches of images do not match: got [1, 3, 8, 8] and [2, 3, 8, 8], "
        "expected twice [N, 3, H, W] with N at least 1"
    )


def test_images_below_the_window_are_refused() -> None:
    with pytest.raises(MetricError) as error:
        ssim(torch.zeros(1, 3, 10, 20), torch.zeros(1, 3, 10, 20))
    assert str(error.value) == (
        "SSIM: the images are too small: got 10x20, expected at least 11x11 pixels"
    )
