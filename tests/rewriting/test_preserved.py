"""Samples that must stay, and where on each."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from regen.edits.schema import NamedRegion
from regen.generators.stylegan2.generator import StyleGAN2
from regen.generators.stylegan2.split import StyleGAN2Split
from regen.images.regions import Region
from regen.rewriting.composite import Example
from regen.rewriting.preserved import images_of, keys_of, preserve
from regen.rewriting.rule import Rule, build_rule
from regen.rewriting.settings import FitSettings, RuleSettings
from tests.helpers.rfr import lively


def test_keys_of_many_samples_are_those_of_each(
    generator: StyleGAN2, split: StyleGAN2Split
) -> None:
    samples = generator.source().samples(range(18))
    keys = keys_of(generator, split, samples).features
    assert keys.shape == (18, 8, 8, 8) and not keys.requires_grad
    torch.testing.assert_close(keys[17:], split.head(generator.latents(samples[17:])).features)


def test_images_of_keys_are_the_generator_s_with_whatever_its_memory_has_learned(
    generator: StyleGAN2, split: StyleGAN2Split
) -> None:
    samples = generator.source().samples(range(18))
    keys, before = keys_of(generator, split, samples), generator.images(samples)
    torch.testing.assert_close(images_of(generator, split, keys), before)
    with torch.no_grad():
        generator.get_parameter(split.full_name(split.memory_weights()[0])).abs_()
    after = images_of(generator, split, keys)
    torch.testing.assert_close(after, generator.images(samples))
    assert after.dtype == torch.float32 and not torch.allclose(after, before)


def test_they_are_the_generator_s_own_samples(
    generator: StyleGAN2, split: StyleGAN2Split, rule: Rule
) -> None:
    samples = generator.source().samples(range(50, 70))  # more than one batch
    settings = FitSettings(preserve=20, preserve_outside_match=False)
    kept, _ = preserve(generator, split, rule, settings, samples)
    assert kept is not None and len(kept) == 20
    latents = generator.latents(samples)
    torch.testing.assert_close(kept.images, generator(latents))
    torch.testing.assert_close(kept.values, split.value_of(latents).features)
    torch.testing.assert_close(kept.keys.features, split.head(latents).features)
    assert kept.keep.eq(1).all() and kept.keep.shape == (20, 1, 16, 16)
    assert kept.image_keep.eq(1).all() and kept.image_keep.shape == (20, 1, 32, 32)


def test_where_the_rule_will_act_they_need_not_stay(
    generator: StyleGAN2, split: StyleGAN2Split, rule: Rule
) -> None:
    samples = generator.source().samples(range(50, 54))
    kept, matcher = preserve(generator, split, rule, FitSettings(match_area=2.0), samples)
    assert kept is not None
    acts = matcher.mask(kept.keys.features, (32, 32), slack=2.0)
    torch.testing.assert_close(kept.image_keep, 1 - acts)
    assert kept.keep.min() < 0.5 < kept.keep.mean()


@pytest.mark.parametrize("outside_match", [True, False])
def test_as_many_are_preserved_as_asked_for_and_all_are_compared(
    generator: StyleGAN2, split: StyleGAN2Split, rule: Rule, outside_match: bool
) -> None:
    samples = generator.source().samples(range(50, 54))
    settings = FitSettings(preserve_outside_match=outside_match)
    every, compared = preserve(generator, split, rule, settings, samples)
    kept, matcher = preserve(generator, split, rule, replace(settings, preserve=3), samples)
    assert every is not None and kept is not None and len(every) == 4
    assert matcher.share == compared.share
    for name in ("values", "images", "keep", "image_keep"):
        assert torch.equal(getattr(kept, name), getattr(every, name)[:3])
    assert torch.equal(kept.keys.features, every.keys.features[:3])


def test_nothing_is_preserved_if_nothing_is_asked_for(
    generator: StyleGAN2, split: StyleGAN2Split, rule: Rule
) -> None:
    samples = generator.source().samples(range(4))
    kept, matcher = preserve(generator, split, rule, FitSettings(preserve=0), samples)
    assert kept is None and 0 < matcher.share < 1


def test_only_what_can_change_is_preserved() -> None:
    generator = lively(people=True)
    split, source = generator.split(2, 2), generator.source()
    sample = generator.sample({"seed": 3, "hole": NamedRegion("nose"), "grow": 3})
    latent = generator.latents([sample])
    exemplar, place = torch.ones(1, 3, 32, 32), Region.box(14, 14, 18, 18)
    hole = generator.changeable(latent)
    example = Example(exemplar, place, latent, place, guide=hole)
    rule = build_rule(split, None, [example], RuleSettings(), values=False)
    assert torch.equal(rule.changeable, hole)
    samples = source.samples([1_000_000, 1_000_001])
    kept, _ = preserve(generator, split, rule, FitSettings(preserve=2), samples)
    assert kept is not None
    holes = generator.changeable(generator.latents(samples))
    assert float((kept.image_keep * (1 - holes)).sum()) == 0 < float(kept.image_keep.sum())
