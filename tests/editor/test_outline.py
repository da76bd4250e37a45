"""The outline of a mask encloses it."""

from __future__ import annotations

import numpy as np

from regen.editor.outline import outline
from regen.editor.painted import rasterized
from regen.editor.strokes import Stroke

SIZE = (40, 60)
DAB = Stroke("brush", points=((30.0, 20.0),), radius=5)


def test_an_outline_encloses_the_same_pixels() -> None:
    mask = rasterized((DAB, Stroke("brush", points=((30, 20), (45, 30)), radius=2)), SIZE)
    corners = outline(mask)
    again = rasterized((Stroke("lasso", points=tuple((x, y) for x, y in corners)),), SIZE)
    assert np.abs((again > 127).astype(int) - (mask > 127)).sum() <= 0.04 * (mask > 127).sum()
    assert all(float(v).is_integer() for corner in corners for v in corner)


def test_an_outline_is_of_the_largest_part_and_passes_over_holes() -> None:
    mask = np.zeros((20, 20), np.uint8)
    mask[2:12, 2:12] = 255
    mask[5:8, 5:8] = 0
    mask[15:17, 15:17] = 255
    assert sorted(outline(mask)) == [[2, 2], [2, 12], [12, 2], [12, 12]]
    mask[12, 12] = 255  # touches a corner: still outside
    assert len(outline(mask)) == 4
