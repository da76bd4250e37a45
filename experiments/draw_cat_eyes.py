"""Draw the pair of cat eyes that the examples use: an image of our own, which may be shipped.

python -m experiments.draw_cat_eyes examples/cat_eyes.png

An RGBA image of 256x128 pixels, four times supersampled. Each eye is an almond with a dark rim; its
iris goes from amber at the pupil to green, with radial fibres; the pupil is a slit.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_SIZE = (128, 256)  # height, width
_FINER = 4
_CENTRES = ((64, 64), (192, 64))  # x, y of the eyes
_HALF = (52.0, 38.0)  # half width and half height of an eye
_RIM, _AMBER, _GREEN = (0.05, 0.04, 0.03), (0.98, 0.74, 0.12), (0.55, 0.80, 0.16)

Plane = NDArray[np.float64]


def eye(x: Plane, y: Plane, inner: float) -> Plane:
    """RGBA of an eye ``[..., 4]`` in [0, 1].

    Args:
        x: From -1 to 1 over the eye's width.
        y: From -1 to 1 over its height.
        inner: 1 where the inner corner is on the right, -1 where it is on the left.
    """
    tilted = y - 0.10 * inner * x
    almond = np.abs(tilted) - (1 - np.abs(x) ** 2.2)  # below 0 inside
    radius = np.hypot(x * _HALF[0] / _HALF[1], tilted)
    angle = np.arctan2(tilted, x)
    fibres = 1 + 0.10 * np.sin(41 * angle + 3 * np.sin(7 * angle)) * np.clip(radius, 0, 1)
    blend = np.clip((radius - 0.15) / 0.75, 0, 1)[..., None]
    colour = (np.array(_AMBER) * (1 - blend) + np.array(_GREEN) * blend) * fibres[..., None]
    colour = colour * np.clip(1.35 - 0.55 * radius**3, 0, 1)[..., None]
    slit = np.abs(x) < 0.15 * np.sqrt(np.clip(1 - (tilted / 0.86) ** 2, 0, 1))
    rim = almond > -0.17
    light = np.hypot(x + 0.22, (tilted + 0.42) * 0.8) < 0.12
    for where, shade in ((slit, _RIM), (rim, _RIM), (light, (1.0, 1.0, 1.0))):
        colour = np.where(where[..., None], np.array(shade), colour)
    return np.concatenate([colour, (almond < 0)[..., None]], axis=-1).clip(0, 1)


def pair() -> Image.Image:
    """The two eyes on a transparent ground."""
    height, width = (side * _FINER for side in _SIZE)
    rows, columns = np.mgrid[0:height, 0:width] / _FINER
    image = np.zeros((height, width, 4))
    for (centre_x, centre_y), inner in zip(_CENTRES, (1.0, -1.0), strict=True):
        drawn = eye((columns - centre_x) / _HALF[0], (rows - centre_y) / _HALF[1], inner)
        image = np.where(drawn[..., 3:] > 0, drawn, image)
    image[..., :3] *= image[..., 3:]
    fine = image.reshape(_SIZE[0], _FINER, _SIZE[1], _FINER, 4).mean(axis=(1, 3))
    alpha = fine[..., 3:]
    fine[..., :3] = np.where(alpha > 0, fine[..., :3] / np.maximum(alpha, 1e-6), 0)
    return Image.fromarray((fine * 255).round().astype(np.uint8), "RGBA")


if __name__ == "__main__":
    pair().save(Path(sys.argv[1]))
