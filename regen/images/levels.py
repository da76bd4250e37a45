"""From whatever levels an image has to eight bits, or to grey in [0, 1].

Grey of 32 bits does not say which level is white. The rule: white is the smallest of 1, 255 and
65535 (for integers: 255, 65535 and 2**31 - 1) at or below which are nine tenths of the pixels above
0. Levels above white are clipped, those below 0 and "not a number" are black; infinity is refused.
Grey of 16 bits is what its name says: white is 65535.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np
from PIL import Image

from regen.errors import ImageError
from regen.files.limits import STRIP_PIXELS

_SHARE = 0.9
_WHITES = {"F": (1.0, 255.0, 65535.0), "I": (255.0, 65535.0, 2.0**31 - 1)}
_DARKEST = 0.05  # of white: an image that has no brighter pixel was probably not meant like that
_MANY_CLIPPED = 0.01
_WITH_ALPHA = ("LA", "PA", "La", "RGBA", "RGBa")


class ImageWarning(UserWarning):
    """What the user of an image should know of how it was read."""


def is_deep(image: Image.Image) -> bool:
    """Whether it is grey of more than eight bits."""
    return image.mode.startswith("I") or image.mode == "F"


def has_alpha(image: Image.Image) -> bool:
    """Whether any of its pixels may be transparent."""
    return image.mode in _WITH_ALPHA or "transparency" in image.info


def white_of(image: Image.Image, name: str) -> float:
    """The level of an image that is white, by the rule above; warns where that may be wrong.

    Raises:
        ImageError: If a level is infinite.
    """
    if not is_deep(image):
        return 255.0
    of_16_bits = image.mode not in _WHITES or image.format == "PNG"  # as older Pillows open it
    whites = (65535.0,) if of_16_bits else _WHITES[image.mode]
    counts, above_0, largest, numbers = np.zeros(len(whites)), 0, 0.0, 0
    for rows in strips(image):
        levels = np.asarray(rows)
        if np.isinf(levels).any():
            raise ImageError(
                f"{name} has pixels that are infinite",
                remedy="save it with levels from 0 to 1, or as PNG",
            )
        numbers += levels.size - int(np.isnan(levels).sum())
        above_0 += int((levels > 0).sum())
        counts += [((levels > 0) & (levels <= white)).sum() for white in whites]
        largest = max(largest, float(np.nanmax(levels, initial=0)))
    enough = counts >= _SHARE * above_0
    index = int(enough.argmax()) if enough.any() else len(whites) - 1
    clipped = 1 - counts[index] / above_0 if above_0 else 0
    _warn(name, whites[index], largest, clipped, 1 - numbers / (image.width * image.height))
    return whites[index]


def _warn(name: str, white: float, largest: float, clipped: float, missing: float) -> None:
    if missing > _MANY_CLIPPED:
        warnings.warn(
            f"{name}: {missing:.0%} of its pixels are not a number, which is read as black",
            ImageWarning,
            stacklevel=2,
        )
    if 0 < largest < _DARKEST * white:
        warnings.warn(
            f"{name} is nearly black: its brightest pixel is {largest:g}, where {white:g} is white",
            ImageWarning,
            stacklevel=2,
        )
    if clipped > _MANY_CLIPPED:
        warnings.warn(
            f"{name}: {clipped:.0%} of its pixels are above {white:g}, which is read as white",
            ImageWarning,
            stacklevel=2,
        )


def normalised(image: Image.Image, white: float) -> Image.Image:
    """The image in mode RGB, RGBA, or F (grey in [0, 1])."""
    if not is_deep(image):
        mode = "RGBA" if has_alpha(image) else "RGB"
        return image if image.mode == mode else image.convert(mode)
    grey = np.nan_to_num(np.asarray(image).astype(np.float32) / np.float32(white)).clip(0, 1)
    if "transparency" not in image.info:
        return Image.fromarray(grey)
    # one value that means transparent; rare enough to make do with eight bits
    level = Image.fromarray((grey * 255).round().astype(np.uint8))
    seen = np.asarray(image) != image.info["transparency"]
    return Image.merge("RGBA", [level, level, level, Image.fromarray(seen.astype(np.uint8) * 255)])


def strips(
    image: Image.Image, box: tuple[int, int, int, int] | None = None, multiple: int = 1
) -> Iterator[Image.Image]:
    """An image from top to bottom in pieces of a few million pixels.

    Args:
        image: Decoded.
        box: Left, top, right and bottom of the part to take, by default all.
        multiple: The pieces' heights are multiples of this, but for that of the last.
    """
    left, first, right, last = box or (0, 0, *image.size)
    rows = max(1, STRIP_PIXELS // ((right - left) * multiple)) * multiple
    for top in range(first, last, rows):
        yield image.crop((left, top, right, min(top + rows, last)))
