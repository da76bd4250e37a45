"""Images as a page takes them: data URIs, PNG up to `_SMALL` pixels a side and JPEG beyond."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING, Any

import numpy as np

from regen.editor.strokes import mask_to_uri

if TYPE_CHECKING:
    from torch import Tensor

_SMALL = 320
_PNG = "data:image/png;base64,"


def picture_uri(image: Tensor) -> str:
    """An image ``[3, H, W]`` in [-1, 1] as a data URI that is quick to make."""
    if max(image.shape[1:]) <= _SMALL:
        return exact_uri(image)
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(_pixels(image)).save(file, "JPEG", quality=93, subsampling=0)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"


def exact_uri(image: Tensor) -> str:
    """An image ``[3, H, W]`` in [-1, 1], rounded to 8 bits, as the data URI of a PNG."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(_pixels(image)).save(file, "PNG", compress_level=1)
    return _PNG + base64.b64encode(file.getvalue()).decode()


def _pixels(image: Tensor) -> np.ndarray[Any, Any]:
    """``[H, W, 3]`` uint8."""
    levels = ((image.clamp(-1, 1) + 1) * 127.5).round().byte()
    pixels: np.ndarray[Any, Any] = levels.permute(1, 2, 0).numpy()
    return pixels


def map_uri(mask: Tensor) -> str:
    """A map ``[H, W]`` in [0, 1] as the transparency of a white image, to lay over a sample."""
    from PIL import Image

    alpha = (mask.clamp(0, 1) * 255).round().byte().numpy()
    white = np.full_like(alpha, 255)
    file = io.BytesIO()
    Image.fromarray(np.stack([white, alpha], axis=-1)).save(file, "PNG", compress_level=1)
    return _PNG + base64.b64encode(file.getvalue()).decode()


def mask_image_uri(mask: Tensor) -> str:
    """A mask ``[1, 1, H, W]`` in [0, 1] as the data URI of a grey PNG."""
    return mask_to_uri((mask[0, 0].clamp(0, 1) * 255).round().byte().numpy())
