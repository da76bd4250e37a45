"""How large patterns are to the keys, and what is left of them by a soft edge."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from regen.generators.stylegan2.split import StyleGAN2Split
from regen.images.regions import Region
from regen.projector.project import Project
from regen.rewriting.composite import Example
from regen.rewriting.pattern_sizes import (
    at_keys,
    between_keys,
    has_own_outline,
    is_thin,
    left_by_edge,
)
from regen.rewriting.rule import Rule, build_rule
from regen.rewriting.settings import RuleSettings


def test_thin_is_what_fills_little_of_its_positions() -> None:
    inside = torch.zeros(1, 1, 4, 4)
    inside[..., 1, :] = 0.4
    assert is_thin(inside)
    inside[..., 2, :] = 1
    assert not is_thin(inside)


def test_a_region_at_the_size_of_the_keys(rule: Rule, examples: list[Example]) -> None:
    assert between_keys(rule) == 4
    given = replace(examples[0], target_region=Region.box(8, 8, 16, 12))
    found = at_keys(given, rule)
    assert found.shape == (1, 1, 8, 8) and float(found.sum()) == pytest.approx(2)


def test_a_pattern_has_an_outline_of_its_own_or_not(examples: list[Example]) -> None:
    opaque, usual = examples[0], RuleSettings()
    assert not has_own_outline(opaque, usual)
    assert has_own_outline(opaque, RuleSettings(shape="exemplar"))
    assert has_own_outline(replace(opaque, drawn=True), usual)
    assert not has_own_outline(replace(opaque, drawn=True), RuleSettings(shape="target"))
    glass = replace(opaque, alpha=torch.ones(1, 1, 32, 32))
    assert has_own_outline(glass, RuleSettings(shape="target"))


@pytest.mark.parametrize(
    ("feather", "opacity", "left"), [(0, 0.3, 1), (1, 1, 1), (24, 1, 0.07), (1, 0.3, 1)]
)
def test_what_a_soft_edge_leaves(
    split: StyleGAN2Split,
    project: Project,
    examples: list[Example],
    feather: float,
    opacity: float,
    left: float,
) -> None:
    alpha = None if opacity == 1 else torch.full((1, 1, 32, 32), opacity)
    given, settings = replace(examples[0], alpha=alpha), RuleSettings(feather_px=feather)
    rule = build_rule(split, project, [examples[1], given], settings)
    assert left_by_edge(given, settings, rule, 1) == pytest.approx(left, abs=0.01)
