"""A painting: what is painted on what."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from regen.editor.messages import MessageError
from regen.editor.painted import rasterized
from regen.editor.painting import Exemplar, Picture
from regen.editor.stored import painting_of
from tests.helpers.editor_small import CAT, EYE, EYES, SIZE, WHOLE


def test_strokes_go_where_they_are_meant_to() -> None:
    assert WHOLE.with_strokes("b", ()).target("b").strokes == ()
    assert WHOLE.with_strokes("exemplar", ()).strokes_on("exemplar") == ()
    with pytest.raises(MessageError, match="target: got c, expected a, b"):
        WHOLE.with_strokes("c", ())


def test_a_target_may_have_an_exemplar_of_its_own() -> None:
    own = Exemplar(Picture("dog.png", "dog", 64, 64), EYES)
    painting = WHOLE.with_target(replace(WHOLE.targets[1], exemplar=own))
    first, second = (painting.exemplar_of(target) for target in painting.targets)
    assert (first, second) == (Exemplar(CAT, (EYE,)), own)
    painting = painting.with_strokes("exemplar b", (EYE,))
    assert painting.strokes_on("exemplar b") == (EYE,) and painting.strokes == WHOLE.strokes
    for change in (painting.strokes_on, lambda on: painting.with_strokes(on, ())):
        with pytest.raises(MessageError, match="exemplar: got seed 3, expected a target with one"):
            change("exemplar a")


def test_nothing_is_painted_where_images_cannot_change() -> None:
    left = np.zeros(SIZE, np.uint8)
    left[:, :32] = 1
    clipped = WHOLE.clipped({"a": left}, SIZE)
    assert clipped.targets[1] == WHOLE.targets[1] and WHOLE.clipped({}, SIZE) == WHOLE
    drawn = rasterized(clipped.targets[0].strokes, SIZE)
    assert np.array_equal(drawn, rasterized((EYE,), SIZE))
    assert WHOLE.clipped({"b": np.zeros(SIZE, np.uint8)}, SIZE).targets[1].strokes == ()


def test_a_hole_is_painted_on_a_target() -> None:
    painting = WHOLE.with_strokes("hole a", (EYE,))
    assert painting.strokes_on("hole a") == (EYE,) and painting.strokes_on("a") == EYES
    described = painting.targets[0].described(SIZE)
    assert described == {"seed": 3, "hole": {"ellipses": [[20, 20, 6, 5]]}}
    own = replace(painting.targets[0], sample={"picture": "x.png"}, own_size=(128, 128))
    assert own.described(SIZE)["hole"] == {"ellipses": [[40, 40, 12, 10]]}
    assert replace(own, hole=()).lacks_hole and not own.lacks_hole
    assert painting_of(painting.to_json()) == painting
    assert painting_of(replace(painting, targets=(own,)).to_json()).targets == (own,)
