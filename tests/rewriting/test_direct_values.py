"""Values that are found without a projector."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from regen.errors import RewriteError
from regen.generators.stylegan2.split import StyleGAN2Split
from regen.losses import weighted_l1
from regen.rewriting import direct_values as module
from regen.rewriting.composite import Example
from regen.rewriting.direct_values import DirectSettings, direct_values
from regen.rewriting.rule import Rule, RuleSettings, build_rule, decode_wanted, region_weights
from regen.training.graphs import Graphs
from tests.helpers.recording import Tracer


class Never:
    """What no split is an instance of."""


@pytest.fixture
def direct(split: StyleGAN2Split, examples: list[Example]) -> Rule:
    """The rule of two targets, made without a projector."""
    return build_rule(split, None, examples, RuleSettings())


def test_they_decode_to_the_composite_inside_and_stay_outside(
    split: StyleGAN2Split, direct: Rule
) -> None:
    inside, outside = direct.image_mask, 1 - direct.image_mask
    decoded = decode_wanted(split, direct)
    before = weighted_l1(direct.images, direct.composites, inside)
    assert weighted_l1(decoded, direct.composites, inside) < 0.5 * before
    assert weighted_l1(decoded, direct.images, outside) < 0.05 * before


def test_only_the_region_changes(direct: Rule) -> None:
    same = (direct.mask == 0).expand_as(direct.wanted)
    assert torch.equal(direct.wanted[same], direct.before.features[same])
    assert not torch.equal(direct.wanted, direct.before.features)


def test_more_steps_come_closer(split: StyleGAN2Split, direct: Rule) -> None:
    errors = []
    for steps in (1, 5, 40):
        found = direct_values(
            split,
            direct.before,
            direct.composites,
            direct.image_mask,
            direct.mask,
            direct.image_mask,
            DirectSettings(steps=steps),
        )
        decoded = decode_wanted(split, replace(direct, wanted=found))
        errors.append(weighted_l1(decoded, direct.composites, direct.image_mask).item())
    assert errors == sorted(errors, reverse=True)


def test_a_family_that_cannot_decode_parts_decodes_the_whole(
    split: StyleGAN2Split, direct: Rule, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CropSplit", Never)
    weights = region_weights(direct.image_mask, 10, 4, 0.5)
    found = direct_values(
        split, direct.before, direct.composites, weights, direct.mask, direct.image_mask
    )
    whole, part = (
        weighted_l1(
            decode_wanted(split, replace(direct, wanted=wanted)),
            direct.composites,
            direct.image_mask,
        ).item()
        for wanted in (found, direct.wanted)
    )
    assert part == pytest.approx(whole, rel=0.1)


def test_they_are_found_where_gradients_are_off_and_for_half_precision(
    split: StyleGAN2Split, direct: Rule
) -> None:
    half = direct.before.with_features(direct.before.features.bfloat16())
    with torch.no_grad():
        found = direct_values(
            split, half, direct.composites, direct.image_mask, direct.mask, direct.image_mask
        )
    assert found.dtype == torch.float32 and not found.requires_grad
    errors = [
        weighted_l1(
            decode_wanted(split, replace(direct, wanted=wanted)),
            direct.composites,
            direct.image_mask,
        ).item()
        for wanted in (found, direct.wanted)
    ]
    assert errors[0] == pytest.approx(errors[1], rel=0.1)


def test_a_loss_that_is_not_finite(split: StyleGAN2Split, direct: Rule) -> None:
    lost = torch.full_like(direct.composites, torch.nan)
    with pytest.raises(RewriteError, match="values by gradient steps: loss in step 0: got nan"):
        direct_values(split, direct.before, lost, direct.image_mask, direct.mask, direct.image_mask)


@pytest.mark.parametrize("wrong", [{"steps": 0}, {"lr": 0.0}, {"structure": -1.0}])
def test_settings(wrong: dict[str, float]) -> None:
    with pytest.raises(RewriteError, match="values by gradient steps: got DirectSettings"):
        DirectSettings(**wrong)  # type: ignore[arg-type]


def test_recorded_steps_give_what_called_ones_give(
    split: StyleGAN2Split, direct: Rule, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracer = Tracer()

    def found(graphs: Graphs) -> torch.Tensor:
        images, mask = direct.composites, direct.image_mask
        few = DirectSettings(steps=5)
        return direct_values(split, direct.before, images, mask, direct.mask, mask, few, graphs)

    recorded = found(Graphs(tracer))
    assert tracer.replays == 5
    monkeypatch.setattr(module, "CropSplit", Never)  # recorded steps decode whole images
    assert torch.equal(recorded, found(Graphs(None)))
