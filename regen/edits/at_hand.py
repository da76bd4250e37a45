"""Edits that a program writes: JSON values in which images, masks and regions may be at hand.

``{"exemplar": an image of Pillow, "region": an array of truth values, ...}``: every such object
becomes what an edits file has in its place, an image or a mask as a data URI.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image
from torch import Tensor

from regen.edits.checked_json import path_in_file
from regen.edits.region_json import NamedRegion, region_to_json
from regen.errors import EditsError, ImageError
from regen.images.given import image_source, mask_source
from regen.images.regions import Region

_IMAGES, _MASK, _REGIONS = ("exemplar", "picture"), "mask", ("region", "hole")  # keys


def as_json(content: object, file: str) -> object:
    """JSON values in place of all that is at hand; what is neither stays, to be refused.

    Args:
        content: Mappings, lists and tuples of values.
        file: What messages call it.

    Raises:
        EditsError: If an image or a mask is of a wrong shape or scale, which the message places, a
            key is no text, or values are nested too deeply.
    """
    try:
        return _json(content, file, ())
    except RecursionError:
        raise EditsError(f"{file}: got values that are nested too deeply") from None


def _json(value: object, file: str, path: tuple[str | int, ...]) -> object:
    if isinstance(value, Mapping):
        for name in value:
            if not isinstance(name, str):
                place = path_in_file(path) or "its content"
                raise EditsError(f"{file}: key of {place}", got=repr(name), expected="text")
        return {name: _json(each, file, (*path, name)) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_json(each, file, (*path, i)) for i, each in enumerate(value)]
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, (Region, NamedRegion)):
        return region_to_json(value, embed=False)
    if isinstance(value, np.generic):
        return value.item()
    if not isinstance(value, (Image.Image, np.ndarray, Tensor)):
        return value
    key = path[-1] if path else ""
    try:
        if key in _IMAGES:
            return image_source(value)
        if key == _MASK:
            return mask_source(value)
        if key in _REGIONS:
            return {_MASK: mask_source(value)}
    except ImageError as error:
        problem = f"{file}: {path_in_file(path)}: {error.problem}"
        raise EditsError(
            problem, got=error.got, expected=error.expected, remedy=error.remedy
        ) from None
    return value if isinstance(value, Image.Image) else value.tolist()
