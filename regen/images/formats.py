"""Which formats of images are read: a fixed list, and nothing that starts another program.

Pillow knows more formats than these. For one of them it runs Ghostscript, whatever the file is
called; others are rare, and each is more code that a stranger's file reaches.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from functools import cache
from importlib import import_module
from typing import BinaryIO

from PIL import Image, UnidentifiedImageError

from regen.errors import ImageError
from regen.images.parts import check_parts

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "DIB", "TIFF", "AVIF", "PPM", "TGA")
_PLUGINS = ("Png", "Jpeg", "Mpo", "WebP", "Gif", "Bmp", "Tiff", "Avif", "Ppm", "Tga")
_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
logging.getLogger("PIL").addHandler(logging.NullHandler())  # it logs what it then raises
_REMEDY = "save it as PNG or JPEG"


def open_image(file: BinaryIO, name: str) -> Image.Image:
    """Open an image without decoding it, by its first bytes and not by its name.

    Raises:
        ImageError: If it is in none of the formats that are read.
        Exception: Whatever Pillow raises for a damaged header.
    """
    head = file.read(16)
    file.seek(0)
    if head[4:8] == b"ftyp" and head[8:12] in _HEIC_BRANDS:
        return _open_heic(file, name)
    check_parts(file, name)
    try:
        return Image.open(file, formats=_known())
    except UnidentifiedImageError as error:
        if head.lstrip().startswith((b"%!PS", b"\xc5\xd0\xd3\xc6")):
            raise ImageError(f"{name} is PostScript, which is not read", remedy=_REMEDY) from error
        raise ImageError(f"{name} is not an image in a known format", remedy=_REMEDY) from error


@cache
def _known() -> tuple[str, ...]:
    """Those of `FORMATS` that this Pillow has. Its plugins for others are not even imported."""
    for plugin in _PLUGINS:
        with suppress(ImportError):
            import_module(f"PIL.{plugin}ImagePlugin")
    return tuple(format for format in FORMATS if format in Image.OPEN)


def _open_heic(file: BinaryIO, name: str) -> Image.Image:
    try:
        from pillow_heif import register_heif_opener
    except ImportError as error:
        raise ImageError(
            f"{name} is a HEIC image, for which pillow-heif is not installed",
            remedy=f"run `pip install pillow-heif`, or {_REMEDY}",
        ) from error
    if "HEIF" not in Image.OPEN:
        register_heif_opener(thumbnails=False)
    try:
        return Image.open(file, formats=["HEIF"])
    except UnidentifiedImageError as error:
        raise ImageError(f"{name} is a damaged HEIC image", remedy=_REMEDY) from error
