"""Small honest images and edits files, to be damaged, and how they are read."""

from __future__ import annotations

import base64
import copy
import io
import json
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from PIL import Image, features

from regen.edits.schema import read_edits
from regen.errors import RegionError
from regen.images import data_uri, load_image, load_mask
from regen.images.levels import ImageWarning
from regen.images.regions import Region
from tests.helpers.edits_files import FULL, LEAST
from tests.unpickling.fuzz_damage import NASTY, change, damaged_bytes

_SIDE = 16
_SIZES = (0, 1, 255, 13_200, 65_535, 65_536, 1 << 20, 170_000_000, (1 << 31) - 1, (1 << 32) - 1)
_NASTY_TEXTS = ("/proc/self/mem", "/dev/zero", "skimage:", "data:,", "a/" * 3000, "\0", "file")
_NASTY_SHAPES: tuple[Any, ...] = (
    {"polygon": [[0, 0], [1e308, 0], [0, 1e308]]},
    {"polygons": [[[0, 0], [9, 0], [0, 9]]] * 200},
    {"boxes": [[0, 0, 1, 1]] * 65},
    {"ellipse": [8, 8, 1e30, 1e-30]},
    {"k" * 5000: 1},
    [{}] * 101,
)


@cache
def images() -> list[bytes]:
    """An image in each format, and PNG in each kind of pixels."""
    levels = np.arange(_SIDE * _SIDE, dtype=np.uint8).reshape(_SIDE, _SIDE)
    grey = Image.fromarray(levels)
    colour = Image.merge("RGB", (grey, grey.rotate(90), grey.rotate(180)))
    clear = colour.copy()
    clear.putalpha(grey)
    exif = Image.Exif()
    exif[0x0112] = 6
    kinds = [(colour, {"exif": exif}), (clear, {}), (grey, {}), (colour.quantize(8), {})]
    kinds += [(Image.fromarray(levels.astype(np.uint16) * 257), {}), (grey.convert("1"), {})]
    files = [_saved(image, "PNG", **options) for image, options in kinds]
    files += [_saved(colour, "JPEG", exif=exif), _saved(colour, "JPEG", progressive=True)]
    floats = Image.fromarray(levels.astype(np.float32) / 255)
    files += [_saved(image, "TIFF") for image in (colour, floats, floats.convert("I"))]
    files += [_saved(colour, "TIFF", compression="tiff_lzw")]
    files += [_saved(colour, format) for format in ("GIF", "BMP", "PPM", "TGA")]
    files += [_saved(clear, f.upper()) for f in ("webp", "avif") if features.check(f)]
    return files


def _saved(image: Image.Image, format: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def damaged_image(data: bytes, random: Random, others: list[bytes]) -> bytes:
    """A PNG that is whole, with another size in its header; or damaged bytes."""
    if not data.startswith(b"\x89PNG") or random.random() < 0.6:
        return damaged_bytes(data, random, others)
    out = bytearray(data)
    out[16:24] = struct.pack(">II", random.choice(_SIZES), random.choice(_SIZES))
    if random.random() < 0.5:
        out[24:26] = bytes([random.choice((1, 8, 16)), random.choice((0, 2, 3, 4, 6))])
    out[29:33] = struct.pack(">I", zlib.crc32(bytes(out[12:29])))
    return bytes(out)


def edits_files() -> list[bytes]:
    """Edits files with nothing beside them: what they name is inside of them."""
    inside = f"data:image/png;base64,{base64.b64encode(images()[0]).decode()}"
    files = []
    for content in (FULL, LEAST):
        content = copy.deepcopy(content)
        content.pop("projector", None)
        for edit in content["edits"]:
            edit["exemplar"] = inside if edit["exemplar"] == "cat.png" else edit["exemplar"]
            for target in edit["targets"]:
                target["region"] = (
                    {"mask": inside} if "mask" in target["region"] else target["region"]
                )
        files.append(json.dumps(content).encode())
    return files


def damaged_edits(data: bytes, random: Random, others: list[bytes]) -> bytes:
    """An edits file that is JSON again, with other values in it; sometimes damaged bytes."""
    if random.random() < 0.15:
        return damaged_bytes(data, random, others)
    content = json.loads(data)
    for _ in range(random.choice((1, 1, 1, 2))):
        change(content, random, (*NASTY, *_NASTY_TEXTS, *_NASTY_SHAPES))
    return json.dumps(content).encode()


def read_image(path: Path) -> object:
    """An image at two sizes, and what an edits file would hold of it."""
    with _quiet():
        return load_image(path, size=16), load_image(path), data_uri(path)


def read_mask(path: Path) -> object:
    """An image as a mask."""
    with _quiet():
        return load_mask(path)


def read_edits_file(path: Path) -> object:
    """An edits file, and the masks of its regions."""
    with _quiet():
        edits = read_edits(path)
        regions = [target.region for edit in edits.edits for target in edit.targets]
        with suppress(RegionError):  # of a region that is not in this image, not of the file
            return [region.mask(64, 64) for region in regions if isinstance(region, Region)]
        return edits


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the notes about nearly black images and odd masks, which are no failures."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ImageWarning)
        yield
