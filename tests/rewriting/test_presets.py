"""`regen.rewriting.presets`: settings that belong together."""

from __future__ import annotations

import pytest

from regen.errors import RewriteError
from regen.rewriting.presets import preset
from regen.rewriting.settings import RewriteSettings


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
