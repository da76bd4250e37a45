"""`regen.images.display`: what is seen of images, whole numbers, images of PIL, and grids."""

import pytest
import torch

from regen.errors import ImageError
from regen.images import display


def test_what_is_shown_is_limited_and_whole_floats_without_a_gradient():
    images = torch.tensor([[-1.5, 0.25, 1.5]], dtype=torch.bfloat16, requires_grad=True)
    shown = display.as_shown(images)
    assert shown.dtype == torch.float32 and not shown.requires_grad
    assert shown.tolist() == [[-1, 0.25, 1]]


def test_to_uint8_rounds_and_clips():
    values = torch.tensor([-9, -1, 0.0, 0.999, 1, 9, float("nan")])
    assert display.to_uint8(values).tolist() == [0, 0, 128, 255, 255, 255, 0]


def test_an_image_has_the_full_range_of_bytes():
    image = torch.tensor([-1.0, 0.0, 2.0]).view(3, 1, 1)
    assert display.to_pil(image).getpixel((0, 0)) == (0, 128, 255)
    grey = display.to_pil(image[:1])
    assert grey.mode == "L" and grey.getpixel((0, 0)) == 0


def test_an_image_is_converted_some_rows_at_a_time():
    image = torch.linspace(-1, 1, 3 * 1200 * 2).view(3, 1200, 2)
    whole = display.to_uint8(image).permute(1, 2, 0).numpy()
    assert display.to_pil(image).tobytes() == whole.tobytes()


def test_a_grid_is_filled_row_by_row():
    images = torch.arange(5.0).div(10).view(5, 1, 1, 1).expand(5, 3, 2, 3)
    sheet = display.grid(images, columns=2, padding=1)
    assert sheet.shape == (1, 3, 3 * 3 - 1, 2 * 4 - 1)
    for index in range(5):
        top, left = 3 * (index // 2), 4 * (index % 2)
        cell = sheet[0, :, top : top + 2, left : left + 3]
        torch.testing.assert_close(cell, images[index])
    assert sheet[..., 2, :].min() == 1
    assert sheet[..., 3].min() == 1
    assert sheet[..., 6:, 4:].min() == 1


def test_a_grid_is_no_wider_than_its_images():
    assert display.grid(torch.zeros(2, 3, 4, 4), columns=8, padding=0).shape == (1, 3, 4, 8)
    with pytest.raises(ImageError, match=r"grid of images: got \[0, 3, 4, 4\] in 2 columns"):
        display.grid(torch.zeros(0, 3, 4, 4), 2)
    with pytest.raises(ImageError, match="in 0 columns, expected"):
        display.grid(torch.zeros(1, 3, 4, 4), 0)
