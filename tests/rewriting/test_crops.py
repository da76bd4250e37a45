from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from regen.generators.crops import Window, cut
from regen.generators.split import Split
from regen.generators.stylegan2.generator import StyleGAN2
from regen.images.regions import Region
from regen.projector.project import Project
from regen.rewriting.composite import Example
from regen.rewriting.crops import Crops, plan_crops
from regen.rewriting.memory import fit_memory
from regen.rewriting.objective import Losses
from regen.rewriting.preserved import Preserved
from regen.rewriting.rule import Rule, RuleSettings, build_rule
from regen.rewriting.settings import FitSettings
from tests.helpers.examples import striped
from tests.tolerances import assert_near

FIT = FitSettings(precision="fp32", steps=3, preserve_batch=2)


@pytest.fixture
def crops(split: Split, rule: Rule) -> Crops:
    planned = plan_crops(split, rule)
    assert planned is not None
    return planned


def test_windows_hold_the_regions_with_a_border(crops: Crops, rule: Rule) -> None:
    for window, mask in zip(crops.targets, rule.image_mask, strict=True):
        assert window.top % crops.split.cell == window.left % crops.split.cell == 0
        inside = cut(mask[None], [window])
        assert inside.sum() == mask.sum()
        assert float(inside[..., :6, :].max()) < 0.02
        assert float(inside[..., :, :6].max()) < 0.02


def test_recall_in_a_window_equals_that_of_the_whole_image(
    split: Split, rule: Rule, crops: Crops
) -> None:
    """With q = 0 the rest of the image has no weight, so both losses are the same number."""
    fit = replace(FIT, weight_old=0.0)
    weights = {n: p for n, p in split.memory.named_parameters() if n in split.memory_weights()}
    whole = Losses(split, rule, fit, None)(weights)
    part = Losses(split, rule, fit, None, crops)(weights)
    assert whole.keys() == part.keys() == {"recall_value", "recall_image", "recall_structure"}
    for name in ("recall_value", "recall_image", "recall_structure"):
        assert_near(part[name].detach(), whole[name].detach(), size=10)


def test_windows_of_preserved_samples_have_no_error_before_the_fit(
    split: Split, rule: Rule, preserved: Preserved, crops: Crops
) -> None:
    weights = dict(split.memory.named_parameters())
    losses = Losses(split, rule, FIT, preserved, crops)
    for _ in range(4):
        terms = losses(weights)
        assert float(terms["preserve_value"]) < 1e-4
        assert float(terms["preserve_image"]) < 1e-4


def test_tiles_cover_the_image(crops: Crops) -> None:
    seen = torch.zeros(crops.size)
    for tile in crops.tiles:
        seen[tile.top : tile.top + tile.height, tile.left : tile.left + tile.width] = 1
    assert bool(seen.all())
    drawn = set(crops.draw(200, torch.Generator().manual_seed(0)))
    assert drawn == {*crops.tiles, *crops.targets}


def test_large_regions_are_fitted_on_whole_images(
    generator: StyleGAN2, split: Split, project: Project
) -> None:
    everywhere = striped(generator, Region.box(1, 1, 31, 31))
    assert plan_crops(split, build_rule(split, project, everywhere, RuleSettings())) is None


def test_a_family_without_crops_is_fitted_on_whole_images(rule: Rule) -> None:
    assert plan_crops(object(), rule) is None  # type: ignore[arg-type]


def test_a_fit_on_windows_learns_the_rule(split: Split, rule: Rule, preserved: Preserved) -> None:
    found: list[tuple[int, float]] = []
    fit = replace(FIT, solver="adam", steps=40, lr=0.05, preserve_weight=0.5)
    fit_memory(
        split,
        rule,
        fit,
        preserved,
        on_report=lambda step, terms: found.append((step, terms["recall_image"])),
    )
    assert found[-1][1] < 0.9 * found[0][1]


def test_on_windows_no_samples_to_preserve_are_none(
    split: Split, rule: Rule, preserved: Preserved
) -> None:
    without = fit_memory(split, rule, replace(FIT, solver="adam"), preserved.select([])).deltas
    alone = fit_memory(split, rule, replace(FIT, solver="adam")).deltas
    assert all(torch.equal(without[name], alone[name]) for name in alone)


def test_windows_are_the_same_every_time(split: Split, rule: Rule, preserved: Preserved) -> None:
    one, other = (fit_memory(split, rule, FIT, preserved).deltas for _ in range(2))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_a_region_at_the_edge_keeps_its_window_inside(
    generator: StyleGAN2, split: Split, project: Project
) -> None:
    examples: list[Example] = striped(generator, Region.box(0, 0, 8, 8), Region.box(24, 24, 32, 32))
    planned = plan_crops(split, build_rule(split, project, examples, RuleSettings()))
    assert planned is not None
    first, second = planned.targets
    assert (first.top, first.left) == (0, 0)
    assert isinstance(second, Window)
    assert second.top + second.height >= 32
