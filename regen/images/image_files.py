"""Images from files and into files.

Inside the package an image is float32 ``[N, 3, H, W]`` in [-1, 1], red first, and a mask is
float32 ``[1, 1, H, W]`` in [0, 1]. A *source* is a path, the bytes of a file, or a data URI. Any
format that Pillow reads will do: the EXIF rotation is applied, the first frame of several is taken,
transparent pixels are laid over a background, and 16 bits are scaled as 16 bits.
"""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import pad

from regen.errors import ImageError
from regen.files.atomic import write_bytes
from regen.images.decoding import Source, decode

Fit = Literal["cover", "contain", "stretch"]
Colour = tuple[float, float, float]

WHITE: Colour = (1.0, 1.0, 1.0)
_MAX_SIDE = 16_384
_FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}


def load_image(
    source: Source,
    *,
    size: int | tuple[int, int] | None = None,
    fit: Fit = "cover",
    background: Colour = WHITE,
) -> Tensor:
    """Read an image, and resize it if asked to, with a filter that does not alias.

    Args:
        source: Path, bytes or data URI.
        size: Side of a square, or (height, width), in pixels. None keeps the image's own.
        fit: "cover" fills the size and cuts off what sticks out, "contain" shows all and fills up
            with the background, "stretch" distorts.
        background: Red, green, blue in [-1, 1], behind transparent pixels and around "contain".

    Returns:
        ``[1, 3, H, W]`` in [-1, 1].

    Raises:
        ImageError: If the image cannot be read or has too many pixels, or `size` is not valid.
    """
    height, width = _checked_size(size)
    image = _flatten(decode(source), background)
    if size is None:
        return _to_tensor(image)
    resized = _to_tensor(_resize(image, height, width, fit))
    top, left = (height - resized.shape[2]) // 2, (width - resized.shape[3]) // 2
    canvas = torch.tensor(background).view(1, 3, 1, 1).repeat(1, 1, height, width)
    canvas[:, :, top : top + resized.shape[2], left : left + resized.shape[3]] = resized
    return canvas


def load_mask(source: Source) -> Tensor:
    """Read an image as a mask: its alpha channel if any pixel is transparent, else its luminance.

    Returns:
        ``[1, 1, H, W]`` in [0, 1].

    Raises:
        ImageError: As for `load_image`.
    """
    image = decode(source)
    if image.mode == "F":
        return torch.from_numpy(np.array(image))[None, None]
    grey = image.convert("L")
    if image.mode == "RGBA" and image.getchannel("A").getextrema() != (255, 255):
        grey = image.getchannel("A")
    return torch.from_numpy(np.asarray(grey, np.float32) / 255)[None, None]


def to_uint8(image: Tensor) -> Tensor:
    """From [-1, 1] to whole numbers from 0 to 255 (uint8), rounded and clipped; shape unchanged."""
    scaled = torch.nan_to_num(image.detach().float(), nan=-1.0).add(1).mul(127.5)
    return scaled.round().clamp(0, 255).to(torch.uint8)


def encode_png(image: Tensor) -> bytes:
    """An image ``[1, 3, H, W]`` or ``[3, H, W]`` in [-1, 1] as the bytes of a PNG file."""
    return _encode(image, "PNG")


def mask_to_png(mask: Tensor) -> bytes:
    """A mask ``[1, 1, H, W]`` in [0, 1] as the bytes of a grey PNG file."""
    return _encode(mask * 2 - 1, "PNG")


def save_image(path: Path | str, image: Tensor) -> None:
    """Write an image as PNG, JPEG or WebP, by the suffix of `path`; all or nothing.

    Args:
        path: Ends in .png, .jpg, .jpeg or .webp. Its folder must exist.
        image: ``[1, 3, H, W]`` or ``[3, H, W]``, of which [-1, 1] is kept.

    Raises:
        ImageError: If the suffix is none of those, or `image` is not one image.
        StoreError: If the file cannot be written.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in _FORMATS:
        raise ImageError(f"{path}: suffix", got=repr(suffix), expected=", ".join(_FORMATS))
    write_bytes(path, _encode(image, _FORMATS[suffix]))


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


def _checked_size(size: int | tuple[int, int] | None) -> tuple[int, int]:
    square = 1 if size is None else size
    sides = square if isinstance(square, tuple) else (square, square)
    valid = [type(side) is int and 1 <= side <= _MAX_SIDE for side in sides]
    if len(sides) != 2 or not all(valid):
        raise ImageError("image size", got=size, expected=f"1 to {_MAX_SIDE} pixels a side")
    return sides[0], sides[1]


def _flatten(image: Image.Image, background: Colour) -> Image.Image:
    """Without transparency: mode RGB, or F with grey from 0 to 255 where 8 bits would lose some."""
    if len(background) != 3 or not all(-1 <= part <= 1 for part in background):
        raise ImageError("background", got=background, expected="three numbers from -1 to 1")
    if image.mode == "F":
        return Image.fromarray(np.asarray(image) * np.float32(255))
    if image.mode == "RGB":
        return image
    red, green, blue = (round((part + 1) * 127.5) for part in background)
    flat = Image.new("RGB", image.size, (red, green, blue))
    flat.paste(image, mask=image.getchannel("A"))
    return flat


def _resize(image: Image.Image, height: int, width: int, fit: Fit) -> Image.Image:
    scales = width / image.width, height / image.height
    box = (0.0, 0.0, float(image.width), float(image.height))
    if fit == "contain":
        width = max(1, round(image.width * min(scales)))
        height = max(1, round(image.height * min(scales)))
    elif fit == "cover":
        cut_x = max(0.0, image.width - width / max(scales)) / 2
        cut_y = max(0.0, image.height - height / max(scales)) / 2
        box = (cut_x, cut_y, image.width - cut_x, image.height - cut_y)
    elif fit != "stretch":
        raise ImageError("fit", got=fit, expected="cover, contain or stretch")
    return image.resize((width, height), Image.Resampling.LANCZOS, box, reducing_gap=3.0)


def _to_tensor(image: Image.Image) -> Tensor:
    pixels = np.asarray(image, np.float32) / 127.5 - 1
    planes = pixels[None].repeat(3, 0) if image.mode == "F" else pixels.transpose(2, 0, 1)
    return torch.from_numpy(np.ascontiguousarray(planes)).clamp(-1, 1)[None]


def _encode(image: Tensor, format: str) -> bytes:
    single = image[0] if image.dim() == 4 and image.shape[0] == 1 else image
    if single.dim() != 3 or single.shape[0] not in (1, 3) or single.numel() == 0:
        raise ImageError("image to write", got=list(image.shape), expected="[1, 3, H, W]")
    pixels = to_uint8(single).permute(1, 2, 0).cpu().numpy()
    file = io.BytesIO()
    grey = single.shape[0] == 1
    Image.fromarray(pixels[:, :, 0] if grey else pixels).save(file, format, quality=95)
    return file.getvalue()
