"""An image inside a text: as a data URI, without what the file says beside its pixels.

A photograph tells where, when and by whom it was taken; a file that embeds it is sent to others.
"""

from __future__ import annotations

import base64
import io
import struct
from zlib import crc32

import numpy as np
from PIL import Image

from regen.errors import ImageError
from regen.images.decoding import Source, decode, header, orientation_of, read_bytes
from regen.images.jpeg import without_metadata

_PNG = b"\x89PNG\r\n\x1a\n"
_KEPT_CHUNKS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")


def data_uri(source: Source) -> str:
    """The image as a data URI, itself a source of the same pixels, without metadata.

    PNG and JPEG are embedded as they are compressed; of everything else beside the pixels, only
    which way is up is kept. Other formats become PNG, grey of 32 bits that of 16 bits.

    Raises:
        ImageError: As `decode` does.
    """
    image = decode(source)
    format, orientation = header(source).format, orientation_of(source)
    kind, data = "png", b""
    try:
        if format == "PNG":
            data = _png_without_metadata(read_bytes(source), _exif(orientation))
        elif format in ("JPEG", "MPO"):
            exif = _exif(orientation)
            data = without_metadata(read_bytes(source), exif and b"Exif\0\0" + exif)
            kind = "jpeg"
        same = bool(data) and decode(data).tobytes() == image.tobytes()
    except ImageError:
        same = False
    if not same:
        kind, data = "png", _encoded(image)
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def _exif(orientation: int) -> bytes:
    """EXIF that says which way is up, and nothing else; empty for an upright image."""
    if orientation == 1:
        return b""
    return b"II*\0" + struct.pack("<IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)


def _png_without_metadata(data: bytes, exif: bytes) -> bytes:
    """A PNG of the chunks that pixels are made of, and of `exif`."""
    parts, at = [_PNG], len(_PNG)
    while at + 12 <= len(data):
        kind = data[at + 4 : at + 8]
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        if kind in _KEPT_CHUNKS:
            parts.append(data[at:end])
        if kind == b"IHDR" and exif:
            parts.append(_chunk(b"eXIf", exif))
        at = end
        if kind == b"IEND":
            break
    return b"".join(parts)


def _chunk(kind: bytes, content: bytes) -> bytes:
    length, check = len(content).to_bytes(4, "big"), crc32(kind + content).to_bytes(4, "big")
    return length + kind + content + check


def _encoded(image: Image.Image) -> bytes:
    if image.mode == "F":
        levels = (np.asarray(image) * np.float32(65535)).round().astype(np.uint16)
        image = Image.fromarray(levels)
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()
