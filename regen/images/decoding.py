"""Decode image files of any kind safely.

A *source* is a path, the bytes of an image file, or a data URI. The result is the first frame,
upright, in one of three Pillow modes: RGB, RGBA, or F (grey from 0 to 1) for grey of more than
eight bits. Whatever is wrong with a file becomes an `ImageError`, and an implausibly large image is
refused from its header, before any pixel is decoded. Of a large image no more is decoded than the
caller needs.
"""

from __future__ import annotations

import base64
import binascii
import io
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, NamedTuple, TypeVar

from PIL import Image

from regen.errors import ImageError
from regen.files.addresses import not_there
from regen.files.limits import LARGE_PIXELS, MAX_SCANNED_PIXELS, MAX_WHOLE_PIXELS
from regen.images.costs import (
    check_cost,
    check_header,
    check_whole,
    coefficient_bytes,
    too_many_pixels,
)
from regen.images.formats import open_image
from regen.images.jpeg import START_OF_SCAN
from regen.images.levels import ImageWarning, has_alpha, normalised, white_of
from regen.images.missing import what_is_missing
from regen.images.quiet import load_quietly
from regen.images.reducing import Wanted, draft_size, reduced

T = TypeVar("T")
Source = Path | str | bytes

_EMBEDDED = "the embedded image"
_LONGEST_NAME = 300
_JPEGS = ("JPEG", "MPO")
_ORIENTATION = 0x0112  # a tag of EXIF
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class Header(NamedTuple):
    """What an image file says of itself.

    Attributes:
        width: In pixels, as stored.
        height: In pixels, as stored.
        mode: Pillow's name of what a pixel is.
        transparent: Whether pixels may be transparent.
        format: Pillow's name of the format.
    """

    width: int
    height: int
    mode: str
    transparent: bool
    format: str


def decode(
    source: Source,
    *,
    wanted: Wanted | None = None,
    name: str | None = None,
    most_pixels: int = MAX_WHOLE_PIXELS,
) -> Image.Image:
    """The first frame of an image, upright, in mode RGB, RGBA or F (grey in [0, 1]).

    Args:
        source: Path, bytes or data URI.
        wanted: What it will be resized to, so that a large image need not be decoded whole: it
            may come smaller than it is, but at least three times as large as wanted, and without
            what will be cut off. None gives the image at its own size.
        name: What messages call it; by default its path.
        most_pixels: Without `wanted`, how many it may have.

    Raises:
        ImageError: If it is missing, empty, not an image, damaged, or too large.
    """
    name = name or name_of(source)
    return _with_file(source, name, lambda file: _decode(file, name, wanted, most_pixels))


def header(source: Source, name: str | None = None) -> Header:
    """What an image says of itself; nothing is decoded. Errors are those of `decode`."""
    name = name or name_of(source)
    return _with_file(source, name, lambda file: _header(file, name))


def orientation_of(source: Source) -> int:
    """Which way is up, as EXIF says, from 1 to 8; 1 is upright. Errors are those of `decode`."""
    name = name_of(source)

    def read(file: BinaryIO) -> int:
        with open_image(file, name) as image:
            check_cost(image, name)
            return _orientation(image)

    return _with_file(source, name, read)


def read_bytes(source: Source) -> bytes:
    """The image's own file. Raises ImageError if it cannot be read; it is not decoded."""
    with _open(source, name_of(source)) as file:
        return file.read()


def name_of(source: Source) -> str:
    """What messages call a source: its path, cut where it is long, or "the embedded image"."""
    embedded = isinstance(source, bytes) or str(source).startswith("data:")
    name = _EMBEDDED if embedded else str(source)
    return name if len(name) <= _LONGEST_NAME else f"{name[:60]}..."


def _with_file(source: Source, name: str, read: Callable[[BinaryIO], T]) -> T:
    """What `read` makes of the open file; whatever Pillow raises becomes an ImageError."""
    with _open(source, name) as file, warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        try:
            result = read(file)
        except ImageError:
            raise
        except Image.DecompressionBombError as error:
            pixels = str(error).partition("(")[2].partition(")")[0]
            raise too_many_pixels(name, pixels or "more") from error
        except Exception as error:  # a broken file makes Pillow raise nearly anything
            raise _undecodable(name, error) from error
    for warning in seen:
        if isinstance(warning.message, ImageWarning):  # Pillow's own are of no use to anybody
            warnings.warn(warning.message, stacklevel=4)
    return result


def _undecodable(name: str, why: object) -> ImageError:
    problem = f"{name} cannot be decoded, it may be damaged or cut short: {why}"
    return ImageError(problem, remedy="copy it again, or save it as PNG or JPEG")


def _open(source: Source, name: str) -> BinaryIO:
    embedded = isinstance(source, bytes) or str(source).startswith("data:")
    if embedded:
        data = source if isinstance(source, bytes) else _read_data_uri(str(source), name)
        if not data:
            raise ImageError(f"{name} is empty", expected="an image")
        return io.BytesIO(data)
    path = Path(str(source))
    try:
        if not path.exists():
            raise not_there(str(source), ImageError, name=name)
        if not path.is_file():
            kind = "a folder" if path.is_dir() else "not a file"
            raise ImageError(f"{name} is {kind}", expected="an image")
        if path.stat().st_size == 0:
            raise ImageError(f"{name} is empty", expected="an image")
        return path.open("rb")
    except OSError as error:
        raise ImageError(f"{name} cannot be read: {error.strerror or error}") from error
    except ValueError as error:  # what no path can have in it
        raise ImageError(f"{name} is not a path: {error}") from error


def _read_data_uri(uri: str, name: str) -> bytes:
    kind, comma, data = uri.partition(",")
    if not comma or not kind.endswith(";base64"):
        start = uri if len(uri) < 40 else uri[:40] + "..."
        raise ImageError(name, got=start, expected="data:image/png;base64,... or the like")
    try:
        return base64.b64decode("".join(data.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ImageError(f"{name} is not valid base64: {error}") from error


def _header(file: BinaryIO, name: str) -> Header:
    with open_image(file, name) as image:
        check_header(image, name)
        transparent = has_alpha(image)
        return Header(image.width, image.height, image.mode, transparent, image.format or "")


def _decode(file: BinaryIO, name: str, wanted: Wanted | None, most_pixels: int) -> Image.Image:
    with open_image(file, name) as image:
        check_header(image, name)
        if wanted is None:
            check_whole(image.width, image.height, name, most_pixels)
        elif image.width * image.height <= LARGE_PIXELS:
            wanted = None
        if image.format in _JPEGS:
            _prepare_jpeg(image, file, name, wanted)
        else:
            check_cost(image, name)
        load_quietly(image)
        missing = what_is_missing(image, file) if image.format in _JPEGS else ""
        if missing:
            raise _undecodable(name, missing)
        white = white_of(image, name)
        orientation = _orientation(image)
        if wanted is None:
            decoded = normalised(image, white)
        else:
            decoded = reduced(image, white, wanted.turned() if orientation > 4 else wanted)
    method = _UPRIGHT.get(orientation)
    return decoded if method is None else decoded.transpose(method)


def _orientation(image: Image.Image) -> int:
    """Which way is up; to know it of a PNG, Pillow decodes it, unless it is decoded already."""
    found = image.getexif().get(_ORIENTATION, 1)
    return found if found in _UPRIGHT else 1


def _prepare_jpeg(image: Image.Image, file: BinaryIO, name: str, wanted: Wanted | None) -> None:
    """Have a JPEG decoded no larger than wanted, and check what that takes.

    Each scan takes as long as a whole image, and may have hardly a byte.
    """
    position, pixels = file.tell(), image.width * image.height
    file.seek(0)
    scans = file.read().count(START_OF_SCAN)
    file.seek(position)
    if scans * pixels > MAX_SCANNED_PIXELS:
        raise ImageError(
            f"{name} takes too long to decode",
            got=f"{image.width} x {image.height} pixels in {scans} scans",
            expected=f"at most {MAX_SCANNED_PIXELS // max(pixels, 1)} scans",
            remedy="save it as PNG, or as a JPEG that is not progressive",
        )
    size, coefficients = image.size, coefficient_bytes(image)
    if wanted is not None:
        turned = wanted.turned() if _orientation(image) > 4 else wanted
        image.draft("RGB", draft_size(size, turned))
    check_cost(image, name, declared=size, more_bytes=coefficients)
