"""`regen.images.jpeg`: segments that stay, and segments that say who took the picture."""

import io

import pytest
from PIL import Image

from regen.errors import ImageError
from regen.images.jpeg import without_metadata


def encoded(**options) -> bytes:
    image = Image.linear_gradient("L").resize((24, 16)).convert("RGB")
    file = io.BytesIO()
    image.save(file, "JPEG", **options)
    return file.getvalue()


def pixels(data: bytes) -> bytes:
    return Image.open(io.BytesIO(data)).convert("RGB").tobytes()


@pytest.mark.parametrize("progressive", [False, True])
def test_pixels_stay_and_metadata_go(progressive: bool) -> None:
    exif = Image.Exif()
    exif[0x010E] = "taken at home"
    data = encoded(progressive=progressive, exif=exif, comment=b"by me", icc_profile=b"profile")
    bare = without_metadata(data + b"what follows")
    assert pixels(bare) == pixels(data)
    assert bare == encoded(progressive=progressive)
    for text in (b"at home", b"by me", b"profile", b"what follows"):
        assert text not in bare


def test_exif_of_the_caller_is_put_in() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = without_metadata(encoded(), exif.tobytes())
    assert Image.open(io.BytesIO(data)).getexif()[0x0112] == 6


@pytest.mark.parametrize("kept", [0, 1, 3, 20, -3])
def test_a_jpeg_that_is_cut_is_refused(kept: int) -> None:
    with pytest.raises(ImageError, match="JPEG"):
        without_metadata(encoded()[:kept])
