"""Strokes make the regions that a person sees."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from regen.editor.messages import MessageError
from regen.editor.painted import painted, rasterized
from regen.editor.strokes import Stroke, box_corners, mask_to_uri

SIZE = (40, 60)
LEFT = Stroke("ellipse", ellipse=(15, 20, 8, 6))
RIGHT = Stroke("ellipse", ellipse=(45, 20, 8, 6))
DAB = Stroke("brush", points=((30.0, 20.0),), radius=5)
LASSO = Stroke("lasso", points=((10, 10), (30, 10), (30, 30)))


def test_ellipses_and_lassos_that_lie_apart_stay_shapes() -> None:
    both = painted((LEFT, RIGHT), SIZE)
    assert both is not None and both.parts == 2
    assert both.region == {"ellipses": [[15, 20, 8, 6], [45, 20, 8, 6]]}
    one = painted((LASSO,), SIZE)
    assert one is not None and one.region == {"polygons": [[[10, 10], [30, 10], [30, 30]]]}
    box = Stroke("lasso", points=box_corners((2, 3, 9, 8)))
    alone, beside = painted((box,), SIZE), painted((LASSO, box), SIZE)
    assert alone is not None and alone.region == {"boxes": [[2, 3, 9, 8]]}
    assert beside is not None and list(beside.region) == ["polygons"] and beside.parts == 2


@pytest.mark.parametrize(
    "strokes",
    [
        (LEFT, replace(LEFT, ellipse=(20, 20, 8, 6))),
        (LEFT, LASSO),
        (replace(LEFT, ellipse=(3, 20, 8, 6)),),
        (LEFT, replace(DAB, points=((15.0, 20.0),), radius=2, mode="erase")),
        (DAB,),
    ],
    ids=["overlapping", "of two kinds", "reaching outside", "with a hole", "brush"],
)
def test_everything_else_becomes_a_mask(strokes: tuple[Stroke, ...]) -> None:
    found = painted(strokes, SIZE)
    assert found is not None and found.parts == 1
    assert set(found.region) == {"mask"}
    assert painted((Stroke("mask", mask=found.region["mask"]),), SIZE) == found


def test_areas_are_those_of_the_shapes() -> None:
    for stroke, area in ((LEFT, np.pi * 48), (DAB, np.pi * 25), (LASSO, 200.0)):
        mask = rasterized((stroke,), SIZE) / 255
        assert mask.sum() == pytest.approx(area, rel=0.05), stroke.tool
        ys, xs = np.mgrid[:40, :60] + 0.5
        middle = {"ellipse": (15, 20), "brush": (30, 20), "lasso": (70 / 3, 50 / 3)}[stroke.tool]
        assert (mask * xs).sum() / mask.sum() == pytest.approx(middle[0], abs=0.15)
        assert (mask * ys).sum() / mask.sum() == pytest.approx(middle[1], abs=0.15)


def test_a_line_of_the_brush_has_round_ends() -> None:
    line = Stroke("brush", points=((10, 20), (50, 20)), radius=4)
    assert (rasterized((line,), SIZE) / 255).sum() == pytest.approx(40 * 8 + np.pi * 16, rel=0.03)


def test_an_eraser_takes_away_what_came_before_it_only() -> None:
    eraser = replace(DAB, mode="erase")
    assert rasterized((DAB, eraser), SIZE).max() == 0
    assert painted((DAB, eraser), SIZE) is None and painted((), SIZE) is None
    assert painted((eraser, DAB), SIZE) == painted((DAB,), SIZE)


def test_parts_are_counted_without_specks() -> None:
    far = replace(DAB, points=((50.0, 20.0),))
    speck = replace(DAB, points=((5.0, 5.0),), radius=0.7)
    found = painted((DAB, far, speck), SIZE)
    assert found is not None and found.parts == 2


def test_a_mask_of_another_size_or_kind_is_refused_in_one_line() -> None:
    wrong = Stroke("mask", mask=mask_to_uri(np.full((4, 4), 255, np.uint8)))
    with pytest.raises(MessageError, match="mask: got 4 x 4 pixels, expected 60 x 40"):
        painted((wrong,), SIZE)
    for text in ("data:image/png;base64,AAAA", "data:image/png;base64,%%"):
        with pytest.raises(MessageError, match="mask: got something else, expected a PNG"):
            painted((Stroke("mask", mask=text),), SIZE)
