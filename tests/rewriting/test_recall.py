from __future__ import annotations

import pytest
import torch

from regen.rewriting.preserved import Preserved
from regen.rewriting.recall import structure_error
from tests.tolerances import assert_near


def test_preserved_samples_are_counted(preserved: Preserved) -> None:
    assert len(preserved) == 5


def test_structure_error_is_zero_for_equal_images_and_blind_outside_the_region() -> None:
    wanted = torch.rand(2, 3, 16, 16) * 2 - 1
    mask = torch.zeros(2, 1, 16, 16)
    mask[:, :, 4:12, 4:12] = 1
    changed = torch.where(mask > 0, wanted, -wanted)
    assert_near(structure_error(changed, wanted, mask), torch.tensor(0.0))
    assert structure_error(-wanted, wanted, mask).item() > 0.5


def test_structure_error_prefers_the_pattern_to_its_mean() -> None:
    stripes = torch.ones(1, 3, 16, 16) * 0.8
    stripes[..., ::4] = -0.8
    faint, mask = stripes * 0.3 + 0.28, torch.ones(1, 1, 16, 16)
    grey = torch.full_like(stripes, 0.4)
    assert structure_error(faint, stripes, mask) < structure_error(grey, stripes, mask)


def test_structure_error_does_not_depend_on_the_size_of_the_region() -> None:
    wanted, other = torch.rand(1, 3, 64, 64) * 2 - 1, torch.rand(1, 3, 64, 64) * 2 - 1
    errors = []
    for side in (20, 50):
        mask = torch.zeros(1, 1, 64, 64)
        mask[:, :, 5 : 5 + side, 5 : 5 + side] = 1
        errors.append(structure_error(other, wanted, mask).item())
    assert errors[0] == pytest.approx(errors[1], rel=0.35)


def test_structure_error_has_a_gradient_inside_only() -> None:
    image = (torch.rand(1, 3, 16, 16) * 2 - 1).requires_grad_()
    mask = torch.zeros(1, 1, 16, 16)
    mask[:, :, 4:8, 4:8] = 1
    structure_error(image, torch.zeros(1, 3, 16, 16), mask).backward()
    assert image.grad is not None
    assert (image.grad[..., 4:8, 4:8] != 0).any()
    assert image.grad[..., 10:, :].abs().sum() == 0
