"""What a session's file holds is read back as it was, or refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from regen.editor.messages import MessageError
from regen.editor.painting import Exemplar, Painting, Picture, Target
from regen.editor.stored import painting_of
from regen.editor.strokes import Stroke

EYE = Stroke("ellipse", ellipse=(20, 20, 6, 5))
CAT = Picture("skimage:chelsea", "cat", 300, 451)
OWN = Target("a", {"seed": 3}, "seed 3", (EYE,), exemplar=Exemplar(CAT, (EYE,)), region_name="eyes")
WHOLE = Painting("p", CAT, (EYE,), (OWN, Target("b", {"seed": 4}, "seed 4")), {"scale": "stretch"})


def test_it_is_read_back() -> None:
    assert painting_of(WHOLE.to_json()) == WHOLE
    assert painting_of(Painting("p").to_json()) == Painting("p")


def test_a_file_of_before_targets_had_exemplars_or_names_is_read() -> None:
    content = WHOLE.to_json()
    for target in content["targets"]:
        del target["exemplar"], target["region_name"]
    bare = replace(OWN, exemplar=None, region_name="")
    assert painting_of(content).targets == (bare, WHOLE.targets[1])


def test_a_name_that_is_no_name_is_refused() -> None:
    content = WHOLE.to_json()
    for name in (7, "x" * 10_000):
        content["targets"][0]["region_name"] = name
        with pytest.raises(MessageError, match="region_name: got "):
            painting_of(content)


@pytest.mark.parametrize("own", [False, True])
def test_an_image_larger_than_any_is_refused(own: bool) -> None:
    content = WHOLE.to_json()
    holder = content["targets"][0]["exemplar"] if own else content
    holder["picture"] = {**holder["picture"], "height": 10**9}
    with pytest.raises(MessageError, match="height: got 1000000000"):
        painting_of(content)


@pytest.mark.parametrize("options", [[], None, {"samples": "in"}])
def test_options_that_are_none_are_refused(options: object) -> None:
    with pytest.raises(MessageError, match="options: got .*, expected an object"):
        painting_of({**WHOLE.to_json(), "options": options})
