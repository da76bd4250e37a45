"""Draw the exemplars of the translation examples: a hat and a pair of anime eyes, on nothing.

    python -m experiments.cats.draw_exemplars examples

RGBA images of 256x256 pixels, as the renderer draws them on an average head that looks straight
ahead. Their colours are those of the pattern alone, also where it covers a pixel in part.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from regen.portraits import REGIONS, STYLE_DIM, Z_DIM, attributes, cat_style, render_cat
from regen.portraits.face import build_face
from regen.portraits.patterns import PATTERNS
from regen.portraits.shapes import cover

SIZE = 256
NAMES = ("hat", "anime_eyes")
_POSE = ("shift_x", "shift_y", "tilt", "turn", "gaze")


def exemplar(pattern: str) -> Image.Image:
    """The pattern alone."""
    person = attributes(torch.zeros(1, Z_DIM))
    person = person._replace(**{name: torch.zeros(1) for name in _POSE}, scale=torch.ones(1))
    style = cat_style(torch.zeros(1, STYLE_DIM))
    face = build_face(person, SIZE)
    opacity = cover(REGIONS[PATTERNS[pattern].region](face), face.px)
    plain, drawn = (render_cat(person, style, SIZE, name) for name in (None, pattern))
    colours = torch.where(opacity > 0, plain + (drawn - plain) / opacity.clamp(min=0.05), 0)
    return _image(torch.cat([colours.clamp(-1, 1), 2 * opacity - 1], dim=1))


def _image(rgba: Tensor) -> Image.Image:
    values = ((rgba[0].permute(1, 2, 0) + 1) * 127.5).round()
    return Image.fromarray(values.numpy().astype(np.uint8), "RGBA")


if __name__ == "__main__":
    for name in NAMES:
        exemplar(name).save(Path(sys.argv[1], f"{name}.png"), optimize=True)
