"""`regen.images.jpeg`: segments that stay, and segments that say who took the picture."""

import io

import pytest
from PIL import Image

from regen.errors import ImageError
from regen.images.jpeg import with_filler, without_metadata


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


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_blocks": 1}])
def test_filler_changes_pixels_only_where_some_are_missing(options: dict[str, object]) -> None:
    data = encoded(**options)
    filled = with_filler(data + b"what follows")
    assert len(filled) > len(data) + 2_000 and filled.endswith(b"\xff\xd9what follows")
    assert pixels(filled) == pixels(data)
    cut = data[: data.index(b"\xff\xda") + 16] + b"\xff\xd9"
    assert pixels(with_filler(cut)) != pixels(cut)


def test_an_arithmetic_code_and_a_file_without_scans_get_no_filler() -> None:
    data = encoded()
    coded = data.replace(b"\xff\xc0", b"\xff\xc9", 1)
    assert with_filler(coded) == coded
    bare = data[: data.index(b"\xff\xda")] + b"\xff\xd9"
    assert with_filler(bare) == bare
    with pytest.raises(ImageError, match="the JPEG is cut short"):
        with_filler(data[:-3])
