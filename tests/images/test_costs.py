"""What an image may cost: it is refused from its header, or decoded in little memory."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from PIL import Image

from regen.errors import ImageError
from regen.images import load_image, load_mask
from regen.images.decoding import header

# Reads an image at 64 pixels, and prints by how many MB the memory grew.
MEASURED = """
import resource, sys, warnings
from regen.images import load_image
warnings.simplefilter("ignore")
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
before = peak()
print(load_image(sys.argv[1], size=64).shape[-1], peak() - before)
"""


def flat_png(width: int, height: int, bits: int, kind: int, channels: int) -> bytes:
    """A PNG that is whole, all of one value, and about a thousandth of its pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    row = bytes(1) + b"\x80" * (-(-width * channels * bits // 8))
    packer, parts = zlib.compressobj(1), []
    for _ in range(height):
        parts.append(packer.compress(row))
    head = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0)
    body = chunk(b"IDAT", b"".join(parts) + packer.flush())
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + body + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("size", "message"),
    [
        ((1, 170_000_000), "is too long: got 1 x 170000000, expected at most 65535 pixels a side"),
        ((170_000_000, 1), "is too long: got 170000000 x 1, expected at most 65535 pixels a side"),
        ((13_200, 13_200), "takes too much memory to decode: got 13200 x 13200 pixels, 697 MB, e"),
    ],
)
def test_what_costs_too_much_is_refused_from_its_header(
    monkeypatch: pytest.MonkeyPatch, size: tuple[int, int], message: str
) -> None:
    monkeypatch.setattr(Image.Image, "load", lambda self: pytest.fail("decoded"))
    data = flat_png(1, 1, 8, 2, 3)
    declared = struct.pack(">II", *size)
    data = (
        data[:16]
        + declared
        + data[24:29]
        + struct.pack(">I", zlib.crc32(b"IHDR" + declared + data[24:29]))
        + data[33:]
    )
    with pytest.raises(ImageError) as caught:
        load_image(data, size=64)
    assert str(caught.value).startswith(f"the embedded image {message}")


def test_at_its_own_size_an_image_may_have_fewer_pixels() -> None:
    data = flat_png(4_100, 4_000, 1, 0, 1)
    message = (
        "is too large to be used at its own size: got 4100 x 4000, expected at most 12.5 million"
    )
    for read in (load_image, load_mask):
        with pytest.raises(ImageError, match=message):
            read(data)
    assert load_image(data, size=8).shape == (1, 3, 8, 8)
    with pytest.raises(ImageError, match="at most 1e-05 million pixels"):
        load_mask(flat_png(20, 20, 8, 0, 1), most_pixels=10)


@pytest.mark.parametrize(
    ("bits", "kind", "channels", "most_mb"),
    [(16, 0, 1, 260), (8, 6, 4, 460), (8, 4, 2, 460), (1, 0, 1, 160)],
    ids=["16 bits", "RGBA", "grey with alpha", "1 bit"],
)
def test_a_large_png_takes_little_more_than_its_pixels(
    tmp_path: Path, bits: int, kind: int, channels: int, most_mb: int
) -> None:
    (tmp_path / "a.png").write_bytes(flat_png(10_000, 10_000, bits, kind, channels))
    words = [sys.executable, "-c", MEASURED, str(tmp_path / "a.png")]
    result = subprocess.run(words, capture_output=True, text=True, check=True)
    side, grown = map(int, result.stdout.split())
    assert side == 64 and grown < most_mb


def test_a_large_jpeg_is_decoded_at_an_eighth(tmp_path: Path) -> None:
    Image.new("RGB", (9_000, 9_000), (200, 30, 3)).save(tmp_path / "a.jpg")
    words = [sys.executable, "-c", MEASURED, str(tmp_path / "a.jpg")]
    result = subprocess.run(words, capture_output=True, text=True, check=True)
    assert int(result.stdout.split()[1]) < 60


def test_a_jpeg_of_many_scans_is_refused() -> None:
    file = io.BytesIO()
    Image.new("RGB", (3_000, 3_000)).save(file, "JPEG", progressive=True)
    data = file.getvalue()
    at = data.rindex(b"\xff\xda")
    many = data[:at] + data[at:-2] * 200 + data[-2:]
    with pytest.raises(ImageError, match=r"takes too long to decode: got 3000 x 3000 pixels in 2"):
        load_image(many, size=64)
    assert load_image(data, size=64).shape == (1, 3, 64, 64)


def test_headers_are_read_without_decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image.Image, "load", lambda self: pytest.fail("decoded"))
    assert header(flat_png(7, 5, 8, 6, 4)) == (7, 5, "RGBA", True, "PNG")
