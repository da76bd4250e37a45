from __future__ import annotations

import pytest
import torch
from torch.autograd import gradcheck

from regen.errors import RewriteError
from regen.rewriting.preserved import Preserved
from regen.rewriting.recall import recall_error, structure_error


def test_the_error_is_the_weighted_mean_over_positions_and_the_mean_over_channels() -> None:
    recalled, wanted = torch.randn(2, 3, 4, 5), torch.randn(2, 3, 4, 5)
    weights = torch.rand(2, 1, 4, 5)
    differences = (recalled - wanted).abs().mean(dim=1, keepdim=True)
    expected = (weights * differences).sum() / weights.sum()
    torch.testing.assert_close(recall_error(recalled, wanted, weights), expected)
    torch.testing.assert_close(recall_error(recalled, wanted, 50 * weights), expected)


def test_positions_without_weight_are_free() -> None:
    weights = torch.zeros(1, 1, 2, 2)
    weights[..., 0, 1] = 2
    recalled = torch.full((1, 2, 2, 2), 7.0)
    recalled[..., 0, 1] = 0.25
    assert recall_error(recalled, torch.zeros(1, 2, 2, 2), weights).item() == 0.25
    assert recall_error(recalled, torch.zeros(1, 2, 2, 2), torch.zeros(1, 1, 2, 2)).item() == 0


def test_half_precision_is_compared_in_float32() -> None:
    recalled = torch.full((1, 1, 1, 1), 1.0, dtype=torch.bfloat16)
    wanted = torch.full((1, 1, 1, 1), 1.001)
    error = recall_error(recalled, wanted, torch.ones(1, 1, 1, 1))
    assert error.dtype == torch.float32
    assert error.item() == pytest.approx(0.001, rel=1e-3)


def test_gradients() -> None:
    recalled = torch.randn(1, 2, 3, 3, dtype=torch.float64, requires_grad=True)
    wanted = torch.randn(1, 2, 3, 3, dtype=torch.float64)
    weights = torch.rand(1, 1, 3, 3, dtype=torch.float64)
    assert gradcheck(lambda x: recall_error(x, wanted, weights), recalled)


def test_values_of_another_layer_are_refused() -> None:
    message = (
        r"memory and rule differ in shape: got recalled \[1, 2, 4, 4\], expected \[1, 2, 8, 8\]; "
        r"was the rule made for another value layer\?"
    )
    with pytest.raises(RewriteError, match=message):
        recall_error(torch.zeros(1, 2, 4, 4), torch.zeros(1, 2, 8, 8), torch.ones(1, 1, 8, 8))


def test_preserved_samples_are_counted(preserved: Preserved) -> None:
    assert len(preserved) == 5


def test_structure_error_is_zero_for_equal_images_and_blind_outside_the_region() -> None:
    wanted = torch.rand(2, 3, 16, 16) * 2 - 1
    mask = torch.zeros(2, 1, 16, 16)
    mask[:, :, 4:12, 4:12] = 1
    changed = torch.where(mask > 0, wanted, -wanted)
    assert structure_error(changed, wanted, mask).item() == pytest.approx(0, abs=1e-5)
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
