"""`regen.images.scans`: what was sent of a JPEG, by the headers of its scans and their tables."""

from __future__ import annotations

import io
import itertools
from typing import Any

import numpy as np
import pytest
from PIL import Image

from regen.errors import ImageError
from regen.images.scans import bits_left, ends_with_a_part, has_zeros

START, END = b"\xff\xd8", b"\xff\xd9"
ALL = (1, 2, 3)
COLOURS = [(ALL, 0, 0, 0x01), *((number, 1, 63, 0x02) for number in ALL)]
REFINED = [(number, 1, 63, 0x21) for number in ALL]
LAST_BITS = [(ALL, 0, 0, 0x10), *((number, 1, 63, 0x10) for number in ALL)]


def segment(marker: int, content: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(content) + 2).to_bytes(2, "big") + content


def frame(marker: int = 0xC2, components: int = 3) -> bytes:
    numbers = [bytes([number, 0x11, 0]) for number in range(1, components + 1)]
    return segment(marker, b"\x08\0\x10\0\x10" + bytes([components]) + b"".join(numbers))


def scan(numbers: Any, first: int, last: int, bits: int, data: bytes = b"\x12\xff\0\x34") -> bytes:
    numbers = numbers if isinstance(numbers, tuple) else (numbers,)
    chosen = b"".join(bytes([number, 0]) for number in numbers)
    return segment(0xDA, bytes([len(numbers)]) + chosen + bytes([first, last, bits])) + data


def table(first: int, place: int = 0x10) -> bytes:
    """Two codes, of which the first is 0."""
    return segment(0xC4, bytes([place, 1, 1, *bytes(14), first, 0x33]))


def progressive(scans: list[Any], marker: int = 0xC2) -> bytes:
    return START + frame(marker) + b"".join(scan(*one) for one in scans) + END


@pytest.mark.parametrize("marker", [0xC2, 0xCA])
@pytest.mark.parametrize(
    ("scans", "left"),
    [
        (COLOURS[:1], 64),
        (COLOURS[:3], 64),
        (COLOURS, 2),
        ([*COLOURS, *REFINED[:2]], 2),
        ([*COLOURS, *REFINED], 1),
        ([*COLOURS, *REFINED, *LAST_BITS[:3]], 1),
        ([*COLOURS, *REFINED, *LAST_BITS], 0),
        ([(ALL, 0, 0, 0), *((number, 1, 63, 0) for number in ALL)], 0),
        ([(ALL, 0, 0, 0), *((number, 1, 62, 0) for number in ALL)], 64),
        ([(ALL, 0, 0, 0), (1, 1, 5, 0), (1, 6, 63, 0), (2, 1, 63, 0), (3, 1, 63, 0)], 0),
        ([(1, 0, 0, 0), (1, 1, 63, 0), (2, 0, 0, 0), (2, 1, 63, 0)], 64),
        ([(ALL, 0, 0, 0), *((number, 1, 63, 0) for number in (*ALL, 9))], 0),
    ],
)
def test_bits_are_left_until_a_scan_has_sent_them(scans: list[Any], left: int, marker: int) -> None:
    data = progressive(scans, marker)
    assert bits_left(data) == bits_left(data[: -len(END)]) == left


@pytest.mark.parametrize("marker", [0xC0, 0xC1, 0xC9])
def test_other_jpegs_send_all_of_a_component_whatever_a_header_says(marker: int) -> None:
    single = [(number, 0, 0, 0x12) for number in ALL]
    assert bits_left(progressive([(ALL, 0, 63, 0)], marker)) == 0
    assert bits_left(progressive(single, marker)) == 0
    assert bits_left(progressive(single[:2], marker)) == 64
    assert bits_left(START + END) == 0


@pytest.mark.parametrize(
    ("scans", "part"),
    [
        ([(ALL, 0, 63, 0)], False),
        (COLOURS, True),
        ([*COLOURS, *REFINED, *LAST_BITS], False),
        ([(number, 0, 63, 0) for number in ALL], True),
        ([], False),
    ],
)
def test_the_last_scan_may_be_the_first_to_send_a_part(scans: list[Any], part: bool) -> None:
    assert ends_with_a_part(progressive(scans)) == part


def drawings() -> dict[str, Image.Image]:
    y, x = np.mgrid[0:72, 0:88]
    noise = np.random.default_rng(0).integers(0, 256, (72, 88, 3), dtype=np.uint8)
    return {
        "flat": Image.new("RGB", (88, 72), (200, 10, 60)),
        "a pixel": Image.new("RGB", (1, 1)),
        "a gradient": Image.fromarray(np.stack([x, y, x + y], -1).astype(np.uint8)),
        "noise": Image.fromarray(noise),
        "stripes": Image.fromarray(((x // 3 % 5 == 0) * 255).astype(np.uint8)),
    }


@pytest.mark.parametrize("name", drawings())
@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_whole_files_of_an_encoder_are_finished_and_have_no_foreign_zeros(
    name: str, mode: str
) -> None:
    image = drawings()[name].convert(mode)
    for quality, optimize, restarts, subsampling in itertools.product(
        (1, 75, 100), (False, True), (0, 2), (0, 2)
    ):
        options = {} if mode == "L" else {"subsampling": subsampling}
        for progressive in (False, True):
            file = io.BytesIO()
            image.save(
                file,
                "JPEG",
                quality=quality,
                optimize=optimize,
                restart_marker_blocks=restarts,
                progressive=progressive,
                **options,
            )
            assert bits_left(file.getvalue()) == 0 and not has_zeros(file.getvalue())


ZEROS = b"\x12" + bytes(256) + b"\x34"


@pytest.mark.parametrize(
    ("tables", "kind", "sent", "foreign"),
    [
        (table(0x01), 0xC0, scan(ALL, 0, 63, 0, ZEROS), True),  # each coefficient is 1 bit
        (table(0x05), 0xC1, scan(ALL, 0, 63, 0, ZEROS), True),
        (table(0x01), 0xC2, scan(1, 6, 63, 0x02, ZEROS), True),
        (table(0x00) + table(0x01), 0xC0, scan(ALL, 0, 63, 0, ZEROS), True),  # the later counts
        (table(0x00), 0xC0, scan(ALL, 0, 63, 0, ZEROS), False),  # nothing more in a block
        (table(0x70), 0xC2, scan(1, 1, 63, 0x02, ZEROS), False),  # nothing in many blocks
        (table(0x11), 0xC0, scan(ALL, 0, 63, 0, ZEROS), False),  # with others in between
        (table(0x01), 0xC2, scan(1, 1, 5, 0x02, ZEROS), False),  # hardly any coefficients
        (table(0x01), 0xC2, scan(1, 1, 63, 0x21, ZEROS), False),  # corrections
        (table(0x01), 0xC9, scan(ALL, 0, 63, 0, ZEROS), False),  # another code
        (table(0x01, 0x11), 0xC0, scan(ALL, 0, 63, 0, ZEROS), False),  # another table
        (b"", 0xC0, scan(ALL, 0, 63, 0, ZEROS), False),
        (table(0x01), 0xC0, scan(ALL, 0, 63, 0, bytes(255)), False),
        (table(0x01), 0xC0, scan(ALL, 0, 63, 0, b"\x12" + bytes(999)), False),  # filled up
        (table(0x01) + segment(0xE1, ZEROS), 0xC0, scan(ALL, 0, 63, 0), False),
        (table(0x01), 0xC0, scan(ALL, 0, 63, 0) + END + ZEROS, False),
    ],
)
def test_zeros_count_where_they_would_be_coefficients(
    tables: bytes, kind: int, sent: bytes, foreign: bool
) -> None:
    assert has_zeros(START + frame(kind) + tables + sent + END) == foreign


def test_zeros_to_the_end_of_a_file_that_nothing_closes_count() -> None:
    assert has_zeros(START + frame(0xC0) + table(0x01) + scan(ALL, 0, 63, 0, bytes(999)))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no JPEG" + ZEROS,
        START + segment(0xC2, b"\x08") + ZEROS,
        START + frame() + segment(0xDA, b"") + ZEROS,
        START + frame() + segment(0xDA, b"\3\1\0") + ZEROS,
        START + frame() + b"\xff\xda\xff\xff" + ZEROS,
    ],
)
def test_what_is_no_jpeg_is_refused(data: bytes) -> None:
    with pytest.raises(ImageError):
        bits_left(data)
    if ZEROS in data:
        with pytest.raises(ImageError):
            has_zeros(data)
