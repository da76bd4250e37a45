"""Images as people see them: limited to what can be shown, in whole numbers, laid out in a grid.

A generator's images leave [-1, 1] by a little, and come on its device in its precision.
"""

from __future__ import annotations

import math

import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import pad

from regen.errors import ImageError

_ROWS = 512  # made whole numbers at a time


def as_shown(images: Tensor) -> Tensor:
    """What is seen of a generator's images: float32 on the CPU, limited to [-1, 1].

    Measures of what people see take these too. The shape is unchanged; there is no gradient.
    """
    return images.detach().float().cpu().clamp(-1, 1)


def to_uint8(image: Tensor) -> Tensor:
    """From [-1, 1] to whole numbers from 0 to 255 (uint8), rounded and clipped; shape unchanged."""
    scaled = torch.nan_to_num(image.detach().float(), nan=-1.0).add(1).mul(127.5)
    return scaled.round().clamp(0, 255).to(torch.uint8)


def to_pil(image: Tensor) -> Image.Image:
    """An image ``[3, H, W]`` in [-1, 1] in 8 bits, RGB; ``[1, H, W]`` in grey."""
    channels, height, width = image.shape
    pixels = torch.empty(height, width, channels, dtype=torch.uint8)
    for top in range(0, height, _ROWS):
        pixels[top : top + _ROWS] = to_uint8(image[:, top : top + _ROWS]).permute(1, 2, 0)
    return Image.fromarray((pixels[..., 0] if channels == 1 else pixels).numpy())


def grid(images: Tensor, columns: int, padding: int = 2) -> Tensor:
    """Lay images out row by row on white.

    Args:
        images: ``[N, 3, H, W]`` in [-1, 1].
        columns: How many side by side, at least 1.
        padding: Pixels between images; none around them.

    Returns:
        ``[1, 3, rows * (H + padding) - padding, columns * (W + padding) - padding]``.

    Raises:
        ImageError: If there is no image, or no column.
    """
    if images.dim() != 4 or len(images) == 0 or columns < 1:
        got = f"{list(images.shape)} in {columns} columns"
        raise ImageError("grid of images", got=got, expected="[N, 3, H, W] with N from 1")
    count, channels, height, width = images.shape
    columns = min(columns, count)
    rows = math.ceil(count / columns)
    missing = images.new_ones(rows * columns - count, channels, height, width)
    cells = pad(torch.cat([images, missing]), (0, padding, 0, padding), value=1.0)
    cells = cells.unflatten(0, (rows, columns)).permute(2, 0, 3, 1, 4)  # [3, rows, H, columns, W]
    sheet = cells.flatten(3).flatten(1, 2)[None]
    cropped: Tensor = sheet[:, :, : sheet.shape[2] - padding, : sheet.shape[3] - padding]
    return cropped
