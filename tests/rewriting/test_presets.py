"""`regen.rewriting.presets`: settings that belong together."""

from __future__ import annotations

import pytest

from regen.edits.schema import Edits, Weights
from regen.errors import RewriteError
from regen.rewriting.presets import preset, values_of
from regen.rewriting.settings import FitSettings, RewriteSettings, RuleSettings


def test_edits_that_say_nothing_change_nothing() -> None:
    given = RewriteSettings(
        rule=RuleSettings(align="feature", scale="stretch"),
        fit=FitSettings(weight_new=99, weight_old=1),
    )
    kept = given.changed(values_of(Edits(edits=())))
    assert (kept.rule.align, kept.rule.scale) == ("feature", "stretch")
    assert (kept.fit.weight_new, kept.fit.weight_old) == (99, 1)
    assert kept == given


def test_what_edits_say_counts_and_nothing_else() -> None:
    edits = Edits(
        (), weights=Weights(new=5.0), align="feature", feather=0.0, value_layer=8, memory_layers=1
    )
    assert values_of(edits) == {
        "fit.weight_new": 5.0,
        "rule.align": "feature",
        "rule.feather_px": 0.0,
        "value_layer": 8,
        "memory_layers": 1,
    }
    made = RewriteSettings(fit=FitSettings(weight_old=2.0)).changed(values_of(edits))
    assert made == RewriteSettings(
        RuleSettings(align="feature", feather_px=0.0),
        FitSettings(weight_new=5.0, weight_old=2.0),
        memory_layers=1,
        value_layer=8,
    )


def test_the_default_preset_is_the_default() -> None:
    assert preset("default") == RewriteSettings()


def test_the_paper_is_the_papers_method() -> None:
    paper = preset("paper")
    assert (paper.rule.align, paper.rule.paste, paper.rule.feather_px) == (
        *("feature", "features"),
        0,
    )
    fit = paper.fit
    assert (fit.solver, fit.recall, fit.precision) == ("adam", "value", "fp32")
    assert (fit.image_weight, fit.structure_weight, fit.border) == (0, 0, 0)
    assert (fit.preserve, fit.preserve_outside_match) == (0, False)
    assert (paper.memory_layers, paper.value_layer) == (2, 10)


@pytest.mark.parametrize(("name", "near"), [("papr", "'paper'"), ("defualt", "'default'")])
def test_a_preset_that_does_not_exist(name: str, near: str) -> None:
    with pytest.raises(RewriteError) as caught:
        preset(name)
    expected = f"preset: got '{name}', expected default or paper; did you mean {near}?"
    assert str(caught.value) == expected
