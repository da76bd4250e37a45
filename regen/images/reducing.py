"""A large image made smaller strip by strip, so that it is never converted as a whole.

What is thrown away would be thrown away by the resizing that follows: what is cut off, and detail
finer than a third of a pixel of the result.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from PIL import Image

from regen.images.levels import normalised, strips

Fit = Literal["cover", "contain", "stretch"]
Box = tuple[int, int, int, int]

_GAP = 3  # how much larger than wanted an image remains, so that the last filter decides


@dataclass(frozen=True)
class Wanted:
    """What an image will be resized to.

    Attributes:
        width: In pixels, from 1.
        height: In pixels, from 1.
        fit: As for `regen.images.load_image`.
    """

    width: int
    height: int
    fit: Fit

    def turned(self) -> Wanted:
        """The same for an image that lies on its side."""
        return Wanted(self.height, self.width, self.fit)

    def box(self, width: int, height: int) -> Box:
        """The part of an image of so many pixels that is not cut off: left, top, right, bottom."""
        if self.fit != "cover":
            return 0, 0, width, height
        scale = max(self.width / width, self.height / height)
        left = int(max(0.0, width - self.width / scale) / 2)
        top = int(max(0.0, height - self.height / scale) / 2)
        return left, top, width - left, height - top

    def factors(self, width: int, height: int) -> tuple[int, int]:
        """By which whole numbers a part of so many pixels may be reduced, from 1."""
        x, y = width / self.width / _GAP, height / self.height / _GAP
        if self.fit == "contain":
            x = y = max(x, y)
        elif self.fit == "cover":
            x = y = min(x, y)
        return max(1, int(x)), max(1, int(y))


def draft_size(size: tuple[int, int], wanted: Wanted) -> tuple[int, int]:
    """At least how large, in width and height, a JPEG of this size should be decoded."""
    left, top, right, bottom = wanted.box(*size)
    x, y = wanted.factors(right - left, bottom - top)
    return max(1, size[0] // x), max(1, size[1] // y)


def reduced(image: Image.Image, white: float, wanted: Wanted) -> Image.Image:
    """What is needed of an image, in mode RGB, RGBA or F (grey in [0, 1]).

    Args:
        image: Decoded, as it is stored.
        white: Its white level, see `regen.images.levels`.
        wanted: What it will be resized to.
    """
    left, top, right, bottom = wanted.box(*image.size)
    factors = wanted.factors(right - left, bottom - top)
    left, right = _trimmed(left, right, factors[0])
    top, bottom = _trimmed(top, bottom, factors[1])
    box = left, top, right, bottom
    pieces = [normalised(s, white).reduce(factors) for s in strips(image, box, factors[1])]
    whole = Image.new(pieces[0].mode, (pieces[0].width, sum(piece.height for piece in pieces)))
    top = 0
    for piece in pieces:
        whole.paste(piece, (0, top))
        top += piece.height
    return whole


def _trimmed(first: int, last: int, factor: int) -> tuple[int, int]:
    """The range without what is left over when it is divided by the factor, from both sides."""
    over = (last - first) % factor if last - first >= factor else 0
    return first + over // 2, last - (over - over // 2)
