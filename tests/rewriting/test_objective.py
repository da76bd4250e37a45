"""The terms of a fit, against their definition."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
import torch

from regen.errors import RewriteError
from regen.generators.split import Activation
from regen.generators.stylegan2.split import StyleGAN2Split
from regen.losses import weighted_l1
from regen.rewriting.objective import Losses
from regen.rewriting.preserved import Preserved
from regen.rewriting.rule import Rule, region_weights
from regen.rewriting.settings import FitSettings

PLAIN = FitSettings(precision="fp32", preserve_batch=2, border=0.0, structure_weight=0.0)


def weights_of(split: StyleGAN2Split) -> dict[str, torch.Tensor]:
    weights = dict(split.memory.named_parameters())
    return {name: weights[name] + 0.1 for name in split.memory_weights()}


def test_recall_is_the_weighted_difference(split: StyleGAN2Split, rule: Rule) -> None:
    weights = weights_of(split)
    config = replace(PLAIN, image_weight=3.0, weight_new=7.0, weight_old=2.0)
    terms = Losses(split, rule, config, None)(weights)
    value = split.recall(rule.keys, weights)
    wanted = weighted_l1(value.features, rule.wanted, region_weights(rule.mask, 7, 2))
    image = weighted_l1(split.tail(value), rule.composites, region_weights(rule.image_mask, 7, 2))
    assert list(terms) == ["recall_value", "recall_image"]
    torch.testing.assert_close(terms["recall_value"], wanted)
    torch.testing.assert_close(terms["recall_image"], 3 * image)


@pytest.mark.parametrize("recall", ["value", "image"])
def test_what_must_stay_is_weighed_where_it_must(
    split: StyleGAN2Split, rule: Rule, preserved: Preserved, recall: Any
) -> None:
    weights, every = weights_of(split), len(preserved)
    config = replace(
        PLAIN, recall=recall, preserve_batch=every, preserve_weight=0.5, image_weight=2.0
    )
    terms = Losses(split, rule, config, preserved)(weights)
    value = split.recall(preserved.keys, weights)
    found = {
        "value": weighted_l1(value.features, preserved.values, preserved.keep),
        "image": 2 * weighted_l1(split.tail(value), preserved.images, preserved.image_keep),
    }
    torch.testing.assert_close(terms[f"preserve_{recall}"], 0.5 * found[recall])
    assert len(terms) == (2 if recall == "value" else 3)


def test_preserved_samples_take_turns(
    split: StyleGAN2Split, rule: Rule, preserved: Preserved, monkeypatch: pytest.MonkeyPatch
) -> None:
    losses, seen = Losses(split, rule, PLAIN, preserved), list[Preserved]()
    monkeypatch.setattr(losses, "_stay", lambda features, image, kept: seen.append(kept) or {})
    for _ in range(5):
        losses(weights_of(split))
    assert all(len(kept) == 2 for kept in seen)
    known = list(preserved.images)
    numbers = [
        next(i for i, other in enumerate(known) if torch.equal(image, other))
        for kept in seen
        for image in kept.images
    ]
    assert sorted(numbers[:5]) == sorted(numbers[5:]) == [0, 1, 2, 3, 4]


def test_without_weight_nothing_is_preserved(
    split: StyleGAN2Split, rule: Rule, preserved: Preserved
) -> None:
    losses = Losses(split, rule, replace(PLAIN, preserve_weight=0.0), preserved)
    assert losses.kept == [] and losses.draw() is None
    assert losses.limit == pytest.approx(1000 * (1 + rule.wanted.abs().mean().item()))
    limit = losses.limit
    for total in (1.0, math.nan, math.inf):
        losses.begin(total)
        assert losses.limit == limit
    losses.begin(1e6)
    assert losses.limit == 1e7


@pytest.mark.parametrize("recall_on", ["value", "image", "both"])
@pytest.mark.parametrize("with_preserved", [True, False])
def test_a_rule_of_another_shape_is_named(
    split: StyleGAN2Split, rule: Rule, preserved: Preserved, with_preserved: bool, recall_on: Any
) -> None:
    other, config = replace(rule, wanted=torch.zeros(2, 8, 4, 4)), replace(PLAIN, recall=recall_on)
    losses = Losses(split, other, config, preserved if with_preserved else None)
    with pytest.raises(RewriteError, match=r"\[2, 8, 16, 16\], expected \[2, 8, 4, 4\]"):
        losses(weights_of(split))


@pytest.mark.parametrize("recall_on", ["value", "image", "both"])
@pytest.mark.parametrize("with_preserved", [True, False])
def test_the_gradient_of_a_value_has_its_memory_format(
    split: StyleGAN2Split,
    rule: Rule,
    preserved: Preserved,
    monkeypatch: pytest.MonkeyPatch,
    with_preserved: bool,
    recall_on: Any,
) -> None:
    """All of the backward pass below it would have to convert it otherwise."""
    recall, found = split.recall, []

    def watched(*args: Any) -> Activation:
        value = recall(*args)
        value.features.register_hook(found.append)
        return value

    monkeypatch.setattr(split, "recall", watched)
    weights = {name: w.detach().requires_grad_() for name, w in weights_of(split).items()}
    terms = Losses(
        split, rule, replace(PLAIN, recall=recall_on), preserved if with_preserved else None
    )(weights)
    torch.stack(list(terms.values())).sum().backward()
    (gradient,) = found
    assert gradient.is_contiguous(memory_format=torch.channels_last)
    assert not gradient.is_contiguous()
