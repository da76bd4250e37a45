"""Images from files and into files.

Inside the package an image is float32 ``[N, 3, H, W]`` in [-1, 1], red first, and a mask is
float32 ``[1, 1, H, W]`` in [0, 1]. A *source* is a path, the bytes of a file, or a data URI, in one
of the formats of `regen.images.formats`. The EXIF rotation is applied, the first frame of several
is taken, transparent pixels are laid over a background, and levels are scaled by the rule of
`regen.images.levels`.
"""

from __future__ import annotations

import io
import math
import warnings
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from regen.errors import ImageError
from regen.files.atomic import write_bytes
from regen.files.limits import MAX_WHOLE_PIXELS
from regen.images.decoding import Source, decode, header, name_of
from regen.images.display import to_pil
from regen.images.levels import ImageWarning
from regen.images.reducing import Fit, Wanted
from regen.numbers import plain

Colour = tuple[float, float, float]

WHITE: Colour = (1.0, 1.0, 1.0)
_MAX_SIDE = 16_384
_CLASS_1 = (1 / 255, 1 / 65535)  # what the label 1 is where 255 or 65535 is white
_FAINT = 0.05  # what no mask should be below everywhere
_ROWS = 512  # that are made floats at a time
_LARGEST = {"JPEG": 65_500, "WEBP": 16_383}  # pixels of a side that a format has room for
_FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}


def load_image(
    source: Source,
    *,
    size: int | tuple[int, int] | None = None,
    fit: Fit = "cover",
    background: Colour = WHITE,
    name: str | None = None,
    most_pixels: int = MAX_WHOLE_PIXELS,
) -> Tensor:
    """Read an image, and resize it if asked to, with a filter that does not alias.

    Args:
        source: Path, bytes or data URI.
        size: Side of a square, or (height, width), in pixels. None keeps the image's own.
        fit: "cover" fills the size and cuts off what sticks out, "contain" shows all and fills up
            with the background, "stretch" distorts.
        background: Red, green, blue in [-1, 1], behind transparent pixels and around "contain".
        name: What messages call it; by default its path.
        most_pixels: Where it is not resized, how many it may have.

    Returns:
        ``[1, 3, H, W]`` in [-1, 1].

    Raises:
        ImageError: If the image cannot be read or has too many pixels, or `size` is not valid.
    """
    height, width = _checked_size(size)
    wanted = None if size is None else Wanted(width, height, _checked_fit(fit))
    decoded = decode(source, wanted=wanted, name=name, most_pixels=most_pixels)
    image = _flatten(decoded, background)
    del decoded
    if size is None:
        return _to_tensor(image)
    resized = _to_tensor(_resize(image, height, width, fit))
    top, left = (height - resized.shape[2]) // 2, (width - resized.shape[3]) // 2
    canvas = torch.tensor(background).view(1, 3, 1, 1).repeat(1, 1, height, width)
    canvas[:, :, top : top + resized.shape[2], left : left + resized.shape[3]] = resized
    return canvas


def load_layers(
    source: Source, *, name: str | None = None, most_pixels: int = MAX_WHOLE_PIXELS
) -> tuple[Tensor, Tensor | None]:
    """Read an image at its own size, with its opacity where any pixel is transparent.

    Args:
        source: Path, bytes or data URI.
        name: What messages call it; by default its path.
        most_pixels: How many it may have.

    Returns:
        ``[1, 3, H, W]`` in [-1, 1], white where nothing is visible and otherwise without any
        background; and its opacity ``[1, 1, H, W]`` in [0, 1], None where all of it is opaque.

    Raises:
        ImageError: As for `load_image`.
    """
    decoded = decode(source, name=name, most_pixels=most_pixels)
    if decoded.mode != "RGBA" or decoded.getchannel("A").getextrema() == (255, 255):
        return _to_tensor(_flatten(decoded, WHITE)), None
    opacity = np.asarray(decoded.getchannel("A"), np.float32) / 255
    alpha = torch.from_numpy(np.ascontiguousarray(opacity))[None, None]
    return torch.where(alpha > 0, _to_tensor(decoded.convert("RGB")), 1.0), alpha


def load_mask(source: Source, *, most_pixels: int = MAX_WHOLE_PIXELS) -> Tensor:
    """Read an image as a mask: its alpha channel if any pixel is transparent, else its luminance.

    A map of labels whose only labels are 0 and 1, as tools for annotating write it, is understood:
    1 is inside. An `ImageWarning` says so.

    Args:
        source: Path, bytes or data URI.
        most_pixels: How many it may have.

    Returns:
        ``[1, 1, H, W]`` in [0, 1].

    Raises:
        ImageError: As for `load_image`.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ImageWarning)  # of dark images; labels are dark
        image = decode(source, most_pixels=most_pixels)
    if image.mode == "F":
        grey = np.array(image)
    elif image.mode == "RGBA" and image.getchannel("A").getextrema() != (255, 255):
        grey = np.asarray(image.getchannel("A"), np.float32) / 255
    else:
        grey = np.asarray(_two_labels(image, source) or image.convert("L"), np.float32) / 255
    top = float(grey.max())
    if any(math.isclose(top, one, rel_tol=1e-4) for one in _CLASS_1):
        grey = grey / np.float32(top)
        _warn_of_labels(source)
    elif 0 < top < _FAINT:
        _warn(source, f"is nearly black everywhere: {top:.2g} at most, where white, 1, is inside")
    return torch.from_numpy(np.ascontiguousarray(grey))[None, None]


def _two_labels(image: Image.Image, source: Source) -> Image.Image | None:
    """A coloured palette's entries 0 and 1 as a mask, where 0 is black and the image has no more.

    Such palettes colour labels; that of Pascal VOC has dark red for 1. None for other images.
    """
    if header(source).mode != "P" or image.mode != "RGB":
        return None
    colours = image.getcolors(2)
    if colours is None or len(colours) != 2:
        return None
    first, second = sorted(tuple(colour) for _, colour in colours)  # type: ignore[arg-type]
    if first != (0, 0, 0) or len(set(second)) == 1:
        return None
    _warn_of_labels(source)
    return Image.fromarray((np.asarray(image).max(2) > 0).astype(np.uint8) * 255)


def _warn_of_labels(source: Source) -> None:
    _warn(source, "is read as a map of the labels 0 and 1: 1 is inside the mask")


def _warn(source: Source, problem: str) -> None:
    warnings.warn(f"{name_of(source)} {problem}", ImageWarning, stacklevel=3)


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
        ImageError: If the suffix is none of those, `image` is not one image, or is too large for
            the format.
        StoreError: If the file cannot be written.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in _FORMATS:
        raise ImageError(f"{path}: suffix", got=repr(suffix), expected=", ".join(_FORMATS))
    write_bytes(path, _encode(image, _FORMATS[suffix]))


def _checked_size(size: int | tuple[int, int] | None) -> tuple[int, int]:
    square = 1 if size is None else size
    sides = [plain(side) for side in (square if isinstance(square, tuple) else (square, square))]
    valid = [type(side) is int and 1 <= side <= _MAX_SIDE for side in sides]
    if len(sides) != 2 or not all(valid):
        raise ImageError("image size", got=size, expected=f"1 to {_MAX_SIDE} pixels a side")
    return sides[0], sides[1]


def _checked_fit(fit: Fit) -> Fit:
    if fit not in ("cover", "contain", "stretch"):
        raise ImageError("fit", got=fit, expected="cover, contain or stretch")
    return fit


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
    return image.resize((width, height), Image.Resampling.LANCZOS, box, reducing_gap=3.0)


def _to_tensor(image: Image.Image) -> Tensor:
    """``[1, 3, H, W]`` in [-1, 1], made of some rows at a time."""
    tensor = torch.empty(1, 3, image.height, image.width)
    for top in range(0, image.height, _ROWS):
        bottom = min(top + _ROWS, image.height)
        pixels = np.asarray(image.crop((0, top, image.width, bottom)), np.float32) / 127.5 - 1
        planes = pixels[None].repeat(3, 0) if image.mode == "F" else pixels.transpose(2, 0, 1)
        tensor[0, :, top:bottom] = torch.from_numpy(planes).clamp(-1, 1)
    return tensor


def _encode(image: Tensor, format: str) -> bytes:
    single = image[0] if image.dim() == 4 and image.shape[0] == 1 else image
    if single.dim() != 3 or single.shape[0] not in (1, 3) or single.numel() == 0:
        raise ImageError("image to write", got=list(image.shape), expected="[1, 3, H, W]")
    most = _LARGEST.get(format)
    if most is not None and max(single.shape[1:]) > most:
        got = f"{single.shape[2]} x {single.shape[1]} pixels"
        expected = f"at most {most} a side as {format}"
        raise ImageError("image to write", got=got, expected=expected, remedy="write a PNG")
    file = io.BytesIO()
    to_pil(single).save(file, format, quality=95)
    return file.getvalue()
