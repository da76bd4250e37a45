"""Image files to tensors and back, and the regions, shapes and masks of an image.

An image is float32 ``[N, 3, H, W]`` in [-1, 1], red first; a mask is float32 ``[1, 1, H, W]`` in
[0, 1]. Positions are pixels, x to the right and y down.
"""

from __future__ import annotations

from regen.images.brought import Brought, bring
from regen.images.decoding import Source, decode, name_of
from regen.images.display import as_shown, grid, to_pil, to_uint8
from regen.images.embedding import data_uri
from regen.images.image_files import (
    encode_png,
    load_image,
    load_layers,
    load_mask,
    mask_to_png,
    save_image,
)
from regen.images.levels import ImageWarning

__all__ = [
    "Brought",
    "ImageWarning",
    "Source",
    "as_shown",
    "bring",
    "data_uri",
    "decode",
    "encode_png",
    "grid",
    "load_image",
    "load_layers",
    "load_mask",
    "mask_to_png",
    "name_of",
    "save_image",
    "to_pil",
    "to_uint8",
]
