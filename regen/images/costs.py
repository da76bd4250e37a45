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
_COEFFICIENT_BYTES = 2  # of a sample of a JPEG of several scans


def check_header(image: Image.Image, name: str) -> None:
    """Raise ImageError if no decoder should be asked for so many pixels."""
    size = f"{image.width} x {image.height}"
    if max(image.size) > MAX_SIDE:
        raise ImageError(
            f"{name} is too long", got=size, expected=f"at most {MAX_SIDE} pixels a side"
        )
    if image.width * image.height > MAX_PIXELS:
        raise too_many_pixels(name, size)


def check_cost(
    image: Image.Image,
    name: str,
    *,
    declared: tuple[int, int] | None = None,
    more_bytes: int = 0,
) -> None:
    """Raise ImageError if decoding takes too much memory.

    Args:
        image: Opened, at the size at which it will be decoded.
        name: For the message.
        declared: Its own size, where that is another.
        more_bytes: What the decoder takes beside the usual.
    """
    a_pixel = _MODE_BYTES.get(image.mode, _OTHER_MODES) + _DECODER_BYTES.get(image.format or "", 0)
    needed = image.width * image.height * a_pixel + image.height * _ROW_BYTES + more_bytes
    if needed > MAX_DECODED_BYTES:
        width, height = declared or image.size
        raise ImageError(
            f"{name} takes too much memory to decode",
            got=f"{width} x {height} pixels, {needed / 1e6:.0f} MB",
            expected=f"at most {MAX_DECODED_BYTES / 1e6:.0f} MB",
            remedy="scale it down",
        )


def coefficient_bytes(image: Image.Image) -> int:
    """What a progressive JPEG keeps of its whole size until the last scan; 0 for others.

    Args:
        image: Opened, at its own size.
    """
    if not image.info.get("progressive"):
        return 0
    layers = getattr(image, "layer", None) or [(0, 1, 1, 0)] * 4
    samples = sum(layer[1] * layer[2] for layer in layers)
    largest = max(layer[1] for layer in layers) * max(layer[2] for layer in layers)
    return int(image.width * image.height * samples / largest * _COEFFICIENT_BYTES)


def check_whole(width: int, height: int, name: str, most: int = MAX_WHOLE_PIXELS) -> None:
    """Raise ImageError if an image is too large to be used at its own size."""
    if width * height > most:
        left = "" if most >= MAX_WHOLE_PIXELS else " beside the images before it"
        raise ImageError(
            f"{name} is too large to be used at its own size",
            got=f"{width} x {height}",
            expected=f"at most {most / 1e6:.3g} million pixels{left}",
            remedy="scale it down, and the regions in it",
        )


def too_many_pixels(name: str, got: str) -> ImageError:
    """The error of an image above `MAX_PIXELS`."""
    expected = f"at most {MAX_PIXELS // 1_000_000} million"
    return ImageError(f"{name} has too many pixels", got=got, expected=expected)
