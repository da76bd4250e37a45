"""The PNG beside each table: labelled rows of images, and distributions of features.

Nothing here knows what the images show. Lengths are pixels of the sheet.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from regen.files.atomic import write_bytes
from regen.images.display import to_pil
from regen.images.labels import INK
from regen.images.sheets import PAPER

GAP, GROUP_GAP, FONT_SIZE, HEADER = 3, 12, 13, 24
GREY, BLUE = (203, 199, 193), (32, 96, 168)


@dataclass(frozen=True)
class ImageRow:
    """A row of images.

    Attributes:
        label: Stands to the left, over as many lines as it has.
        groups: Batches ``[n, 3, R, R]`` in [-1, 1], set apart from one another; None leaves a
            column group empty.
    """

    label: str
    groups: Sequence[Tensor | None]


def image_sheet(
    rows: Sequence[ImageRow], headings: Sequence[str], counts: Sequence[int], side: int = 96
) -> Image.Image:
    """Rows of images with labels at the left and a heading over each group of columns.

    Args:
        rows: From top to bottom.
        headings: One for each group.
        counts: Images in each group.
        side: Of one image.
    """
    font = ImageFont.load_default(FONT_SIZE)
    left = 16 + max(int(font.getlength(line)) for row in rows for line in row.label.split("\n"))
    starts = [left]
    for count in counts:
        starts.append(starts[-1] + count * (side + GAP) + GROUP_GAP)
    sheet = Image.new("RGB", (starts[-1], HEADER + len(rows) * (side + GAP)), PAPER)
    draw = ImageDraw.Draw(sheet)
    for heading, start in zip(headings, starts, strict=False):
        draw.text((start, HEADER / 2), heading, INK, font, anchor="lm")
    for i, row in enumerate(rows):
        top = HEADER + i * (side + GAP)
        draw.multiline_text((left - 8, top + side / 2), row.label, INK, font, "rm", align="right")
        for group, start, count in zip(row.groups, starts, counts, strict=False):
            for j, image in enumerate([] if group is None else group[:count]):
                tile = to_pil(image).resize((side, side), Image.Resampling.LANCZOS)
                sheet.paste(tile, (start + j * (side + GAP), top))
    return sheet


@dataclass(frozen=True)
class Distribution:
    """Two distributions to compare in one panel.

    Attributes:
        label: Over the panel; the second line is the caption.
        true: Shares ``[bins]`` of the reference.
        other: Shares ``[bins]`` of what is compared with it.
    """

    label: str
    true: Tensor
    other: Tensor


def histogram(values: Tensor, low: float, high: float, bins: int = 120) -> Tensor:
    """Shares ``[bins]`` of values between low and high; what lies beyond counts in the end bins.

    Example:
        >>> histogram(torch.tensor([0.1, 0.2, 0.9, 7.0]), 0, 1, bins=2).tolist()
        [0.5, 0.5]
    """
    counts = torch.histc(values.float().clamp(low, high), bins, low, high)
    return counts / counts.sum().clamp_min(1)


def distribution_panels(
    panels: Sequence[Distribution], width: int, columns: int = 4, height: int = 120
) -> Image.Image:
    """Panels in rows: the true distribution filled in grey, the other as a blue line.

    The vertical axis is logarithmic over four decades: what adversarial training changes is
    found in the tails.
    """
    font = ImageFont.load_default(FONT_SIZE)
    rows = -(-len(panels) // columns)
    cell, top = width // columns, 2 * FONT_SIZE + 12
    sheet = Image.new("RGB", (width, rows * (height + top + 10)), PAPER)
    draw = ImageDraw.Draw(sheet)
    for i, panel in enumerate(panels):
        x0, y0 = 8 + i % columns * cell, i // columns * (height + top + 10) + 4
        base, across = y0 + top + height, cell - 24
        draw.multiline_text((x0, y0), panel.label, INK, font)
        true = _points(panel.true, x0, base, across, height)
        draw.polygon([(x0, base), *true, (x0 + across, base)], fill=GREY)
        draw.line(_points(panel.other, x0, base, across, height), fill=BLUE, width=2)
        draw.line([(x0, base), (x0 + across, base)], fill=INK)
    return sheet


def _points(
    shares: Tensor, x0: float, base: float, across: float, height: float
) -> list[tuple[float, float]]:
    """Corners of a curve whose largest possible share, 1, stands four decades above its foot."""
    peak = 0.2  # no bin of a hundred holds more, save for values that are constant
    heights = (1 + (shares / peak).clamp(1e-4, 1).log10() / 4) * height
    step = across / max(len(shares) - 1, 1)
    return [(x0 + i * step, base - h) for i, h in enumerate(heights.tolist())]


def stacked(images: Sequence[Image.Image]) -> Image.Image:
    """Images one below the other."""
    size = max(image.width for image in images), sum(image.height for image in images)
    sheet, top = Image.new("RGB", size, PAPER), 0
    for image in images:
        sheet.paste(image, (0, top))
        top += image.height
    return sheet


def save_png(path: Path, image: Image.Image) -> None:
    """Write an image, whole or not at all. Raises StoreError."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    write_bytes(path, buffer.getvalue())
