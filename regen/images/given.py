"""Images and masks that a program has at hand, as sources that everything here can read.

An image is one of Pillow, an array, or a tensor; so is a mask. Each becomes the data URI of a PNG,
or of a TIFF where Pillow holds other numbers than bytes, which are scaled as those of a file.
Arrays have the scale that is usual for them, whole numbers from 0 to 255 or floats from 0 to 1, and
tensors that of this package.
"""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, ImageOps
from torch import Tensor

from regen.errors import ImageError, RegenError
from regen.images.decoding import Source
from regen.images.display import to_pil

AtHand: TypeAlias = Image.Image | npt.NDArray[np.generic] | Tensor
Given: TypeAlias = Source | AtHand

_FLOATS = (torch.float32, torch.float64, torch.float16, torch.bfloat16)
_REMEDY = "divide pixels of 0 to 255 by 127.5 and subtract 1"
_FAR = 10.0  # pixels beyond are no generator's, but on another scale
_MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")  # of Pillow, which a PNG has
_NUMBERS = ("I", "F", "I;16B")  # which only a TIFF has
_WITH_ALPHA = {"La": "LA", "RGBa": "RGBA", "PA": "RGBA"}  # what they become; others, RGB


def image_source(image: object, name: str = "image") -> Source:
    """An image as a source: files and data URIs as they are, what is at hand as a data URI.

    Args:
        image: A source; an image of Pillow, which is turned as its EXIF says; an array ``[H, W]``
            or ``[H, W, C]`` with C of 1, 3 or 4, of whole numbers from 0 to 255 or floats from 0 to
            1; or a tensor ``[3, H, W]`` or ``[1, 3, H, W]``, of which [-1, 1] is kept.
        name: What messages call it.

    Raises:
        ImageError: If it is none of these.
    """
    if isinstance(image, (str, bytes, Path)):
        return image
    if isinstance(image, Tensor):
        return _uri(to_pil(checked(image, name)))
    if isinstance(image, np.ndarray):
        return _uri(_from_array(image, name))
    if isinstance(image, Image.Image):
        return _of_pillow(image, name)
    expected = "a path, bytes, a data URI, an image of Pillow, an array or a tensor"
    raise ImageError(name, got=type(image).__name__, expected=expected)


def mask_source(mask: object, name: str = "mask") -> Source:
    """A mask as a source.

    Args:
        mask: As an image, but arrays and tensors are ``[H, W]``, or have as many axes of size 1
            before these as there may be; of truth values, or of floats from 0, outside, to 1;
            whole numbers are those of images.
        name: What messages call it.

    Raises:
        ImageError: If it is none of these.
    """
    values = _as_array(mask, name) if isinstance(mask, Tensor) else mask
    if not isinstance(values, np.ndarray):
        return image_source(values, name)
    flat = values.reshape(values.shape[-2:]) if set(values.shape[:-2]) <= {1} else values
    if flat.ndim != 2:
        raise ImageError(name, got=f"shape {list(values.shape)}", expected="[H, W]")
    return image_source(flat, name)


def checked(image: Tensor, name: str) -> Tensor:
    """One image ``[3, H, W]`` of a tensor that has one, with or without an axis for it.

    Raises:
        ImageError: If it is another shape, whole or complex numbers, not finite, far outside of
            [-1, 1], or not a plain tensor, see `check_plain`.
    """
    check_plain(image, name)
    single = image[0] if image.dim() == 4 and len(image) == 1 else image
    if single.dim() != 3 or single.shape[0] != 3 or single.numel() == 0:
        many = image.dim() == 4 and image.shape[1] == 3 and len(image) > 1
        remedy = "take one of them, images[0] for instance" if many else None
        raise ImageError(
            name, got=list(image.shape), expected="[3, H, W] or [1, 3, H, W]", remedy=remedy
        )
    if single.dtype not in _FLOATS:
        other = single.is_complex() or single.is_floating_point()
        raise ImageError(
            f"{name}: pixels",
            got=str(image.dtype).removeprefix("torch."),
            expected="floating-point numbers in [-1, 1]",
            remedy="make them float32" if other else _REMEDY,
        )
    low, high = (float(bound) for bound in torch.aminmax(single.detach()))
    if not (low >= -_FAR and high <= _FAR):
        raise ImageError(
            f"{name}: pixels",
            got=f"values from {low:.4g} to {high:.4g}",
            expected="-1 to 1",
            remedy=_REMEDY,
        )
    return single


def check_plain(image: object, name: str, kind: type[RegenError] = ImageError) -> None:
    """Raise `kind` for what is no tensor, or is nested, sparse, quantised, or without numbers."""
    if not isinstance(image, Tensor):
        raise kind(name, got=type(image).__name__, expected="a tensor")
    if image.is_nested:
        got, remedy = "a nested tensor", "take one of its parts"
    elif image.layout != torch.strided:
        layout = str(image.layout).removeprefix("torch.").strip("_")
        got, remedy = f"a tensor in the layout {layout}", "`to_dense()` makes one"
    elif image.is_quantized:
        got, remedy = "a quantised tensor", "`dequantize()` makes one"
    elif image.is_meta:
        got, remedy = "a tensor on the device meta, which has no numbers", None
    else:
        return
    raise kind(name, got=got, expected="a plain tensor", remedy=remedy)


def _from_array(array: npt.NDArray[np.generic], name: str) -> Image.Image:
    flat = array[..., 0] if array.ndim == 3 and array.shape[2] == 1 else array
    if flat.size == 0 or not (flat.ndim == 2 or (flat.ndim == 3 and flat.shape[2] in (3, 4))):
        expected = "[H, W], [H, W, 3] or [H, W, 4]"
        raise ImageError(f"{name}: array", got=f"shape {list(array.shape)}", expected=expected)
    if flat.dtype == np.bool_:
        return Image.fromarray(flat.astype(np.uint8) * 255)
    whole = bool(np.issubdtype(flat.dtype, np.integer))
    if not whole and not np.issubdtype(flat.dtype, np.floating):
        raise ImageError(f"{name}: array", got=str(array.dtype), expected="numbers")
    low, high, top = float(flat.min()), float(flat.max()), 255 if whole else 1
    if not (low >= 0 and high <= top):
        raise ImageError(
            f"{name}: array of {flat.dtype}",
            got=f"values from {low:.4g} to {high:.4g}",
            expected="whole numbers from 0 to 255, or floats from 0 to 1",
            remedy="scale it; tensors, not arrays, are in [-1, 1]",
        )
    levels = flat if whole else np.rint(flat.astype(np.float64) * 255)
    return Image.fromarray(levels.astype(np.uint8))


def _as_array(values: Tensor, name: str) -> npt.NDArray[np.generic]:
    """The numbers of a tensor; NumPy has no bfloat16."""
    check_plain(values, name)
    here = values.detach().cpu().resolve_conj().resolve_neg()
    array: npt.NDArray[np.generic] = (here.float() if here.is_floating_point() else here).numpy()
    return array


def _of_pillow(image: Image.Image, name: str) -> str:
    """An image of Pillow as a data URI; one of a file may be read only now."""
    if 0 in image.size:
        got = f"{image.width} x {image.height} pixels"
        raise ImageError(name, got=got, expected="at least one pixel")
    try:
        return _uri(ImageOps.exif_transpose(image))
    except Exception as error:  # a broken file makes Pillow raise nearly anything
        raise ImageError(
            f"{name} of Pillow cannot be read, its file may be damaged, cut short or closed: "
            f"{error}"
        ) from error


def _uri(image: Image.Image) -> str:
    kind = "TIFF" if image.mode in _NUMBERS else "PNG"
    if image.mode not in (*_MODES, *_NUMBERS):
        image = image.convert(_WITH_ALPHA.get(image.mode, "RGB"))
    file = io.BytesIO()
    image.save(file, kind, **({} if kind == "TIFF" else {"compress_level": 1}))
    data = base64.b64encode(file.getvalue()).decode()
    return f"data:image/{kind.lower()};base64,{data}"
