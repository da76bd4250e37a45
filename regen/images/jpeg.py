"""The segments of a JPEG file, and the file without what it says about who took it, and where."""

from __future__ import annotations

import re
from collections.abc import Iterator

from regen.errors import ImageError

START_OF_SCAN = b"\xff\xda"
_START, _END = b"\xff\xd8", b"\xff\xd9"
_JFIF, _ADOBE, _COMMENT = 0xE0, 0xEE, 0xFE
_APPLICATION = range(0xE0, 0xF0)
# Inside a scan 0xFF is followed by 0, a mark at which a decoder finds its place, or filled up.
_AFTER_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_HUFFMAN = (0xC0, 0xC1, 0xC2)  # frames of the usual code: baseline, extended, progressive
# Every byte but 0xFF, before each mark at which a decoder finds its place again.
_FILLER = b"".join(bytes(range(255)) + bytes([0xFF, restart]) for restart in range(0xD0, 0xD8))


def segments(data: bytes, *, closed: bool = True) -> Iterator[tuple[int, int, int]]:
    """Of each segment its marker, and where its content, with a scan's data, begins and ends.

    Args:
        data: The file.
        closed: Whether the end mark must be there; without it the last scan ends with the file.

    Raises:
        ImageError: If it is not made of segments to its end.
    """
    if not data.startswith(_START):
        raise ImageError("the JPEG does not begin like one")
    at, marker = _marker(data, len(_START))
    while marker != _END[1]:
        end = at + int.from_bytes(data[at : at + 2], "big")
        if end < at + 2 or end > len(data):
            raise ImageError("the JPEG is cut short")
        if marker == START_OF_SCAN[1]:
            end = _end_of_scan(data, end, closed)
        yield marker, at, end
        if end == len(data) and not closed:
            return
        at, marker = _marker(data, end)


def without_metadata(data: bytes, exif: bytes = b"") -> bytes:
    """A JPEG without EXIF, XMP, comments, colour profiles, and whatever follows the image.

    Every byte that pixels are made of stays. JFIF and Adobe's mark stay too, since they say which
    colours the numbers are.

    Args:
        data: The file.
        exif: What to put in place of its EXIF, beginning with "Exif" and two zeros.

    Raises:
        ImageError: If it is not made of segments to its end.
    """
    parts = [_START]
    if exif:
        parts.append(b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif)
    for marker, at, end in segments(data):
        dropped = marker in _APPLICATION and marker not in (_JFIF, _ADOBE) or marker == _COMMENT
        if not dropped and not _is_foreign_jfif(marker, data[at + 2 : end]):
            parts.append(bytes([0xFF, marker]) + data[at:end])
    return b"".join([*parts, _END])


def with_filler(data: bytes) -> bytes:
    """A JPEG with two thousand bytes more at the end of its last scan.

    Where the scan has reached the last pixel, decoders pass over them; where it was cut, they
    become pixels. An arithmetic code, in which that does not hold, is returned as it is.

    Args:
        data: The file.

    Raises:
        ImageError: If it is not made of segments to its end.
    """
    last, usual = 0, False
    for marker, _, end in segments(data):
        usual = usual or marker in _HUFFMAN
        last = end if marker == START_OF_SCAN[1] else last
    return data[:last] + _FILLER + data[last:] if usual and last else data


def _is_foreign_jfif(marker: int, content: bytes) -> bool:
    """Whether it is in JFIF's place, but a thumbnail of it or something else."""
    return marker == _JFIF and not content.startswith(b"JFIF\0")


def _marker(data: bytes, at: int) -> tuple[int, int]:
    """The marker at a position, and where its content begins."""
    if data[at : at + 1] != b"\xff":
        raise ImageError("the JPEG is damaged")
    while data[at : at + 1] == b"\xff":
        at += 1
    if at >= len(data):
        raise ImageError("the JPEG is cut short")
    return at + 1, data[at]


def _end_of_scan(data: bytes, at: int, closed: bool) -> int:
    """Where the next marker that does not belong to the scan begins."""
    found = _AFTER_SCAN.search(data, at)
    if found is None and closed:
        raise ImageError("the JPEG is cut short")
    return len(data) if found is None else found.start()
