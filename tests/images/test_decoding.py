"""`regen.images.decoding`: image files of every kind, and what is wrong with them."""

import base64
import io
import os
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from regen.errors import ImageError
from regen.images import ImageWarning, decoding, embedding


def encoded(image, format="PNG", **options):
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def photo(mode="RGB", size=(5, 4)):
    pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), np.uint8)
    return Image.fromarray(pixels).convert(mode)


def hollow_png(width, height):
    """A PNG whose header promises far more than there is."""

    def chunk(kind, data):
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(bytes(10_000))
    parts = chunk(b"IHDR", head), chunk(b"IDAT", body), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.mark.parametrize(
    ("mode", "format"),
    [("1", "PNG"), ("L", "PNG"), ("P", "PNG"), ("RGB", "PNG"), ("CMYK", "TIFF"), ("YCbCr", "TIFF")],
)
def test_opaque_modes_become_rgb(mode, format):
    image = photo(mode)
    got = decoding.decode(encoded(image, format))
    assert got.mode == "RGB"
    difference = np.asarray(got, float) - np.asarray(image.convert("RGB"), float)
    assert np.abs(difference).max() <= 2  # of 255, where colour spaces are converted


@pytest.mark.parametrize("format", ["PNG", "BMP", "GIF", "TIFF", "PPM", "TGA", "WEBP", "JPEG"])
def test_formats(format):
    options = {"lossless": True} if format == "WEBP" else {}
    got = np.asarray(decoding.decode(encoded(photo(size=(16, 16)), format, **options)), float)
    assert got.shape == (16, 16, 3)
    if format not in ("GIF", "JPEG"):
        assert np.array_equal(got, np.asarray(photo(size=(16, 16))))


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_alpha_is_kept(mode):
    image = photo(mode)
    image.putalpha(100)
    got = decoding.decode(encoded(image))
    assert got.mode == "RGBA"
    assert got.getchannel("A").getextrema() == (100, 100)


def test_a_transparent_palette_entry_is_alpha():
    image = Image.new("P", (2, 1))
    image.putpalette([255, 0, 0, 0, 255, 0])
    image.putdata([0, 1])
    got = decoding.decode(encoded(image, transparency=1))
    assert got.mode == "RGBA"
    assert list(np.asarray(got.getchannel("A")).ravel()) == [255, 0]


@pytest.mark.parametrize("format", ["PNG", "TIFF"])
def test_sixteen_bits_are_scaled_as_such(format):
    levels = np.array([[0, 1, 257, 32768, 65535]], np.uint16)
    got = decoding.decode(encoded(Image.fromarray(levels), format))
    assert got.mode == "F"
    np.testing.assert_allclose(np.asarray(got), levels / 65535, rtol=1e-6)


def test_thirty_two_bit_integers_and_floats():
    short = Image.fromarray(np.array([[0, 65535]], np.int32))
    assert np.asarray(decoding.decode(encoded(short, "TIFF"))).tolist() == [[0, 1]]
    long = Image.fromarray(np.array([[-5, 2**30, 2**31 - 1]], np.int32))
    np.testing.assert_allclose(decoding.decode(encoded(long, "TIFF")), [[0, 0.5, 1]])
    unit = Image.fromarray(np.array([[-1, 0.25, 1, np.nan]], np.float32))
    with pytest.warns(ImageWarning, match="25% of its pixels are not a number"):
        assert np.asarray(decoding.decode(encoded(unit, "TIFF"))).tolist() == [[0, 0.25, 1, 0]]
    byte = Image.fromarray(np.array([[0, 51, 255]], np.float32))
    np.testing.assert_allclose(decoding.decode(encoded(byte, "TIFF")), [[0, 0.2, 1]])


def test_one_transparent_level_of_sixteen_bits():
    image = Image.fromarray(np.array([[0, 1000, 65535]], np.uint16))
    got = decoding.decode(encoded(image, transparency=1000))
    assert got.mode == "RGBA"
    assert np.asarray(got)[0].tolist() == [[0, 0, 0, 255], [4, 4, 4, 0], [255, 255, 255, 255]]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_images_are_turned_upright(orientation):
    pixels = np.asarray(photo())
    turned = {
        1: pixels,
        2: pixels[:, ::-1],
        3: pixels[::-1, ::-1],
        4: pixels[::-1],
        5: pixels.transpose(1, 0, 2),
        6: pixels.transpose(1, 0, 2)[:, ::-1],
        7: pixels.transpose(1, 0, 2)[::-1, ::-1],
        8: pixels.transpose(1, 0, 2)[::-1],
    }
    exif = Image.Exif()
    exif[0x0112] = orientation
    got = decoding.decode(encoded(photo(), exif=exif))
    assert np.array_equal(np.asarray(got), turned[orientation])


def test_the_first_frame_of_an_animation_is_taken():
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "lime", "blue")]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert decoding.decode(data).getpixel((0, 0)) == (255, 0, 0)


def test_paths_bytes_and_data_uris_are_sources(tmp_path):
    data = encoded(photo())
    (tmp_path / "a.png").write_bytes(data)
    uri = embedding.data_uri(tmp_path / "a.png")
    assert uri == "data:image/png;base64," + base64.b64encode(data).decode()
    for source in (tmp_path / "a.png", str(tmp_path / "a.png"), data, uri, uri.replace("A", "A\n")):
        assert np.array_equal(np.asarray(decoding.decode(source)), np.asarray(photo()))


def test_a_data_uri_names_the_true_format(tmp_path):
    (tmp_path / "a.png").write_bytes(encoded(photo(), "JPEG"))
    assert embedding.data_uri(tmp_path / "a.png").startswith("data:image/jpeg;base64,")
    with pytest.raises(ImageError, match="does not exist"):
        embedding.data_uri(tmp_path / "b.png")


def test_what_is_not_a_file_is_reported(tmp_path):
    (tmp_path / "empty.png").write_bytes(b"")
    os.mkfifo(tmp_path / "pipe")
    for source, message in [
        (tmp_path / "none.png", "none.png does not exist; check the path"),
        (tmp_path, "is a folder: expected an image"),
        (tmp_path / "pipe", "pipe is not a file: expected an image"),
        (tmp_path / "empty.png", "empty.png is empty: expected an image"),
        (b"", "the embedded image is empty: expected an image"),
    ]:
        with pytest.raises(ImageError, match=message):
            decoding.decode(source)


def test_an_unreadable_file_is_reported(tmp_path, monkeypatch):
    def refuse(*args):
        raise PermissionError(13, "Permission denied")

    (tmp_path / "a.png").write_bytes(encoded(photo()))
    monkeypatch.setattr("pathlib.Path.open", refuse)
    with pytest.raises(ImageError, match="a.png cannot be read: Permission denied"):
        decoding.decode(tmp_path / "a.png")


def test_what_is_not_a_image_is_reported(tmp_path):
    (tmp_path / "a.png").write_text("not an image")
    with pytest.raises(ImageError) as caught:
        decoding.decode(tmp_path / "a.png")
    expected = "a.png is not an image in a known format; save it as PNG or JPEG"
    assert str(caught.value) == f"{tmp_path}/{expected}"


@pytest.mark.parametrize("format", ["PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF"])
def test_a_truncated_image_is_reported(tmp_path, format):
    data = encoded(photo(size=(64, 64)), format)
    (tmp_path / "a").write_bytes(data[: len(data) // 2])
    with pytest.raises(ImageError, match="a cannot be decoded, it may be damaged or cut short: .*"):
        decoding.decode(tmp_path / "a")


def test_no_truncation_of_a_png_escapes_as_another_error():
    data = encoded(photo(size=(32, 32)))
    refused = 0
    for length in range(len(data)):
        try:
            decoding.decode(data[:length])
        except ImageError:
            refused += 1
    assert refused > len(data) - 40  # only the end mark may be missing


@pytest.mark.parametrize("size", [(60_000, 60_000), (13_300, 13_300), (2**31 - 1, 2**31 - 1)])
def test_a_bomb_is_refused_from_its_header(monkeypatch, size):
    monkeypatch.setattr(Image.Image, "load", lambda self: pytest.fail("decoded"))
    with pytest.raises(ImageError, match=r"has too many pixels: got .*, expected at most 175 mill"):
        decoding.decode(hollow_png(*size))


def test_an_image_just_below_the_limit_is_decoded():
    with pytest.raises(ImageError, match="may be damaged or cut short"):
        decoding.decode(hollow_png(3_500, 3_500))


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("data:", "the embedded image: got data:, expected data:image/png;base64,... or the"),
        ("data:image/png,abc", "got data:image/png,abc, expected"),
        ("data:" + "x" * 99, r"got data:x{35}\.\.\., expected"),
        ("data:image/png;base64,a*b=", "the embedded image is not valid base64"),
        ("data:image/png;base64,abcde", "the embedded image is not valid base64"),
        ("data:image/png;base64,", "the embedded image is empty"),
        ("data:image/png;base64,AAAA", "the embedded image is not an image in a known format"),
    ],
)
def test_bad_data_uris_are_reported(uri, message):
    with pytest.raises(ImageError, match=message):
        decoding.decode(uri)
