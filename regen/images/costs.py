"""What decoding an image takes, computed from its header before one of its pixels is decoded."""

from __future__ import annotations

from PIL import Image

from regen.errors import ImageError
from regen.files.limits import MAX_DECODED_BYTES, MAX_PIXELS, MAX_SIDE, MAX_WHOLE_PIXELS

_ROW_BYTES = 8
_MODE_BYTES = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2, "I;16L": 2, "I;16N": 2}
_OTHER_MODES = 4
# Bytes a pixel that a format's decoder keeps beside the image itself, at most.
_DECODER_BYTES = {"WEBP": 12, "AVIF": 12, "HEIF": 12, "TIFF": 4, "BMP": 2}
_COEFFICIENT_BYTES = 6  # a JPEG of several scans is kept as coefficients until the last


def check_header(image: Image.Image, name: str) -> None:
    """Raise ImageError if no decoder should be asked for so many pixels."""
    size = f"{image.width} x {image.height}"
    if max(image.size) > MAX_SIDE:
        raise ImageError(
            f"{name} is too long", got=size, expected=f"at most {MAX_SIDE} pixels a side"
        )
    if image.width * image.height > MAX_PIXELS:
        raise too_many_pixels(name, size)


def check_cost(image: Image.Image, name: str, *, coefficients: int = 0) -> None:
    """Raise ImageError if decoding takes too much memory.

    Args:
        image: Opened, at the size at which it will be decoded, which may be less than its own.
        name: For the message.
        coefficients: Pixels of a JPEG of several scans, at its own size; 0 for any other.
    """
    a_pixel = _MODE_BYTES.get(image.mode, _OTHER_MODES) + _DECODER_BYTES.get(image.format or "", 0)
    rows = image.height * _ROW_BYTES
    needed = image.width * image.height * a_pixel + rows + coefficients * _COEFFICIENT_BYTES
    if needed > MAX_DECODED_BYTES:
        raise ImageError(
            f"{name} takes too much memory to decode",
            got=f"{image.width} x {image.height} pixels, {needed / 1e6:.0f} MB",
            expected=f"at most {MAX_DECODED_BYTES / 1e6:.0f} MB",
            remedy="scale it down",
        )


def check_whole(width: int, height: int, name: str, most: int = MAX_WHOLE_PIXELS) -> None:
    """Raise ImageError if an image is too large to be used at its own size."""
    if width * height > most:
        raise ImageError(
            f"{name} is too large to be used at its own size",
            got=f"{width} x {height}",
            expected=f"at most {most / 1e6:.3g} million pixels",
            remedy="scale it down, and the regions in it",
        )


def too_many_pixels(name: str, got: str) -> ImageError:
    """The error of an image above `MAX_PIXELS`."""
    expected = f"at most {MAX_PIXELS // 1_000_000} million"
    return ImageError(f"{name} has too many pixels", got=got, expected=expected)
