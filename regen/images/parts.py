"""How many parts an image file has, counted before Pillow looks at each of them.

A chunk of a PNG takes twelve bytes, and a tag of a TIFF as many; Pillow takes microseconds for one,
whatever is in it, and for every byte of a comment in a PPM. Honest files have few, and few for
their size.
"""

from __future__ import annotations

import os
import re
import struct
from typing import BinaryIO

from regen.errors import ImageError
from regen.files.limits import MAX_PARTS, MAX_PPM_HEADER_BYTES, MIN_PART_BYTES

_PNG = b"\x89PNG\r\n\x1a\n"
_TIFF = {b"II*\0": "<", b"MM\0*": ">", b"II+\0": "<", b"MM\0+": ">"}  # the last two are BigTIFF
_PPM = {b"P1", b"P2", b"P3", b"P4", b"P5", b"P6", b"Pf", b"PF"}
_PPM_WORDS = 3  # what it is, its width and its height


def check_parts(file: BinaryIO, name: str) -> None:
    """Raise ImageError if a file has far more chunks or tags than an image needs.

    Args:
        file: At its beginning, where it is left.
        name: For the message.
    """
    head = file.read(16)
    size = file.seek(0, os.SEEK_END)
    if head[:2] in _PPM and size > MAX_PPM_HEADER_BYTES:
        _check_ppm(file, name)
    most = MAX_PARTS + size // MIN_PART_BYTES
    if head.startswith(_PNG):
        count, kind = _chunks(file, most), "chunks"
    elif head[:4] in _TIFF and len(head) == 16:
        count, kind = _tags(file, head, _TIFF[head[:4]]), "tags"
        most = MAX_PARTS
    else:
        count = 0
    file.seek(0)
    if count > most:
        got = f"{count:,} or more" if kind == "chunks" else f"{count:,}"
        raise ImageError(
            f"{name} has too many {kind}",
            got=got,
            expected=f"at most {most:,}",
            remedy="save it again",
        )


def _check_ppm(file: BinaryIO, name: str) -> None:
    file.seek(0)
    words = re.sub(rb"#[^\r\n]*", b"", file.read(MAX_PPM_HEADER_BYTES)).split()
    if len(words) < _PPM_WORDS:
        most = f"at most {MAX_PPM_HEADER_BYTES:,} bytes"
        raise ImageError(f"{name} has too long a header", expected=most, remedy="save it again")


def _chunks(file: BinaryIO, most: int) -> int:
    """The chunks of a PNG; counting ends soon after `most`."""
    file.seek(len(_PNG))
    for count in range(most + 1):
        head = file.read(8)
        if len(head) < 8 or head[4:] == b"IEND":
            return count
        file.seek(int.from_bytes(head[:4], "big") + 4, os.SEEK_CUR)
    return most + 1


def _tags(file: BinaryIO, head: bytes, order: str) -> int:
    """What the first list of a TIFF says that it holds."""
    big = head[2:4] in (b"+\0", b"\0+")
    (place,) = struct.unpack(f"{order}{'Q' if big else 'I'}", head[8:16] if big else head[4:8])
    if place >= 1 << 62:
        return 0
    file.seek(place)
    field = file.read(8 if big else 2)
    if len(field) < (8 if big else 2):
        return 0
    return int(struct.unpack(f"{order}{'Q' if big else 'H'}", field)[0])
