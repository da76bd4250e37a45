"""Decode image files of any kind safely.

A *source* is a path, the bytes of an image file, or a data URI. The result is the first frame,
upright, in one of three Pillow modes: RGB, RGBA, or F (grey from 0 to 1) for grey of more than
eight bits. Whatever is wrong with a file becomes an `ImageError`, and an implausibly large image is
refused from its header, before any pixel is decoded.
"""

from __future__ import annotations

import base64
import binascii
import io
import warnings
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from regen.errors import ImageError

Source = Path | str | bytes

MAX_PIXELS = 175_000_000  # just below the number at which Pillow itself refuses
_EMBEDDED = "the embedded image"


def decode(source: Source) -> Image.Image:
    """The first frame of an image, upright, in mode RGB, RGBA or F (grey in [0, 1]).

    Raises:
        ImageError: If it is missing, empty, not an image, damaged, or above `MAX_PIXELS`.
    """
    name = _name(source)
    with _open(source, name) as file:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return _decode(file, name)
        except ImageError:
            raise
        except Image.DecompressionBombError as error:
            pixels = str(error).partition("(")[2].partition(")")[0]
            raise _too_large(name, pixels or "more") from error
        except UnidentifiedImageError as error:
            raise ImageError(
                f"{name} is not an image in a known format", remedy="save it as PNG or JPEG"
            ) from error
        except Exception as error:  # a broken file makes Pillow raise nearly anything
            raise ImageError(
                f"{name} cannot be decoded, it may be damaged or cut short: {error}",
                remedy="copy it again, or save it as PNG or JPEG",
            ) from error


def data_uri(source: Source) -> str:
    """The image's own file as a data URI, itself a source. Errors are those of `decode`."""
    decode(source)
    with _open(source, _name(source)) as file:
        data = file.read()
    with Image.open(io.BytesIO(data)) as image:
        kind = Image.MIME.get(image.format or "", "application/octet-stream")
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def _name(source: Source) -> str:
    embedded = isinstance(source, bytes) or str(source).startswith("data:")
    return _EMBEDDED if embedded else str(source)


def _open(source: Source, name: str) -> BinaryIO:
    if name is _EMBEDDED:
        data = source if isinstance(source, bytes) else _read_data_uri(str(source))
        empty = not data
    else:
        path = Path(name)
        if not path.exists():
            raise ImageError(f"{name} does not exist", remedy="check the path")
        if not path.is_file():
            kind = "a folder" if path.is_dir() else "not a file"
            raise ImageError(f"{name} is {kind}", expected="an image")
        empty = path.stat().st_size == 0
    if empty:
        raise ImageError(f"{name} is empty", expected="an image")
    try:
        return io.BytesIO(data) if name is _EMBEDDED else path.open("rb")
    except OSError as error:
        raise ImageError(f"{name} cannot be read: {error.strerror or error}") from error


def _read_data_uri(uri: str) -> bytes:
    kind, comma, data = uri.partition(",")
    if not comma or not kind.endswith(";base64"):
        start = uri if len(uri) < 40 else uri[:40] + "..."
        raise ImageError(_EMBEDDED, got=start, expected="data:image/png;base64,... or the like")
    try:
        return base64.b64decode("".join(data.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ImageError(f"{_EMBEDDED} is not valid base64: {error}") from error


def _decode(file: BinaryIO, name: str) -> Image.Image:
    with Image.open(file) as image:
        if image.width * image.height > MAX_PIXELS:
            raise _too_large(name, f"{image.width} x {image.height}")
        image.load()
        upright = ImageOps.exif_transpose(image)
    deep = upright.mode.startswith("I") or upright.mode == "F"
    if upright.mode in ("LA", "PA", "La", "RGBA", "RGBa") or "transparency" in upright.info:
        return _deep_with_alpha(upright) if deep else upright.convert("RGBA")
    return Image.fromarray(_deep_grey(upright)) if deep else upright.convert("RGB")


def _too_large(name: str, got: str) -> ImageError:
    expected = f"at most {MAX_PIXELS // 1_000_000} million"
    return ImageError(f"{name} has too many pixels", got=got, expected=expected)


def _deep_grey(image: Image.Image) -> np.ndarray:
    """Grey of 16 or 32 bits, or of floats, as float32 ``[H, W]`` in [0, 1]."""
    grey = np.asarray(image).astype(np.float32)
    top = 65535.0
    if image.mode == "F":
        top = 1.0 if np.nanmax(grey) <= 1 else 255.0
    elif image.mode == "I" and grey.max() > 65535:
        top = 2.0**31 - 1
    scaled: np.ndarray = np.nan_to_num(grey / top).clip(0, 1).astype(np.float32)
    return scaled


def _deep_with_alpha(image: Image.Image) -> Image.Image:
    """Grey with one value that means transparent; rare enough to make do with eight bits."""
    grey = Image.fromarray((_deep_grey(image) * 255).round().astype(np.uint8))
    seen = np.asarray(image) != image.info["transparency"]
    return Image.merge("RGBA", [grey, grey, grey, Image.fromarray(seen.astype(np.uint8) * 255)])
