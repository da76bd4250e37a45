"""A painting is an edits file in the making."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from regen.editor.as_edits import edits_json, missing
from regen.editor.painting import Exemplar, Painting, Picture
from regen.editor.strokes import Stroke
from regen.edits.schema import edits_of
from tests.helpers.editor_small import CAT, EYE, EYES, SIZE, WHOLE


def test_it_says_what_is_missing_in_the_order_of_the_page() -> None:
    bare = replace(WHOLE, targets=(WHOLE.targets[0], replace(WHOLE.targets[1], strokes=())))
    steps = [
        (Painting("p"), "Choose the image that holds the pattern"),
        (Painting("p", CAT), "Choose a sample that gets the pattern"),
        (replace(WHOLE, strokes=()), "Paint the pattern on the exemplar"),
        (bare, "Paint where the pattern goes on seed 4"),
        (WHOLE, ""),
    ]
    for painting, said in steps:
        assert missing(painting, SIZE) == said


def test_one_part_of_the_exemplar_serves_each_part_of_a_target() -> None:
    content = edits_json(WHOLE, "portraits", SIZE)
    first, second = content["edits"]
    assert first["region"] == {"ellipses": [[20, 20, 6, 5]] * 2}
    assert second["region"] == {"ellipses": [[20, 20, 6, 5]]}
    assert [t["seed"] for edit in (first, second) for t in edit["targets"]] == [3, 4]
    assert content["scale"] == "stretch" and edits_of(content).generator == "portraits"


def test_a_painted_part_is_repeated_by_its_outline() -> None:
    dab = Stroke("brush", points=((200.0, 100.0),), radius=20)
    content = edits_json(replace(WHOLE, strokes=(dab,)), "portraits", SIZE)
    left, right = content["edits"][0]["region"]["polygons"]
    assert left == right and len(left) > 20
    assert set(content["edits"][1]["region"]) == {"mask"}
    edits_of(content)


def test_as_many_parts_stay_as_they_are() -> None:
    content = edits_json(replace(WHOLE, strokes=EYES), "portraits", SIZE)
    assert len(content["edits"]) == 1
    assert content["edits"][0]["region"] == {"ellipses": [[20, 20, 6, 5], [44, 20, 6, 5]]}


def test_what_was_painted_where_nothing_can_change_is_missing() -> None:
    clipped = WHOLE.clipped({"b": np.zeros(SIZE, np.uint8)}, SIZE)
    assert missing(clipped, SIZE) == "Paint where the pattern goes on seed 4"


def test_a_target_has_the_pattern_of_its_own_exemplar() -> None:
    dog = Exemplar(Picture("dog.png", "dog", 64, 64), (EYE,))
    own = replace(WHOLE.targets[1], exemplar=dog)
    painting = WHOLE.with_target(own)
    first, second = edits_json(painting, "portraits", SIZE)["edits"]
    assert (first["exemplar"], second["exemplar"]) == ("skimage:chelsea", "dog.png")
    assert [t["seed"] for edit in (first, second) for t in edit["targets"]] == [3, 4]
    bare = painting.with_strokes("exemplar b", ())
    assert missing(bare, SIZE) == "Paint the pattern on the exemplar of seed 4"
    assert missing(bare.with_strokes("exemplar", ()), SIZE) == "Paint the pattern on the exemplar"
    alone = replace(painting, strokes=(), targets=(own,))
    assert missing(alone, SIZE) == ""  # nobody needs the other one
    assert len(edits_json(alone, "portraits", SIZE)["edits"]) == 1
