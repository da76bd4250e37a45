"""Sheets of images with labels, to look at: rows and columns, or one cell after another."""

from __future__ import annotations

import math
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from regen.files.atomic import atomic_write
from regen.images.display import to_pil
from regen.images.labels import FONT_SIZE, INK, Labels

PAPER = (250, 249, 247)
COMPRESSION = 4  # of PNGs, of 9: half the time of the usual 6, for 4 % more bytes
SMALL = 200  # images below this side are shown twice as large
GAP, LABEL_WIDTH = 6, 150
_ABOVE, _BELOW = 8, 3  # a label
_LEAST_CELL = 64  # pixels of width: room for "seed 12345" in two lines


def draw_sheet(rows: Sequence[tuple[str, Tensor]], columns: Sequence[str]) -> Image.Image:
    """Labelled rows and columns of images as one image.

    Args:
        rows: A label and images ``[n, 3, H, W]`` in [-1, 1] each, all of one shape.
        columns: n labels; see `regen.images.labels` for those that are wider than their column.

    Returns:
        An RGB image; images with a side below 200 pixels are shown twice as large.
    """
    height, width = rows[0][1].shape[-2:]
    scale = _scale(min(height, width))
    height, width = scale * height, scale * width
    labels = Labels(columns, width)
    header = _ABOVE + labels.height + _BELOW
    size = (LABEL_WIDTH + len(columns) * (width + GAP), header + len(rows) * (height + GAP))
    sheet = Image.new("RGB", size, PAPER)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(FONT_SIZE)
    for j in range(len(columns)):
        labels.draw(
            draw, j, LABEL_WIDTH + j * (width + GAP) + width / 2, _ABOVE + labels.height / 2
        )
    for i, (label, images) in enumerate(rows):
        top = header + i * (height + GAP)
        draw.text((LABEL_WIDTH - 12, top + height / 2), label, INK, font, anchor="rm")
        for j, image in enumerate(images):
            tile = _enlarged(to_pil(image), scale)
            sheet.paste(tile, (LABEL_WIDTH + j * (width + GAP), top))
    return sheet


def draw_cells(images: Sequence[Image.Image], labels: Sequence[str], columns: int) -> Image.Image:
    """Images one after another, row by row, each below its label.

    Args:
        images: At least one, of any sizes.
        labels: One each; see `regen.images.labels` for those that are wider than a cell.
        columns: How many side by side, from 1.

    Returns:
        An RGB image. Where a side of all images is below 200 pixels, they are shown twice as large.
    """
    scale = _scale(max(min(image.size) for image in images))
    width = max(_LEAST_CELL, scale * max(image.width for image in images))
    height = scale * max(image.height for image in images)
    written = Labels(labels, width)
    band = _ABOVE + written.height + _BELOW
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    size = (columns * (width + GAP) - GAP, rows * (band + height))
    sheet = Image.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(sheet)
    for i, image in enumerate(images):
        left, top = i % columns * (width + GAP), i // columns * (band + height)
        written.draw(draw, i, left + width / 2, top + _ABOVE + written.height / 2)
        tile = _enlarged(image, scale)
        sheet.paste(tile, (left + (width - tile.width) // 2, top + band))
    return sheet


def usual_columns(count: int) -> int:
    """Columns of so many images: as many as rows or a few more, and at most 16."""
    return min(16, math.ceil(math.sqrt(count)))


def save_sheet(path: Path, sheet: Image.Image) -> None:
    """Write a sheet as a PNG, whole or not at all.

    Raises:
        StoreError: If the file cannot be written.
    """
    encoded = BytesIO()
    sheet.save(encoded, "PNG", compress_level=COMPRESSION)
    with atomic_write(path) as part:
        part.write_bytes(encoded.getvalue())


def _scale(side: int) -> int:
    return 2 if side < SMALL else 1


def _enlarged(image: Image.Image, scale: int) -> Image.Image:
    if scale == 1:
        return image
    return image.resize((scale * image.width, scale * image.height), Image.Resampling.LANCZOS)
