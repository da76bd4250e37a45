"""Tensors to images that can be looked at: differences, heat maps, outlines, data URIs."""

from __future__ import annotations

import base64
import io

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from regen.images.display import to_pil
from regen.images.sheets import COMPRESSION, PAPER

HEAT = (1.0, 0.1, -0.9)  # orange, in [-1, 1]
_GAP = 3  # how much larger than a thumbnail an image is before the last filter


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


def data_uri(image: Tensor, longest: int = 512) -> str:
    """An image ``[3, H, W]`` in [-1, 1] as a PNG inside a URI, no side above `longest` pixels."""
    factor = max(1, max(image.shape[1:]) // (longest * _GAP))
    thumbnail = to_pil(image if factor == 1 else F.avg_pool2d(image[None].float(), factor)[0])
    thumbnail.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    return _uri(thumbnail, "png")


def contact_sheet_uri(images: Tensor, columns: int = 8) -> str:
    """All of `images`, ``[N, 3, H, W]`` in [-1, 1], side by side as one JPEG inside a URI."""
    n, _, height, width = images.shape
    sheet = Image.new("RGB", (columns * width, -(-n // columns) * height), PAPER)
    for i, image in enumerate(images):
        sheet.paste(to_pil(image), (i % columns * width, i // columns * height))
    return _uri(sheet, "jpeg")


def _outline(regions: Tensor) -> Tensor:
    """The pixels just outside of each region, as booleans ``[N, 1, H, W]``."""
    inside = (regions > 0.5).float()
    return _grown(inside, 1) > inside


def _grown(masks: Tensor, pixels: int) -> Tensor:
    return F.max_pool2d(masks, 2 * pixels + 1, stride=1, padding=pixels)


def _uri(image: Image.Image, kind: str) -> str:
    with io.BytesIO() as buffer:
        if kind == "png":
            image.save(buffer, "PNG", compress_level=COMPRESSION)
        else:
            image.save(buffer, "JPEG", quality=92, subsampling=0)
        return f"data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode()}"
