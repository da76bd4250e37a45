"""`regen.images.parts`: files of many tiny parts are refused before each of them is looked at."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from PIL import Image

from regen.errors import ImageError
from regen.images import load_image
from regen.images.parts import check_parts

TAGS = [(256, 16), (257, 16), (258, 8), (259, 1), (262, 1), (273, 200), (277, 1), (278, 16)]


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(between: bytes) -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 16, 16, 8, 0, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(bytes(16 * 17)))
    return b"\x89PNG\r\n\x1a\n" + head + between + pixels + chunk(b"IEND", b"")


def tiff(more: int) -> bytes:
    tags = [*TAGS, (279, 256), *((1000 + number, 1) for number in range(more))]
    written = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + written + bytes(600)


def test_chunks_of_a_png_are_counted() -> None:
    load_image(png(chunk(b"tEXt", b"k\0v") * 3_000))
    load_image(png(chunk(b"prVt", bytes(3_000)) * 6_000))  # many, but not for the file's size
    with pytest.raises(ImageError) as caught:
        load_image(png(chunk(b"prVt", b"") * 300_000))
    assert str(caught.value) == (
        "the embedded image has too many chunks: got 7,601 or more, expected at most 7,600; "
        "save it again"
    )


def test_tags_of_a_tiff_are_counted() -> None:
    load_image(tiff(3_000))
    with pytest.raises(ImageError, match="has too many tags: got 60,009, expected at most 4,000"):
        load_image(tiff(60_000))
    big = b"II+\0" + struct.pack("<HHQQ", 8, 0, 16, 1 << 60) + bytes(99)
    with pytest.raises(ImageError, match="too many tags: got 1,152,921,504,606,846,976, expected"):
        load_image(big)


def test_a_comment_of_megabytes_is_refused() -> None:
    pixels = bytes(300 * 300)
    for start in (b"P5\n# by hand\n300 300\n255\n", b"P5 300 300 255 "):
        load_image(start + pixels)
    with pytest.raises(ImageError, match="has too long a header: expected at most 65,536 bytes"):
        load_image(b"P5\n#" + b"x" * 10_000_000 + b"\n300 300\n255\n" + pixels)


@pytest.mark.parametrize("format", ["PNG", "TIFF", "JPEG", "BMP"])
@pytest.mark.parametrize("length", [0, 3, 8, 12, 16, 40])
def test_files_that_are_cut_off_have_few(format: str, length: int) -> None:
    file = io.BytesIO()
    Image.new("L", (8, 8)).save(file, format)
    cut = io.BytesIO(file.getvalue()[:length])
    check_parts(cut, "a")
    assert cut.tell() == 0


def test_a_place_beyond_every_file_has_none() -> None:
    for head in (b"MM\0+" + b"\xff" * 40, b"MM\0*" + b"\xff" * 40):
        check_parts(io.BytesIO(head), "a")
