"""`regen.images.quiet`: libtiff prints nothing, and the standard error is there again after it."""

from __future__ import annotations

import io
import os

import pytest
from PIL import Image

from regen.errors import ImageError
from regen.images import load_image
from regen.images.quiet import load_quietly


def cut_tiff() -> bytes:
    """One compressed as JPEG that ends too soon."""
    file = io.BytesIO()
    Image.effect_noise((64, 64), 50).save(file, "TIFF", compression="jpeg")
    data = bytearray(file.getvalue())
    start = data.index(b"\xff\xda") + 20  # of the pixels
    data[start : start + 800] = bytes(800)
    return bytes(data)


def test_what_libtiff_says_is_not_printed(capfd: pytest.CaptureFixture[str]) -> None:
    for data in (cut_tiff(), cut_tiff()[:-40]):
        try:
            load_image(data)
        except ImageError as error:
            assert str(error).isprintable()
    assert capfd.readouterr().err == ""
    os.write(2, b"there")
    assert capfd.readouterr().err == "there"


def test_a_process_without_standard_error_decodes(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(descriptor: int) -> int:
        raise OSError("bad descriptor")

    monkeypatch.setattr("os.dup", fail)
    file = io.BytesIO()
    Image.new("L", (8, 8), 3).save(file, "TIFF")
    with Image.open(file) as image:
        load_quietly(image)
        assert image.getpixel((0, 0)) == 3
