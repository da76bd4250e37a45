"""Second moments of a rule's keys against their definition."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from regen import batches
from regen.errors import RewriteError
from regen.generators.stylegan2.split import StyleGAN2Split
from regen.images.regions import resize_mask
from regen.rewriting.preserved import Preserved
from regen.rewriting.rule import Rule, region_weights
from regen.rewriting.rule_keys import region_moments, rule_moments
from tests.tolerances import assert_near

NAMES = ["convs.4.weight", "convs.5.weight"]


@pytest.mark.parametrize("shares", [(1.0, 0.0, 0.0), (10.0, 4.0, 0.5)])
def test_they_are_weighted_sums_over_positions(
    split: StyleGAN2Split, rule: Rule, shares: tuple[float, float, float]
) -> None:
    found = region_moments(split, rule.keys, rule.image_mask, NAMES, shares=shares)
    assert list(found) == NAMES
    for keys in split.convolution_keys(rule.keys, {}):
        height, width = keys.size
        weights = region_weights(resize_mask(rule.image_mask, height, width), *shares)
        rows = keys.rows(torch.arange(height * width)).flatten(0, 1).double()
        wanted = rows.T @ (rows * weights.flatten()[:, None])
        assert_near(found[keys.name].float(), wanted.float())


def test_by_default_it_is_the_mean_over_the_region(split: StyleGAN2Split, rule: Rule) -> None:
    found = region_moments(split, rule.keys, rule.image_mask, NAMES[1:])
    (_, keys) = split.convolution_keys(rule.keys, {})
    inside = resize_mask(rule.image_mask, *keys.size).flatten(1).double()
    rows = keys.rows(torch.arange(keys.size[0] * keys.size[1])).double()
    mean = torch.einsum("nmk,nm->nk", rows.square(), inside) / inside.sum(1, keepdim=True)
    assert_near(found[keys.name].diagonal().float(), mean.mean(0).float())


def test_changed_weights_change_the_keys_after_them(split: StyleGAN2Split, rule: Rule) -> None:
    own = dict(split.memory.named_parameters())[NAMES[0]]
    other = {NAMES[0]: own.detach() + torch.randn(own.shape)}
    plain, changed = (
        region_moments(split, rule.keys, rule.image_mask, NAMES, weights=weights)
        for weights in ({}, other)
    )
    assert torch.equal(plain[NAMES[0]], changed[NAMES[0]])
    assert not torch.equal(plain[NAMES[1]], changed[NAMES[1]])


def test_targets_of_large_images_are_added_up_one_by_one(
    split: StyleGAN2Split, rule: Rule, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = region_moments(split, rule.keys, rule.image_mask, NAMES)
    monkeypatch.setattr(batches, "_USUAL_PIXELS", 1)  # 32x32 is large
    parts = region_moments(split, rule.keys, rule.image_mask, NAMES)
    for name, moment in whole.items():
        assert_near(parts[name].float(), moment.float())


def test_an_empty_region_has_no_keys(split: StyleGAN2Split, rule: Rule) -> None:
    with pytest.raises(RewriteError, match="no position with a weight above 0"):
        region_moments(split, rule.keys, torch.zeros_like(rule.image_mask), NAMES)


def test_half_are_of_preserved_samples_where_those_may_change(
    split: StyleGAN2Split, rule: Rule, preserved: Preserved
) -> None:
    keep = torch.ones_like(preserved.keep)
    keep[2:, :, 5:9, 6:12] = 0  # the first two have no keys like the rule's
    own = region_moments(split, rule.keys, rule.image_mask, NAMES)
    rest = preserved.keys.select(torch.arange(2, len(keep)))
    others = region_moments(split, rest, (1 - keep)[2:], NAMES)
    found = rule_moments(split, rule, replace(preserved, keep=keep), NAMES)
    for name in NAMES:
        assert_near(found[name].float(), ((own[name] + others[name]) / 2).float())


@pytest.mark.parametrize("there", [True, False])
def test_without_such_places_they_are_the_targets_alone(
    split: StyleGAN2Split, rule: Rule, preserved: Preserved, there: bool
) -> None:
    own = region_moments(split, rule.keys, rule.image_mask, NAMES)
    kept = replace(preserved, keep=torch.ones_like(preserved.keep)) if there else None
    found = rule_moments(split, rule, kept, NAMES)
    assert all(torch.equal(found[name], own[name]) for name in NAMES)
