"""`regen.images.embedding`: the pixels are embedded, and nothing that tells where they are from."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from regen.errors import ImageError
from regen.images import data_uri
from regen.images.decoding import decode
from regen.images.jpeg import without_metadata

SECRETS = (b"SECRET", b"Exif", b"xpacket", b"<x:xmpmeta", b"ICC_PROFILE", b"iCCP", b"tEXt", b"GPS")


def exif(orientation: int) -> Image.Exif:
    tags = Image.Exif()
    tags[0x0112] = orientation
    tags[0x010E] = "SECRET description"
    tags.get_ifd(0x8825)[1] = "N"  # GPS
    tags.get_ifd(0x8825)[29] = "SECRET date"
    return tags


def photo(mode: str = "RGB") -> Image.Image:
    pixels = np.random.default_rng(0).integers(0, 256, (24, 40, 3), np.uint8)
    return Image.fromarray(pixels).convert(mode)


def saved(image: Image.Image, format: str, orientation: int = 1) -> bytes:
    file = io.BytesIO()
    more: dict[str, object] = {"comment": "SECRET"} if format in ("JPEG", "GIF") else {}
    if format == "PNG":
        text = PngInfo()
        text.add_text("Author", "SECRET")
        text.add_itxt("XML:com.adobe.xmp", "<x:xmpmeta>SECRET</x:xmpmeta>")
        more["pnginfo"] = text
    if format in ("JPEG", "PNG", "WEBP", "AVIF", "TIFF"):
        more["exif"] = exif(orientation)
    if format in ("JPEG", "WEBP"):
        more["xmp"] = b"<x:xmpmeta>SECRET</x:xmpmeta>"
    if format in ("JPEG", "PNG"):
        more["icc_profile"] = b"SECRET profile" * 10
    image.save(file, format, **more)
    return file.getvalue()


def embedded(uri: str) -> tuple[str, bytes]:
    kind, data = uri.split(",")
    return kind, base64.b64decode(data)


@pytest.mark.parametrize("orientation", [1, 3, 6])
@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP"])
def test_the_pixels_stay_and_the_rest_goes(format: str, orientation: int) -> None:
    data = saved(photo("P" if format == "GIF" else "RGB"), format, orientation)
    kind, inside = embedded(data_uri(data))
    assert kind == f"data:image/{'jpeg' if format == 'JPEG' else 'png'};base64"
    assert decode(inside).mode == decode(data).mode
    assert decode(inside).tobytes() == decode(data).tobytes()
    found = [secret for secret in SECRETS if secret in inside]
    assert found == ([b"Exif"] if format == "JPEG" and orientation != 1 else [])


def test_the_compressed_pixels_are_not_touched() -> None:
    data = saved(photo(), "JPEG")
    _, inside = embedded(data_uri(data))
    scan = data[data.index(b"\xff\xda") :]
    assert inside.endswith(scan)
    data = saved(photo("RGBA"), "PNG")
    _, inside = embedded(data_uri(data))
    at = data.index(b"IDAT")
    length = int.from_bytes(data[at - 4 : at], "big")
    assert data[at : at + length + 8] in inside


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "LA", "1", "CMYK"])
def test_all_modes(mode: str) -> None:
    data = saved(photo(mode), "JPEG" if mode == "CMYK" else "PNG")
    _, inside = embedded(data_uri(data))
    assert decode(inside).tobytes() == decode(data).tobytes()


def test_sixteen_bits_stay_in_a_png_and_thirty_two_become_sixteen() -> None:
    levels = np.arange(0, 65536, 128, dtype=np.uint16).reshape(16, 32)
    for data in (saved(Image.fromarray(levels), "PNG"), saved(Image.fromarray(levels), "TIFF")):
        assert np.array_equal(decode(embedded(data_uri(data))[1]), decode(data))
    floats = saved(
        Image.fromarray(np.linspace(0, 1, 512, dtype=np.float32).reshape(16, 32)), "TIFF"
    )
    np.testing.assert_allclose(decode(embedded(data_uri(floats))[1]), decode(floats), atol=1e-5)


def test_what_follows_the_image_goes_too() -> None:
    data = saved(photo(), "JPEG")
    _, inside = embedded(data_uri(data + data))
    assert inside.count(b"\xff\xd8\xff") == 1
    progressive = io.BytesIO()
    photo().save(progressive, "JPEG", progressive=True, exif=exif(1))
    _, inside = embedded(data_uri(progressive.getvalue()))
    assert b"SECRET" not in inside and decode(inside).size == (40, 24)


@pytest.mark.parametrize("data", [b"", b"\xff\xd8", b"\xff\xd8\xff\xe1\x00\x01", b"\xff\xd8ab"])
def test_a_jpeg_that_is_not_made_of_segments_is_refused(data: bytes) -> None:
    with pytest.raises(ImageError, match="the JPEG"):
        without_metadata(data)
    whole = saved(photo(), "JPEG")
    for length in range(0, len(whole) - 1, 7):
        with pytest.raises(ImageError, match="the JPEG"):
            without_metadata(whole[:length])
