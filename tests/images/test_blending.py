"""`regen.images.blending`: the light of a pattern fitted to the image around it."""

import pytest
import torch

from regen.images.blending import blended
from regen.images.regions import Region

MASK = Region.box(8, 8, 24, 24).mask(32, 32)


def flat(value):
    """An image of one light from 0 to 1."""
    return torch.full((1, 3, 32, 32), 2 * value - 1)


def test_by_default_nothing_changes():
    pattern = torch.rand(1, 3, 32, 32)
    assert blended(pattern, flat(0.5), MASK, "none") is pattern


@pytest.mark.parametrize("around", [0.6, 0.25])
def test_gain_brings_a_pattern_to_the_light_around_it(around):
    made = blended(flat(0.4), flat(around), MASK, "gain")
    torch.testing.assert_close(made, flat(around), rtol=0, atol=0.03)


def test_gain_keeps_the_ratios_of_a_pattern():
    pattern = flat(0.2)
    pattern[..., 14:18, 14:18] = 2 * 0.3 - 1
    made = (blended(pattern, flat(0.4), MASK, "gain") + 1) / 2
    assert (made[..., 15, 15] / made[..., 10, 10]).mean().item() == pytest.approx(1.5, rel=1e-3)


def test_gain_burns_nothing_out_and_has_a_floor():
    pattern = flat(0.1)
    pattern[..., 12:20, 12:20] = 2 * 0.9 - 1  # a dark rim around something bright
    made = blended(pattern, flat(0.9), MASK, "gain")
    torch.testing.assert_close(made, (pattern + 1) / 0.9 - 1, rtol=0, atol=1e-3)
    dark = blended(flat(0.9), flat(0.0), MASK, "gain")
    torch.testing.assert_close(dark, flat(0.3), rtol=0, atol=1e-3)


def test_poisson_agrees_at_the_seam_and_keeps_differences():
    ramp = torch.linspace(-0.5, 0.5, 32).expand(1, 3, 32, 32)
    made = blended(ramp, ramp + 0.3, MASK, "poisson")
    inside = (MASK > 0).expand(1, 3, -1, -1)
    torch.testing.assert_close(made[inside], (ramp + 0.3)[inside])


def test_poisson_is_harmonic_between_different_borders():
    slope = torch.linspace(-0.5, 0.5, 32).expand(1, 3, 32, 32)
    made = blended(torch.zeros(1, 3, 32, 32), slope, MASK, "poisson")
    inside = (MASK > 0).expand(1, 3, -1, -1)
    torch.testing.assert_close(made[inside], slope[inside])  # a ramp is harmonic


@pytest.mark.parametrize("blend", ["gain", "poisson"])
def test_each_image_has_its_own_light(blend):
    images = torch.cat([flat(0.3), flat(0.6)])
    made = blended(flat(0.4), images, MASK, blend)
    for one, image in zip(made, images, strict=True):
        torch.testing.assert_close(one[None], blended(flat(0.4), image[None], MASK, blend))
    assert made[1, :, 16, 16].mean() > made[0, :, 16, 16].mean() + 0.3


@pytest.mark.parametrize("blend", ["gain", "poisson"])
def test_a_mask_of_everything_or_nothing_is_no_error(blend):
    pattern, image = torch.rand(1, 3, 32, 32) * 2 - 1, flat(0.5)
    for mask in (torch.ones(1, 1, 32, 32), torch.zeros(1, 1, 32, 32)):
        made = blended(pattern, image, mask, blend)
        assert made.isfinite().all() and made.abs().max() <= 1
