from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from experiments.draw_cat_eyes import pair


def test_the_image_of_the_examples_is_what_is_drawn() -> None:
    kept = Image.open(Path(__file__).parents[2] / "examples" / "cat_eyes.png")
    drawn = pair()
    assert (kept.mode, kept.size) == (drawn.mode, drawn.size) == ("RGBA", (256, 128))
    difference = np.abs(np.asarray(kept, dtype=int) - np.asarray(drawn, dtype=int))
    assert difference.max() <= 1


def test_each_eye_has_a_dark_slit_in_a_light_iris() -> None:
    image = np.asarray(pair(), dtype=int)
    for centre in (64, 192):
        assert image[64, centre, :3].max() < 30
        assert image[64, centre - 25, 1] > 150 and image[64, centre + 25, 1] > 150
    assert image[0, 0, 3] == 0 and image[64, 64, 3] == 255
