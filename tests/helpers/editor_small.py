"""A painting for a generator of 64 x 64 pixels: the eye of a cat for two samples."""

from __future__ import annotations

from dataclasses import replace

from regen.editor.painting import Painting, Picture, Target
from regen.editor.strokes import Stroke

EYE = Stroke("ellipse", ellipse=(20, 20, 6, 5))
EYES = (EYE, replace(EYE, ellipse=(44, 20, 6, 5)))
SIZE = (64, 64)
CAT = Picture("skimage:chelsea", "cat", 300, 451)
WHOLE = Painting(
    "p",
    CAT,
    (EYE,),
    (Target("a", {"seed": 3}, "seed 3", EYES), Target("b", {"seed": 4}, "seed 4", (EYE,))),
    {"scale": "stretch"},
)
