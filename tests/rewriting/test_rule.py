from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
import torch

from regen.errors import ProjectorError, RegionError, RewriteError
from regen.generators.stylegan2.generator import StyleGAN2
from regen.generators.stylegan2.split import StyleGAN2Split
from regen.images.raster import feather, resize_mask
from regen.images.regions import Region
from regen.rewriting.composite import Example
from regen.rewriting.rule import (
    Project,
    Rule,
    RuleSettings,
    build_rule,
    decode_wanted,
    region_weights,
)

HARD = RuleSettings(feather_px=0, scale="stretch", paste="difference")


def inside(mask: torch.Tensor) -> torch.Tensor:
    return (mask == 1).expand(-1, 8, -1, -1)


def outside(mask: torch.Tensor) -> torch.Tensor:
    return (mask == 0).expand(-1, 8, -1, -1)


@pytest.mark.parametrize("size", [1, 5, 40])
def test_a_region_of_any_size_has_its_share(size: int) -> None:
    mask = torch.zeros(3, 1, 8, 8)
    mask.view(3, -1)[:, :size] = 1
    weights = region_weights(mask, new=10, old=1)
    assert weights.sum().item() == pytest.approx(1)
    assert (weights * mask).sum().item() == pytest.approx(10 / 11)
    torch.testing.assert_close(weights.sum(dim=(1, 2, 3)), torch.full([3], 1 / 3))
    for part in (weights[mask == 1], weights[mask == 0]):
        torch.testing.assert_close(part, part[:1].expand_as(part))


def test_samples_with_regions_of_different_size_weigh_the_same() -> None:
    mask = torch.zeros(2, 1, 4, 4)
    mask[0, :, :1, :1] = 1
    mask[1, :, :2, :4] = 0.5
    weights = region_weights(mask, new=3, old=1)
    torch.testing.assert_close(weights.sum(dim=(1, 2, 3)), torch.tensor([0.5, 0.5]))
    assert weights[0, 0, 0, 0].item() == pytest.approx(0.5 * 3 / 4)
    assert weights[1, 0, 0, 0].item() == pytest.approx(0.5 * (3 / 8 + 0.5 / 12) / 4)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_regions_of_everything_or_nothing_still_sum_to_one(value: float) -> None:
    weights = region_weights(torch.full((2, 1, 3, 3), value), new=10, old=1)
    torch.testing.assert_close(weights, torch.full((2, 1, 3, 3), 1 / 18))


def test_old_may_weigh_nothing() -> None:
    mask = torch.zeros(1, 1, 2, 2)
    mask[..., 0, 0] = 1
    assert region_weights(mask, new=2, old=0).flatten().tolist() == [1, 0, 0, 0]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"align": "images"}, "align: got 'images', expected image or feature"),
        ({"scale": "cover"}, "scale: got 'cover', expected uniform or stretch"),
        ({"shape": "round"}, "shape: got 'round', expected auto or exemplar or target"),
        ({"blend": "soft"}, "blend: got 'soft', expected none or gain or poisson"),
        ({"paste": "values"}, "paste: got 'values', expected difference or features"),
        ({"feather_px": -1}, "feather: got -1, expected 0 to 512 pixels"),
        ({"feather_px": math.nan}, "feather: got nan, expected 0 to 512 pixels"),
    ],
)
def test_settings_that_make_no_sense(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(RewriteError, match=message):
        RuleSettings(**changes)


def test_a_rule_holds_each_target_as_the_generator_draws_it(
    generator: StyleGAN2, split: StyleGAN2Split, rule: Rule
) -> None:
    latent = generator.seed_latents([1, 2])
    assert len(rule) == 2
    torch.testing.assert_close(rule.images, generator(latent))
    torch.testing.assert_close(rule.keys.features, split.head(latent).features)
    value = split.memory(rule.keys)
    torch.testing.assert_close(rule.before.features, value.features)
    torch.testing.assert_close(split.tail(rule.before), rule.images)
    shapes = {"wanted": 8, "mask": 1, "images": 3, "composites": 3, "image_mask": 1}
    for name, channels in shapes.items():
        side = 16 if name in ("wanted", "mask") else 32
        assert getattr(rule, name).shape == (2, channels, side, side)


def test_pixels_and_features_change_exactly_where_the_mask_is(
    split: StyleGAN2Split, examples: list[Example], project: Project
) -> None:
    rule = build_rule(split, project, examples, HARD)
    assert rule.image_mask.unique().tolist() == [0, 1]
    assert rule.image_mask[0, 0, 12:20, 10:18].eq(1).all()
    assert rule.image_mask.sum() == 2 * 64
    pixels = rule.image_mask.expand(-1, 3, -1, -1)
    assert torch.equal(rule.composites[pixels == 0], rule.images[pixels == 0])
    stripes = examples[0].exemplar[:, :, 4:12, 4:12]
    torch.testing.assert_close(rule.composites[:, :, 12:20, 10:18], stripes.expand(2, -1, -1, -1))
    before = rule.before.features
    assert torch.equal(rule.wanted[outside(rule.mask)], before[outside(rule.mask)])
    assert not torch.equal(rule.wanted[inside(rule.mask)], before[inside(rule.mask)])


def test_difference_adds_what_the_projector_sees_change(
    split: StyleGAN2Split, examples: list[Example], project: Project
) -> None:
    rule = build_rule(split, project, examples, HARD)
    wanted = rule.before.features + project(rule.composites) - project(rule.images)
    torch.testing.assert_close(rule.wanted[inside(rule.mask)], wanted[inside(rule.mask)])


def test_features_replace_the_value(
    split: StyleGAN2Split, examples: list[Example], project: Project
) -> None:
    rule = build_rule(split, project, examples, replace(HARD, paste="features"))
    wanted = project(rule.composites)
    torch.testing.assert_close(rule.wanted[inside(rule.mask)], wanted[inside(rule.mask)])


def test_difference_forgives_a_projector_that_is_wrong_about_the_target(
    generator: StyleGAN2, split: StyleGAN2Split, project: Project
) -> None:
    latent, eye = generator.seed_latents([7]), Region.ellipse(16, 16, 6, 4)
    itself = [Example(generator(latent), eye, latent, eye)]
    forgiven = build_rule(split, project, itself, RuleSettings(paste="difference"))
    replaced = build_rule(split, project, itself, RuleSettings(paste="features"))
    torch.testing.assert_close(forgiven.wanted, forgiven.before.features, rtol=0, atol=1e-4)
    assert (replaced.wanted - replaced.before.features).abs().max() > 0.1


@pytest.mark.parametrize("align", ["image", "feature"])
def test_the_rest_of_a_transparent_exemplar_is_neither_pasted_nor_asked_for(
    split: StyleGAN2Split, examples: list[Example], project: Project, align: Any
) -> None:
    """A white ground that is transparent, in a box of 8 pixels, leaves a disc of 4."""
    alpha = Region.box(6, 6, 10, 10).mask(32, 32)
    rules = []
    for ground in (1.0, -1.0):
        image = torch.where(alpha > 0, 0.25, ground).expand(1, 3, 32, 32)
        clear = replace(examples[0], exemplar=image, alpha=alpha)
        rules.append(build_rule(split, project, [clear], replace(HARD, align=align)))
    rule = rules[0]
    disc = Region.box(12, 14, 16, 18).mask(32, 32)
    torch.testing.assert_close(rule.image_mask, disc)
    torch.testing.assert_close(rule.mask, resize_mask(disc, 16, 16))
    assert torch.equal(rule.composites[outside_of(disc)], rule.images[outside_of(disc)])
    assert rule.composites[disc.expand(-1, 3, -1, -1) == 1].sub(0.25).abs().max() < 1e-5
    before = rule.before.features
    assert torch.equal(rule.wanted[outside(rule.mask)], before[outside(rule.mask)])
    assert torch.equal(rule.wanted, rules[1].wanted)  # what is hidden changes nothing


def test_blending_changes_the_composite_and_what_it_is_projected_to(
    split: StyleGAN2Split, examples: list[Example], project: Project
) -> None:
    pale = [replace(example, exemplar=0.3 * example.exemplar - 0.5) for example in examples]
    plain = build_rule(split, project, pale, HARD)
    for blend in ("gain", "poisson"):
        rule = build_rule(split, project, pale, replace(HARD, blend=blend))  # type: ignore[arg-type]
        assert torch.equal(rule.image_mask, plain.image_mask)
        away = outside_of(rule.image_mask)
        assert torch.equal(rule.composites[away], plain.composites[away])
        assert not torch.allclose(rule.composites, plain.composites)
        assert not torch.allclose(rule.wanted, plain.wanted)


def outside_of(mask: torch.Tensor) -> torch.Tensor:
    return (mask == 0).expand(-1, 3, -1, -1)


def test_feathered_masks_are_the_same_at_both_sizes(
    split: StyleGAN2Split, examples: list[Example], project: Project
) -> None:
    rule = build_rule(split, project, examples, RuleSettings(feather_px=3))
    hard = build_rule(split, project, examples, RuleSettings(feather_px=0))
    torch.testing.assert_close(rule.image_mask, feather(hard.image_mask, 3))
    torch.testing.assert_close(rule.mask, resize_mask(rule.image_mask, 16, 16))
    soft = rule.image_mask
    mixed = rule.images * (1 - soft) + hard.composites * soft
    within = hard.image_mask.expand(-1, 3, -1, -1) == 1
    torch.testing.assert_close(rule.composites[within], mixed[within])


def test_aligning_features_moves_those_of_the_exemplar(
    split: StyleGAN2Split, examples: list[Example], project: Project
) -> None:
    moved = [replace(e, target_region=Region.box(10, 12, 18, 20)) for e in examples]
    noisy = torch.rand(1, 3, 32, 32) * 2 - 1
    moved = [replace(e, exemplar=noisy) for e in moved]
    rule = build_rule(split, project, moved, replace(HARD, align="feature"))
    features = project(noisy)[:, :, 2:6, 2:6]  # the box from 4 to 12 at half the size
    torch.testing.assert_close(
        rule.wanted[:, :, 6:10, 5:9], features.expand(2, -1, -1, -1), rtol=1e-3, atol=1e-3
    )
    before = rule.before.features
    assert torch.equal(rule.wanted[outside(rule.mask)], before[outside(rule.mask)])


@pytest.mark.parametrize("align", ["image", "feature"])
def test_exemplars_of_another_size_are_scaled_onto_the_target(
    split: StyleGAN2Split, examples: list[Example], align: Any, project: Project
) -> None:
    flat = torch.full((1, 3, 50, 70), 0.5)
    large = replace(examples[0], exemplar=flat, exemplar_region=Region.box(20, 10, 60, 30))
    rule = build_rule(split, project, [large], RuleSettings(feather_px=0, align=align))
    assert rule.composites[:, :, 12:20, 10:18].sub(0.5).abs().max() < 1e-5
    if align == "feature":
        same = project(torch.full((1, 3, 32, 32), 0.5))[:, :, :1, :1]
        torch.testing.assert_close(rule.wanted[:, :, 6:10, 5:9], same.expand(-1, -1, 4, 4))


@pytest.mark.parametrize(("scale", "slope"), [("stretch", 1.0), ("uniform", 0.5)])
def test_scaling_stretches_or_covers(
    split: StyleGAN2Split, examples: list[Example], project: Project, scale: Any, slope: float
) -> None:
    ramp = (torch.arange(32) / 32).expand(1, 3, 32, 32)  # rises by 1/32 from column to column
    wide = replace(examples[0], exemplar=ramp, exemplar_region=Region.box(4, 4, 12, 8))
    rule = build_rule(split, project, [wide], RuleSettings(feather_px=0, scale=scale))
    steps = 32 * rule.composites[:, :, 12:20, 10:18].diff(dim=3)
    torch.testing.assert_close(steps, torch.full_like(steps, slope), rtol=0, atol=1e-3)


def test_a_rule_holds_no_graph_even_when_the_generator_trains(
    generator: StyleGAN2, split: StyleGAN2Split, examples: list[Example], project: Project
) -> None:
    generator.requires_grad_(True)
    rule = build_rule(split, project, examples, RuleSettings())
    assert not any(
        t.requires_grad
        for t in (rule.keys.features, rule.before.features, rule.wanted, rule.composites)
    )


def test_half_precision_generators_give_float_values(
    generator: StyleGAN2, split: StyleGAN2Split, examples: list[Example], project: Project
) -> None:
    exact = build_rule(split, project, examples, RuleSettings())
    generator.precision = torch.bfloat16
    rule = build_rule(split, project, examples, RuleSettings())
    assert rule.before.features.dtype == torch.bfloat16
    assert rule.wanted.dtype == torch.float32
    assert decode_wanted(split, rule).dtype == torch.float32
    torch.testing.assert_close(rule.wanted, exact.wanted, rtol=0.1, atol=0.1)


def test_decoding_uses_the_targets_own_context(split: StyleGAN2Split, rule: Rule) -> None:
    unchanged = replace(rule, wanted=rule.before.features)
    assert torch.equal(decode_wanted(split, unchanged), split.tail(rule.before))
    change = (decode_wanted(split, rule) - rule.images).abs().mean(dim=1)
    assert change[:, 13:19, 11:17].mean() > 10 * change[:, :4, 26:].mean()


def test_a_rule_needs_an_example(split: StyleGAN2Split, project: Project) -> None:
    with pytest.raises(RewriteError, match="rule: got no examples, expected one to three targets"):
        build_rule(split, project, [], RuleSettings())


def test_features_cannot_be_aligned_without_a_projector(
    split: StyleGAN2Split, examples: list[Example]
) -> None:
    with pytest.raises(ProjectorError, match="align: got feature, without a projector"):
        build_rule(split, None, examples, RuleSettings(align="feature"))


@pytest.mark.parametrize("name", ["exemplar_region", "target_region"])
def test_regions_outside_their_image(
    split: StyleGAN2Split, examples: list[Example], name: str, project: Project
) -> None:
    wrong = replace(examples[0], **{name: Region.box(20, 20, 40, 30)})
    with pytest.raises(RegionError, match="outside its image: got x from 20 to 40"):
        build_rule(split, project, [wrong], RuleSettings())


def test_a_projector_of_another_layer(split: StyleGAN2Split, examples: list[Example]) -> None:
    with pytest.raises(RegionError, match=r"cannot paste: got values \[1, 8, 16, 16\], pasted"):
        build_rule(split, lambda x: x, examples, RuleSettings(paste="features"))


def test_border_moves_weight_next_to_the_region_and_keeps_both_shares() -> None:
    mask = torch.zeros(1, 1, 32, 32)
    mask[:, :, 12:20, 12:20] = 1
    even, band = region_weights(mask, 10, 4), region_weights(mask, 10, 4, border=0.5)
    inside = mask > 0
    assert band.sum().item() == pytest.approx(1)
    assert band[inside].sum().item() == pytest.approx(even[inside].sum().item())
    assert (band[0, 0, 16, 10] > 2 * even[0, 0, 16, 10]).item()
    assert band[0, 0, 0, 0].item() == pytest.approx(0.5 * even[0, 0, 0, 0].item(), rel=1e-4)


def test_what_cannot_change_takes_no_share() -> None:
    mask, can = torch.zeros(1, 1, 4, 4), torch.zeros(1, 1, 4, 4)
    mask[..., 1, 1], can[..., 1:3, 1:3] = 1, 1
    weights = region_weights(mask, 10, 4, changeable=can)
    assert weights[0, 0, 1, 1] == pytest.approx(10 / 14)
    assert float((weights * (1 - can)).sum()) == 0
    assert weights[0, 0, 2, 2] == pytest.approx(4 / 14 / 3)
