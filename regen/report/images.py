"""Tensors to images that can be looked at: differences, heat maps, sheets, data URIs."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

HEAT = (1.0, 0.1, -0.9)  # orange, in [-1, 1]
SMALL = 200  # images below this side are shown twice as large in a sheet
GAP, LABEL_WIDTH, HEADER_HEIGHT, FONT_SIZE, SMALLEST_FONT = 6, 150, 34, 20, 10
_ROWS = 512  # converted at a time
_GAP = 3  # how much larger than a thumbnail an image is before the last filter
PAPER, INK = (250, 249, 247), (40, 38, 36)
COMPRESSION = 4  # of PNGs, of 9: half the time of the usual 6, for 4 % more bytes


def amplified_difference(a: Tensor, b: Tensor, gain: float) -> Tensor:
    """`gain` times the absolute difference of two batches of images in [-1, 1], black for none.

    Example:
        >>> amplified_difference(torch.zeros(1), torch.tensor([0.25]), gain=4)
        tensor([0.])
    """
    return ((a - b).abs() * gain - 1).clamp(-1, 1)


def heat(images: Tensor, maps: Tensor, regions: Tensor | None = None) -> Tensor:
    """Images in pale grey with `maps` over them in orange and `regions` outlined in white.

    Args:
        images: ``[N, 3, H, W]`` in [-1, 1].
        maps: ``[N, 1, h, w]`` in [0, 1]; enlarged to H, W.
        regions: ``[N, 1, H, W]`` in [0, 1], or None.

    Returns:
        Images ``[N, 3, H, W]`` in [-1, 1].
    """
    grey = 0.6 * images.mean(dim=1, keepdim=True) - 0.1  # [N, 1, H, W]
    size = images.shape[-2:]
    alpha = 0.9 * F.interpolate(maps.float(), size=size, mode="bilinear").clamp(0, 1)
    colour = torch.tensor(HEAT, device=images.device).view(1, 3, 1, 1)
    shown = grey * (1 - alpha) + colour * alpha
    return shown if regions is None else torch.where(_outline(regions), 1.0, shown)


def outlined(images: Tensor, regions: Tensor) -> Tensor:
    """Images with `regions` outlined: a white line with a black one around it, seen on any ground.

    Args:
        images: ``[N, 3, H, W]`` in [-1, 1].
        regions: ``[N, 1, H, W]`` in [0, 1].

    Returns:
        Images ``[N, 3, H, W]`` in [-1, 1].
    """
    width = max(1, round(min(images.shape[-2:]) / 256))
    inside = (regions > 0.5).to(images)
    near = _grown(inside, width)
    shown = torch.where(_grown(near, width) > inside, -1.0, images)
    return torch.where(near > inside, 1.0, shown)


def outlined_thumbnail(image: Tensor, region: Tensor, longest: int = 512) -> Tensor:
    """An image ``[3, h, w]``, no side above `longest`, with its region ``[1, h, w]`` outlined."""
    scale = min(1.0, longest / max(image.shape[1:]))
    size = (max(1, round(scale * image.shape[1])), max(1, round(scale * image.shape[2])))
    small = fitted(image, size)[None], fitted(region, size, margin=0.0)[None]
    return outlined(*small)[0]


def fitted(image: Tensor, size: tuple[int, int], margin: float = 1.0) -> Tensor:
    """An image ``[C, h, w]`` centred in ``[C, *size]``, as large as fits, with a flat margin."""
    scale = min(size[0] / image.shape[1], size[1] / image.shape[2])
    height, width = (max(1, round(scale * side)) for side in image.shape[1:])
    small = F.interpolate(
        image[None].float(), (height, width), mode="bilinear", antialias=True, align_corners=False
    )
    top, left = (size[0] - height) // 2, (size[1] - width) // 2
    edges = (left, size[1] - width - left, top, size[0] - height - top)
    return F.pad(small, edges, value=margin)[0]


def to_image(image: Tensor) -> Image.Image:
    """An image ``[3, H, W]`` in [-1, 1] as an 8 bit RGB image, converted some rows at a time."""
    pixels = torch.empty(*image.shape[1:], 3, dtype=torch.uint8)
    for top in range(0, image.shape[1], _ROWS):
        rows = image[:, top : top + _ROWS].detach().float().cpu().clamp(-1, 1)
        pixels[top : top + _ROWS] = ((rows + 1) * 127.5).round().permute(1, 2, 0)
    return Image.fromarray(pixels.numpy())


def data_uri(image: Tensor, longest: int = 512) -> str:
    """An image ``[3, H, W]`` in [-1, 1] as a PNG inside a URI, no side above `longest` pixels."""
    factor = max(1, max(image.shape[1:]) // (longest * _GAP))
    thumbnail = to_image(image if factor == 1 else F.avg_pool2d(image[None].float(), factor)[0])
    thumbnail.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    return _uri(thumbnail, "png")


def contact_sheet_uri(images: Tensor, columns: int = 8) -> str:
    """All of `images`, ``[N, 3, H, W]`` in [-1, 1], side by side as one JPEG inside a URI."""
    n, _, height, width = images.shape
    sheet = Image.new("RGB", (columns * width, -(-n // columns) * height), PAPER)
    for i, image in enumerate(images):
        sheet.paste(to_image(image), (i % columns * width, i // columns * height))
    return _uri(sheet, "jpeg")


def draw_sheet(rows: Sequence[tuple[str, Tensor]], columns: Sequence[str]) -> Image.Image:
    """Labelled rows and columns of images as one image.

    Args:
        rows: A label and images ``[n, 3, H, W]`` in [-1, 1] each, all of one shape.
        columns: n labels; set smaller where one is wider than its column, and then shortened.

    Returns:
        An RGB image; images with a side below 200 pixels are shown twice as large.
    """
    height, width = (_shown(side, min(rows[0][1].shape[-2:])) for side in rows[0][1].shape[-2:])
    size = (
        LABEL_WIDTH + len(columns) * (width + GAP),
        HEADER_HEIGHT + len(rows) * (height + GAP),
    )
    sheet = Image.new("RGB", size, PAPER)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(FONT_SIZE)
    fitting = _font_for(columns, width)
    for j, label in enumerate(columns):
        at = (LABEL_WIDTH + j * (width + GAP) + width / 2, HEADER_HEIGHT / 2)
        draw.text(at, _shortened(label, fitting, width), INK, fitting, anchor="mm")
    for i, (label, images) in enumerate(rows):
        top = HEADER_HEIGHT + i * (height + GAP)
        draw.text((LABEL_WIDTH - 12, top + height / 2), label, INK, font, anchor="rm")
        for j, image in enumerate(images):
            tile = to_image(image).resize((width, height), Image.Resampling.LANCZOS)
            sheet.paste(tile, (LABEL_WIDTH + j * (width + GAP), top))
    return sheet


def _font_for(labels: Sequence[str], width: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The usual font, or as small a one as the widest label needs."""
    usual = ImageFont.load_default(FONT_SIZE)
    widest = max((usual.getlength(label) for label in labels), default=0)
    if widest <= width:
        return usual
    return ImageFont.load_default(max(SMALLEST_FONT, FONT_SIZE * width / widest))


def _shortened(label: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int) -> str:
    """The label, or as much of its start as fits."""
    if font.getlength(label) <= width:
        return label
    while label and font.getlength(f"{label}...") > width:
        label = label[:-1]
    return f"{label}..."


def _outline(regions: Tensor) -> Tensor:
    """The pixels just outside of each region, as booleans ``[N, 1, H, W]``."""
    inside = (regions > 0.5).float()
    return _grown(inside, 1) > inside


def _grown(masks: Tensor, pixels: int) -> Tensor:
    return F.max_pool2d(masks, 2 * pixels + 1, stride=1, padding=pixels)


def _shown(side: int, smallest: int) -> int:
    return 2 * side if smallest < SMALL else side


def _uri(image: Image.Image, kind: str) -> str:
    with io.BytesIO() as buffer:
        if kind == "png":
            image.save(buffer, "PNG", compress_level=COMPRESSION)
        else:
            image.save(buffer, "JPEG", quality=92, subsampling=0)
        return f"data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode()}"
