"""Whether pixels are missing from a JPEG that its decoder took for whole.

A JPEG says neither how long it is nor what its sum is. Where it was cut and then closed with an end
mark, as programs do that rescue files or write what they have of one, libjpeg makes the missing
pixels grey, and Pillow keeps its warning to itself. Without an end mark Pillow refuses the file.
"""

from __future__ import annotations

import io
from typing import BinaryIO

from PIL import Image

from regen.errors import ImageError
from regen.images.jpeg import with_filler

_GREY = range(127, 129)  # what missing pixels are, in any of the colours of a JPEG


def is_cut(image: Image.Image, file: BinaryIO) -> bool:
    """Whether the data of a JPEG end before its last block of pixels.

    Only where the last pixel is grey is the file decoded again, at an eighth of its size: as it is,
    and with more data, which change nothing where none are missing. Not seen is what leaves the
    last pixel another colour: a progressive JPEG cut after its first scans, which is only blurred.

    Args:
        image: Decoded, as it is stored, perhaps at a fraction of its size.
        file: What it was decoded from; where it is left does not matter.
    """
    corner = image.getpixel((image.width - 1, image.height - 1))
    if not all(level in _GREY for level in (corner if isinstance(corner, tuple) else (corner,))):
        return False
    file.seek(0)
    data = file.read()
    try:
        longer = with_filler(data)
    except ImageError:  # odd, but Pillow has decoded it
        return False
    return longer != data and _at_an_eighth(longer) != _at_an_eighth(data)


def _at_an_eighth(data: bytes) -> bytes:
    """The pixels of a JPEG at an eighth of its size."""
    with Image.open(io.BytesIO(data), formats=("JPEG",)) as image:
        image.draft("RGB", (1, 1))
        pixels: bytes = image.tobytes()
        return pixels
