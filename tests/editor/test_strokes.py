"""Strokes are read back as they were, and cover the same on a larger image."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from regen.editor.messages import MessageError
from regen.editor.painted import rasterized
from regen.editor.strokes import Stroke, mask_to_uri, scaled, stroke_of

SIZE = (40, 60)
LEFT = Stroke("ellipse", ellipse=(15, 20, 8, 6))
DAB = Stroke("brush", points=((30.0, 20.0),), radius=5)
LASSO = Stroke("lasso", points=((10, 10), (30, 10), (30, 30)))


@pytest.mark.parametrize("stroke", [LEFT, DAB, LASSO, replace(DAB, mode="erase")])
def test_a_stroke_is_read_back(stroke: Stroke) -> None:
    assert stroke_of(stroke.to_json()) == stroke


@pytest.mark.parametrize(
    "change",
    [
        {"tool": "pen"},
        {"mode": "xor"},
        {"radius": 0},
        {"radius": "5"},
        {"points": []},
        {"tool": "lasso"},
        {"tool": "ellipse", "ellipse": [1, 2, 3]},
        {"tool": "ellipse", "ellipse": [1, 2, 0, 3]},
        {"tool": "mask", "mask": "x"},
    ],
)
def test_what_is_no_stroke_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(MessageError):
        stroke_of({**DAB.to_json(), **change})


@pytest.mark.parametrize("stroke", [LEFT, DAB, LASSO], ids=lambda stroke: stroke.tool)
def test_strokes_on_a_larger_image_cover_the_same(stroke: Stroke) -> None:
    masked = Stroke("mask", mask=mask_to_uri(rasterized((stroke,), SIZE)))
    for one in (stroke, masked):
        large = rasterized(scaled((one,), 3, 3, (120, 180)), (120, 180))
        small = large.reshape(40, 3, 60, 3).mean(axis=(1, 3))
        assert np.abs(small - rasterized((stroke,), SIZE)).mean() < 2
    assert scaled((stroke,), 1, 1, SIZE) == (stroke,)
