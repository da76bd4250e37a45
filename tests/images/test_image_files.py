"""`regen.images`: images as tensors, and back into files."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from regen.errors import ImageError, StoreError
from regen.images import image_files
from regen.images.display import to_uint8


def png(pixels):
    file = io.BytesIO()
    Image.fromarray(np.asarray(pixels)).save(file, "PNG")
    return file.getvalue()


def halves(height, width):
    """Left half black, right half white."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[:, width // 2 :] = 255
    return png(pixels)


def test_a_image_is_read_as_it_is():
    pixels = np.random.default_rng(0).integers(0, 256, (4, 5, 3), np.uint8)
    image = image_files.load_image(png(pixels))
    assert image.shape == (1, 3, 4, 5)
    assert image.dtype == torch.float32
    expected = torch.from_numpy(pixels).permute(2, 0, 1)[None] / 127.5 - 1
    torch.testing.assert_close(image, expected)
    assert np.array_equal(to_uint8(image)[0].permute(1, 2, 0), pixels)


def test_sixteen_bits_keep_their_precision():
    levels = np.arange(0, 65536, 1021, dtype=np.uint16)[None].repeat(8, 0)
    image = image_files.load_image(png(levels))
    torch.testing.assert_close(image[0, 1], torch.from_numpy(levels / 32767.5 - 1).float())
    assert image[:, 0].equal(image[:, 2])
    small = image_files.load_image(png(levels), size=(4, 16))
    assert small.unique().numel() > 16 - 1
    assert small.shape == (1, 3, 4, 16)


def test_layers_are_colours_without_a_background_and_their_opacity():
    pixels = np.array([[[255, 0, 0, 0], [255, 0, 0, 255], [255, 0, 0, 51]]], np.uint8)
    image, alpha = image_files.load_layers(png(pixels))
    assert image[0, :, 0].T.tolist() == [[1, 1, 1], [1, -1, -1], [1, -1, -1]]
    torch.testing.assert_close(alpha, torch.tensor([0, 1, 0.2]).view(1, 1, 1, 3))


@pytest.mark.parametrize("channels", [3, 4])
def test_an_opaque_image_has_one_layer(channels):
    pixels = np.full((2, 3, channels), 255, np.uint8)
    image, alpha = image_files.load_layers(png(pixels))
    assert alpha is None
    assert torch.equal(image, image_files.load_image(png(pixels)))


def test_transparency_shows_the_background():
    pixels = np.array([[[255, 0, 0, 0], [255, 0, 0, 255], [255, 0, 0, 51]]], np.uint8)
    on_white = image_files.load_image(png(pixels))
    assert on_white[0, :, 0, 0].tolist() == [1, 1, 1]
    assert on_white[0, :, 0, 1].tolist() == [1, -1, -1]
    on_blue = image_files.load_image(png(pixels), background=(-1, -1, 1))
    assert on_blue[0, :, 0, 0].tolist() == [-1, -1, 1]
    torch.testing.assert_close(on_blue[0, :, 0, 2], torch.tensor([-0.6, -1, 0.6]))


@pytest.mark.parametrize("fit", ["cover", "contain", "stretch"])
@pytest.mark.parametrize("size", [8, (8, 8), (5, 17), (64, 3), (1, 1), np.int64(8)])
def test_every_fit_gives_the_size(fit, size):
    image = image_files.load_image(halves(20, 30), size=size, fit=fit)
    assert image.shape[2:] == (size if isinstance(size, tuple) else (size, size))
    assert image.min() >= -1
    assert image.max() <= 1


def test_cover_cuts_what_sticks_out():
    pixels = np.zeros((10, 30, 3), np.uint8)
    pixels[:, 10:20] = 255
    assert image_files.load_image(png(pixels), size=10, fit="cover").min() == 1
    tall = image_files.load_image(png(pixels.transpose(1, 0, 2)), size=10, fit="cover")
    assert tall.min() == 1


def test_contain_fills_up_with_the_background():
    image = image_files.load_image(png(np.zeros((10, 30, 3), np.uint8)), size=12, fit="contain")
    assert image[..., 4:8, :].max() == -1
    assert image[..., :4, :].min() == 1
    assert image[..., 8:, :].min() == 1
    red = image_files.load_image(halves(30, 10), size=12, fit="contain", background=(1, -1, 0))
    assert red[0, :, 5, 0].tolist() == [1, -1, 0]


def test_stretch_shows_all():
    image = image_files.load_image(halves(10, 30), size=(8, 4), fit="stretch")
    assert image[..., 0].max() < -0.9
    assert image[..., 3].min() > 0.9


def test_shrinking_does_not_alias():
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2] = 255
    image = image_files.load_image(png(stripes), size=15)
    assert (image.abs() < 0.1).all()


@pytest.mark.parametrize("size", [0, -3, True, 2.5, (3, 0), (3,), (1, 2, 3), 10**6, ("a", 1)])
def test_other_sizes_are_refused(size):
    with pytest.raises(ImageError, match="image size: got .*, expected 1 to 16384 pixels a side"):
        image_files.load_image(halves(2, 2), size=size)


def test_other_fits_and_backgrounds_are_refused():
    with pytest.raises(ImageError, match="fit: got crop, expected cover, contain or stretch"):
        image_files.load_image(halves(2, 2), size=2, fit="crop")
    with pytest.raises(ImageError, match=r"background: got \(0, 0, 255\), expected three numbers"):
        image_files.load_image(halves(2, 2), background=(0, 0, 255))


def test_a_mask_is_alpha_if_there_is_any_else_luminance():
    pixels = np.array([[[255, 0, 0, 51], [0, 0, 0, 255]]], np.uint8)
    torch.testing.assert_close(image_files.load_mask(png(pixels)), torch.tensor([[[[0.2, 1]]]]))
    pixels[..., 3] = 255
    torch.testing.assert_close(
        image_files.load_mask(png(pixels)), torch.tensor([[[[76 / 255, 0]]]])
    )
    grey = np.array([[0, 51, 255]], np.uint8)
    torch.testing.assert_close(image_files.load_mask(png(grey)), torch.tensor([[[[0, 0.2, 1]]]]))
    deep = np.array([[0, 6554, 65535]], np.uint16)
    mask = image_files.load_mask(png(deep))
    torch.testing.assert_close(mask, torch.tensor([[[[0, 6554 / 65535, 1]]]]))
    assert mask.dtype == torch.float32


def test_a_mask_survives_a_png():
    mask = torch.arange(256).view(1, 1, 16, 16) / 255
    torch.testing.assert_close(image_files.load_mask(image_files.mask_to_png(mask)), mask)


@pytest.mark.parametrize("name", ["a.png", "a.JPG", "a.jpeg", "a.webp"])
def test_images_are_saved_by_suffix(tmp_path, name):
    image = torch.linspace(-1, 1, 32).expand(1, 3, 16, 32)
    image_files.save_image(tmp_path / name, image)
    tolerance = 1 / 127 if name == "a.png" else 0.05
    torch.testing.assert_close(
        image_files.load_image(tmp_path / name), image, atol=tolerance, rtol=0, check_stride=False
    )
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_equal_images_give_equal_files():
    image = torch.rand(3, 8, 8)
    assert image_files.encode_png(image) == image_files.encode_png(image[None])


def test_what_cannot_be_saved_is_reported(tmp_path):
    image = torch.zeros(1, 3, 4, 4)
    with pytest.raises(ImageError, match="a.xyz: suffix: got '.xyz', expected .png, .jpg"):
        image_files.save_image(tmp_path / "a.xyz", image)
    for shape in [(2, 3, 4, 4), (1, 4, 4, 4), (4, 4), (1, 3, 0, 4)]:
        with pytest.raises(ImageError, match=r"image to write: got \[.*\], expected \[1, 3, H"):
            image_files.save_image(tmp_path / "a.png", torch.zeros(shape))
    with pytest.raises(StoreError, match="create the folder first"):
        image_files.save_image(tmp_path / "none" / "a.png", image)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("name", "side"), [("a.webp", 16_384), ("a.jpg", 65_501)])
def test_images_that_a_format_has_no_room_for_are_refused(tmp_path, name, side):
    message = rf"image to write: got {side} x 1 pixels, expected at most {side - 1} a side as "
    with pytest.raises(ImageError, match=message):
        image_files.save_image(tmp_path / name, torch.zeros(3, 1, side))
    assert list(tmp_path.iterdir()) == []
    image_files.save_image(tmp_path / "a.png", torch.zeros(3, 1, side))
