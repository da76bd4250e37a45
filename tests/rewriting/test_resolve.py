"""What a rewrite is made from is checked when it is resolved."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from regen.edits.schema import (
    Edit,
    Edits,
    NamedRegion,
    Pattern,
    SampleSpec,
    Target,
)
from regen.errors import ProjectorError, RegenError
from regen.generators import bundled
from regen.generators.registry import open_generator
from regen.generators.stylegan2.generator import StyleGAN2
from regen.images.regions import Region
from regen.rewriting.learn import learn
from regen.rewriting.resolve import NoProjectorWarning, resolve
from regen.rewriting.settings import FitSettings, RewriteSettings, RuleSettings


def edits(oracle: Any, side: int = 8) -> Edits:
    target = Target(SampleSpec(3), Region.box(4, 4, 4 + side, 4 + side))
    return Edits((Edit(Pattern("cat_eyes", 5), NamedRegion("eyes"), (target,)),), oracle=oracle)


def test_without_a_projector_a_rewrite_is_learned_at_a_stated_layer(generator: StyleGAN2) -> None:
    fit = FitSettings(steps=2, preserve=2, preserve_batch=1, precision="fp32")
    with pytest.warns(NoProjectorWarning, match="no projector is known for this generator at"):
        task = resolve(edits(None), generator, settings=RewriteSettings(fit=fit))
    assert task.projector is None
    used = task.split.value_layer, task.split.memory_layers
    assert used == generator.usual_cut(large=True) == (7, 6)
    assert (task.settings.value_layer, task.said_by["value_layer"]) == (7, "default")
    assert (task.settings.fit.recall, task.said_by["fit.recall"]) == ("image", "default")
    changed = learn(task).rewrite.deltas
    assert any(bool(delta.abs().max() > 0) for delta in changed.values())


def test_without_a_projector_the_value_layer_is_anybodys_choice(generator: StyleGAN2) -> None:
    with pytest.warns(NoProjectorWarning, match="at value layer 4; the rule is learned from"):
        task = resolve(edits(None), generator, settings=RewriteSettings(value_layer=4))
    assert (task.split.value_layer, task.said_by["value_layer"]) == (4, "caller")
    assert (task.split.memory_layers, task.said_by["memory_layers"]) == (4, "default")


def test_features_need_a_projector(generator: StyleGAN2) -> None:
    settings = RewriteSettings(RuleSettings(align="feature"))
    with pytest.raises(ProjectorError, match="align: got feature, without a projector for the"):
        resolve(edits(None), generator, settings=settings)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"value_layer": 8}, "e.json: value_layer: got 8, expected 1 to 7, the convolutions of"),
        ({"memory_layers": 8}, "e.json: memory_layers: got 8, expected 1 to 7, since the memory"),
        ({"align": "feature"}, "e.json: align: got feature, without a projector for the value"),
    ],
)
def test_a_setting_that_the_generator_cannot_have_is_told_with_its_place_and_no_note(
    generator: StyleGAN2, changes: Any, message: str
) -> None:
    with pytest.raises(RegenError, match=f"^{re.escape(message)}"):
        resolve(replace(edits(None), file="e.json", **changes), generator)


def test_a_layer_of_another_projector_is_told_with_the_place_of_the_layer() -> None:
    given = replace(edits(None), file="e.json", value_layer=8)
    path = bundled.projectors_of(open_generator("portraits").digest())[10]
    with pytest.raises(ProjectorError, match=r"^e.json: value_layer: value layer of .*: got 8, "):
        resolve(given, "portraits", projectors=[path])
