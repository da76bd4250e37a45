"""A painting for the bundled portraits: the eye of a cat for two people."""

from __future__ import annotations

from regen.editor.painting import Painting, Picture, Target
from regen.editor.strokes import Stroke

EYE = Stroke("ellipse", ellipse=(172, 113, 40, 25))
EYES = (
    Stroke("ellipse", ellipse=(48.0, 61.0, 10, 7)),
    Stroke("ellipse", ellipse=(83.0, 61.5, 10, 7)),
)
PAINTING = Painting(
    "p",
    Picture("skimage:chelsea", "cat", 300, 451),
    (EYE,),
    (Target("a", {"seed": 4}, "seed 4", EYES[:1]), Target("b", {"seed": 0}, "seed 0", EYES)),
)
SHORT: dict[str, object] = {"fit.steps": 3, "fit.preserve": 2, "fit.report_every": 1}
