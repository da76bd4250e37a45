"""What is missing from a JPEG that its decoder took for whole.

A JPEG says neither how long it is nor what its sum is. Where it was cut and then closed with an end
mark, as programs do that rescue files or write what they have of one, libjpeg makes the missing
pixels grey, blurs them, where the JPEG is progressive, or leaves their colours out, where these
have scans of their own; and Pillow keeps its warnings to itself. Without an end mark Pillow refuses
the file.
"""

from __future__ import annotations

import io
from typing import BinaryIO

from PIL import Image

from regen.errors import ImageError
from regen.images.jpeg import with_filler
from regen.images.scans import bits_left, ends_with_a_part, has_zeros

_GREY = range(127, 129)  # what missing pixels are, in any of the colours of a JPEG
_LAST_BITS = 1  # of a coefficient


def what_is_missing(image: Image.Image, file: BinaryIO) -> str:
    """Why the pixels of a JPEG are not all its own, or "" where they are.

    Not seen is a progressive JPEG that was cut in its very last scan of last bits, or lacks these
    alone: there are whole files that leave them out, and it hardly shows. Nor is it seen where data
    became zeros that may be those of a flat image, or where only the last block of pixels was cut.

    Args:
        image: Decoded, as it is stored, perhaps at a fraction of its size.
        file: What it was decoded from; where it is left does not matter.
    """
    file.seek(0)
    data = file.read()
    try:
        if _is_blurred(data):
            blurred = bool(image.info.get("progressive"))
            without = "without which it is blurred" if blurred else "and some of its colours"
            return f"its last scans are missing, {without}"
        if has_zeros(data):
            return "a part of its data has become zeros"
        cut = _goes_on(data, 2) if ends_with_a_part(data) else _ends_grey(image, data)
        return "its data end before its last pixel" if cut else ""
    except ImageError:  # odd, but Pillow has decoded it
        return ""


def _is_blurred(data: bytes) -> bool:
    """Whether a JPEG has not sent all but the last bits of its numbers.

    Where these alone are left, the scan that has sent those before them may have been cut.
    """
    left = bits_left(data)
    return left > _LAST_BITS or (left > 0 and _goes_on(data, 2))


def _ends_grey(image: Image.Image, data: bytes) -> bool:
    """Whether the data end before the last block of pixels; only a grey one is looked into."""
    corner = image.getpixel((image.width - 1, image.height - 1))
    levels = corner if isinstance(corner, tuple) else (corner,)
    return all(level in _GREY for level in levels) and _goes_on(data, 8)


def _goes_on(data: bytes, fraction: int) -> bool:
    """Whether pixels change where more data follow the last scan, since that was cut.

    Args:
        data: The file, which is decoded twice.
        fraction: Of its size, at which it is decoded.
    """
    longer = with_filler(data)
    return longer != data and _pixels(longer, fraction) != _pixels(data, fraction)


def _pixels(data: bytes, fraction: int) -> bytes:
    """The pixels of a JPEG at a fraction of its size: 2, 4 or 8."""
    with Image.open(io.BytesIO(data), formats=("JPEG",)) as image:
        width, height = (max(1, side // fraction) for side in image.size)
        image.draft("RGB", (width, height))
        pixels: bytes = image.tobytes()
        return pixels
