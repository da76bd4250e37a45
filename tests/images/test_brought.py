"""Images that people bring: upright, small enough, without metadata, transparency kept."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from regen.errors import ImageError
from regen.images import load_image
from regen.images.brought import bring


def encoded(image: Image.Image, format: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def opened(png: bytes) -> Image.Image:
    return Image.open(io.BytesIO(png))


def test_an_image_of_usual_size_keeps_its_pixels_and_loses_its_metadata() -> None:
    pixels = np.random.RandomState(0).randint(0, 255, (20, 30, 3), np.uint8)
    exif = Image.Exif()
    exif[0x010E] = "where I live"
    brought = bring(encoded(Image.fromarray(pixels), exif=exif), 40)
    assert np.array_equal(np.asarray(opened(brought.png)), pixels)
    assert brought.alpha == b"" and b"where I live" not in brought.png


def test_a_photograph_on_its_side_is_turned_and_reduced() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    brought = bring(encoded(Image.new("RGB", (400, 200), "red"), "JPEG", exif=exif), 100)
    assert opened(brought.png).size == (50, 100)


def test_transparency_becomes_a_mask_of_the_same_size() -> None:
    image = Image.new("RGBA", (200, 100), (255, 0, 0, 0))
    image.paste((0, 0, 255, 255), (0, 0, 100, 100))
    brought = bring(encoded(image), 100)
    alpha = np.asarray(opened(brought.alpha))
    assert alpha.shape == (50, 100) and alpha[:, :45].min() == 255 and alpha[:, 55:].max() == 0
    assert load_image(brought.png)[0, 0, 25, 90] == 1  # laid on white
    assert bring(encoded(image.convert("RGB").convert("RGBA")), 100).alpha == b""


def test_grey_of_many_bits_is_seen() -> None:
    grey = Image.fromarray(np.full((8, 8), 32768, np.uint16))
    assert np.asarray(opened(bring(encoded(grey), 8).png)).mean() == pytest.approx(128, abs=1)


def test_what_is_no_image_is_refused_in_one_line() -> None:
    with pytest.raises(ImageError, match="^cat.png is not an image"):
        bring(b"hello", 100, name="cat.png")
