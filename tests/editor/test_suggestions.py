"""Regions that the bundled generator proposes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from regen.editor.engine import Engine
from regen.errors import RegenError
from tests.editor.test_encoding import decoded
from tests.helpers.editor_paintings import EYES, PAINTING


def test_a_click_suggests_named_regions_first(engine: Engine) -> None:
    target, suggest = PAINTING.targets[0], engine.suggestions.suggest
    names = [one["name"] for one in suggest(target, 48, 61)]
    assert names[0] == "eyes" and names[-1] == "what looks alike"
    mask = decoded(suggest(target, 48, 61)[0]["mask"])
    assert mask[61, 48] > 128 and mask[61, 83] > 128 and mask[100, 64] == 0
    assert [one["name"] for one in suggest(target, 2, 2)] == ["what looks alike"]
    assert suggest(target, 2, 2, "eyes")[0]["name"] == "eyes"
    truncated = replace(target, sample={"seed": 4, "truncation": 0.5})
    assert [one["name"] for one in suggest(truncated, 48, 61)] == ["what looks alike"]


def test_a_region_is_found_in_the_other_targets(engine: Engine) -> None:
    other = replace(PAINTING.targets[1], strokes=())
    first = replace(PAINTING.targets[0], strokes=EYES)
    painting, carried = replace(PAINTING, targets=(first, other)), engine.suggestions.carried
    (found,) = carried(painting, first).items()
    mask = decoded(found[1]) / 255
    eyes = engine.generator.oracle.region("eyes", [engine.generator.sample({"seed": 0})])[
        0, 0
    ].numpy()
    assert found[0] == "b" and (mask * eyes).sum() / eyes.sum() > 0.5
    with pytest.raises(RegenError, match="paint on this target first"):
        carried(painting, other)
    with pytest.raises(RegenError, match="there is no other target"):
        carried(replace(painting, targets=(first,)), first)
