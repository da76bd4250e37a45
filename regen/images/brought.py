"""An image that a person brings along, made small enough to work with and free of metadata."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

from regen.images.decoding import Source, decode
from regen.images.reducing import Wanted


@dataclass(frozen=True)
class Brought:
    """An image as it is kept.

    Attributes:
        png: The bytes of a PNG, with transparency where it has any, and without metadata.
        alpha: The bytes of a grey PNG of its transparency, white where it is opaque; empty for an
            image that is opaque everywhere.
    """

    png: bytes
    alpha: bytes = b""


def bring(source: Source, largest: int, *, name: str | None = None) -> Brought:
    """Read an image of any format, upright, reduced where a side is longer than `largest`.

    Args:
        source: Path, bytes or data URI.
        largest: Pixels that a side may have, from 1.
        name: What messages call it.

    Raises:
        ImageError: If it cannot be read, or would cost too much.
    """
    image = decode(source, wanted=Wanted(largest, largest, "contain"), name=name)
    if image.mode == "F":
        image = Image.fromarray((np.asarray(image) * 255).round().astype(np.uint8)).convert("RGB")
    scale = largest / max(image.size)
    if scale < 1:
        size = tuple(max(1, round(side * scale)) for side in image.size)
        image = image.resize((size[0], size[1]), Image.Resampling.LANCZOS)
    if image.mode != "RGBA":
        return Brought(_png(image))
    alpha = image.getchannel("A")
    if alpha.getextrema() == (255, 255):
        return Brought(_png(image.convert("RGB")))
    return Brought(_png(image), _png(alpha))


def _png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.asarray(image)).save(file, "PNG", compress_level=3)  # pixels, nothing else
    return file.getvalue()
