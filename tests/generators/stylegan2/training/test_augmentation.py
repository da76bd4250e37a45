from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from regen.generators.stylegan2.training.augmentation import augment, random_numbers
from regen.generators.stylegan2.training.augmentation_settings import Augmentation

NONE = Augmentation.none()


def only(**amounts: float) -> Augmentation:
    return replace(NONE, **amounts)


def numbers(value: float, count: int = 1) -> Tensor:
    return torch.full((count, 7), value)


@pytest.fixture
def x() -> Tensor:
    return torch.rand(4, 3, 16, 16) * 2 - 1


def test_nothing_changes_at_zero(x: Tensor) -> None:
    assert augment(x, random_numbers(4, torch.Generator()), NONE) is x


def test_the_middle_draw_changes_neither_colour_nor_place(x: Tensor) -> None:
    changed = augment(x, numbers(0.5, 4), replace(Augmentation(), cutout=0.0))
    torch.testing.assert_close(changed, x)


def test_equal_seeds_give_equal_changes(x: Tensor) -> None:
    one, same, other = (random_numbers(4, torch.Generator().manual_seed(s)) for s in (1, 1, 2))
    assert torch.equal(augment(x, one, Augmentation()), augment(x, same, Augmentation()))
    assert not torch.equal(augment(x, one, Augmentation()), augment(x, other, Augmentation()))


def test_each_image_has_its_own_change(x: Tensor) -> None:
    whole = random_numbers(4, torch.Generator().manual_seed(1))
    apart = [augment(x[i : i + 1], whole[i : i + 1], Augmentation()) for i in range(4)]
    torch.testing.assert_close(torch.cat(apart), augment(x, whole, Augmentation()))


@pytest.mark.parametrize(("value", "lift"), [(0.0, -0.5), (0.5, 0.0), (0.75, 0.25)])
def test_brightness_is_added(x: Tensor, value: float, lift: float) -> None:
    torch.testing.assert_close(augment(x, numbers(value, 4), only(brightness=0.5)), x + lift)


def test_saturation_spreads_around_each_pixels_grey(x: Tensor) -> None:
    grey = x.mean(dim=1, keepdim=True).expand_as(x)
    torch.testing.assert_close(augment(x, numbers(0.0, 4), only(saturation=1.0)), grey)
    more = augment(x, numbers(0.75, 4), only(saturation=1.0))
    torch.testing.assert_close(more, grey + 1.5 * (x - grey))


def test_contrast_spreads_around_the_mean(x: Tensor) -> None:
    mean = x.mean(dim=(1, 2, 3), keepdim=True)
    torch.testing.assert_close(
        augment(x, numbers(0.0, 4), only(contrast=0.5)), mean + 0.5 * (x - mean)
    )


def test_the_three_colours_follow_one_another(x: Tensor) -> None:
    one_by_one = x
    for name in ("brightness", "saturation", "contrast"):
        one_by_one = augment(one_by_one, numbers(0.9, 4), only(**{name: 0.5}))
    together = only(brightness=0.5, saturation=0.5, contrast=0.5)
    torch.testing.assert_close(augment(x, numbers(0.9, 4), together), one_by_one)


def test_translation_moves_by_whole_pixels_and_lets_black_in(x: Tensor) -> None:
    moved = augment(x, numbers(0.0, 4), only(translation=0.125))  # 2 of 16 pixels, left and up
    assert torch.equal(moved[:, :, :-2, :-2], x[:, :, 2:, 2:])
    assert not moved[:, :, -2:].any() and not moved[..., -2:].any()
    back = augment(x, numbers(0.999, 4), only(translation=0.125))
    assert torch.equal(back[:, :, 2:, 2:], x[:, :, :-2, :-2])


def test_translation_reaches_each_shift_equally_often() -> None:
    x = torch.zeros(1, 3, 16, 16)
    x[..., 8, 8] = 1
    random, places = torch.Generator().manual_seed(0), torch.zeros(16, 16)
    many = x.expand(2000, -1, -1, -1)
    places = (
        augment(many, random_numbers(2000, random), only(translation=0.125)).sum(dim=(0, 1)) / 3
    )
    assert (places > 0).sum() == 25 and places[6:11, 6:11].min() > 40


def test_cutout_hides_a_square_of_its_size() -> None:
    x = torch.ones(500, 3, 16, 16)
    cut = augment(x, random_numbers(500, torch.Generator().manual_seed(0)), only(cutout=0.5))
    hidden = (cut[:, 0] == 0).sum(dim=(1, 2))
    assert hidden.max() == 64 and hidden.min() >= 16  # a square of 8, a corner of it at least
    assert torch.equal(cut[:, 0], cut[:, 2])
    assert (hidden == 64).sum() > 100


def test_changes_are_differentiable_twice(float64: None) -> None:
    x = torch.rand(2, 3, 8, 8, requires_grad=True)
    fake = random_numbers(2, torch.Generator().manual_seed(5))
    assert torch.autograd.gradcheck(lambda x: augment(x, fake, Augmentation()), x)
    assert torch.autograd.gradgradcheck(lambda x: augment(x, fake, Augmentation()).square(), x)


def test_dtype_and_memory_format_stay(x: Tensor) -> None:
    x = x.to(torch.bfloat16, memory_format=torch.channels_last)
    changed = augment(x, random_numbers(4, torch.Generator()), Augmentation())
    assert changed.dtype == torch.bfloat16
    assert changed.is_contiguous(memory_format=torch.channels_last)


def test_draws_that_do_not_fit(x: Tensor) -> None:
    with pytest.raises(ValueError, match=r"numbers \[3, 7\] for 4 images"):
        augment(x, numbers(0.5, 3), Augmentation())
