"""The first picture of the README, from the sheets of the ladders.

    python -m experiments.poster experiments/results docs/demo.jpg

Eight unseen samples, chosen to differ in hair and skin and not by how well they came out; below
each of them the same with cat eyes, with sunglasses and with a clown's nose.
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image

PATTERNS = ("cat_eyes", "sunglasses", "red_nose")
PLACES = ((6, 5), (0, 6), (0, 1), (0, 5), (4, 2), (4, 7), (0, 7), (4, 5))  # row before, column
_TILE, _GAP = 256, 2  # of a sheet, in pixels
_SIDE, _SPACE = 192, 3  # of the picture


def tile(sheet: Image.Image, row: int, column: int) -> Image.Image:
    """One image of a sheet, at the picture's size."""
    left, top = column * (_TILE + _GAP), row * (_TILE + _GAP)
    part = sheet.crop((left, top, left + _TILE, top + _TILE))
    return part.resize((_SIDE, _SIDE), Image.Resampling.LANCZOS)


def poster(sheets: list[Image.Image]) -> Image.Image:
    """The picture from one sheet for each pattern: a row before, a row after, in turns."""
    step = _SIDE + _SPACE
    size = len(PLACES) * step - _SPACE, (len(sheets) + 1) * step - _SPACE
    picture = Image.new("RGB", size, "white")
    for x, (row, column) in enumerate(PLACES):
        tiles = [tile(sheets[0], row, column)]
        tiles += [tile(sheet, row + 1, column) for sheet in sheets]
        for y, one in enumerate(tiles):
            picture.paste(one, (x * step, y * step))
    return picture


if __name__ == "__main__":
    folder, to = Path(sys.argv[1]), Path(sys.argv[2])
    names = [folder / f"ladder_{pattern}.jpg" for pattern in PATTERNS]
    poster([Image.open(name).convert("RGB") for name in names]).save(to, quality=90)
