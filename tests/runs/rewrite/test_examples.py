"""From an edits file to the examples of a rule: what a generator must have for what it names."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from regen.edits.exemplars import Image
from regen.edits.schema import (
    Edit,
    Edits,
    NamedRegion,
    PasteOracle,
    Pattern,
    SampleSpec,
    Style,
    Target,
)
from regen.errors import EditsError, RegionError
from regen.generators.stylegan2.config import StyleGAN2Config
from regen.generators.stylegan2.generator import StyleGAN2
from regen.images.regions import Region
from regen.runs.rewrite.examples import check_names, load_examples

EYES, BOX = NamedRegion("eyes"), Region.box(4, 4, 12, 12)


@pytest.fixture(scope="module")
def generator() -> StyleGAN2:
    config = StyleGAN2Config(
        resolution=32, z_dim=8, w_dim=8, channel_base=256, channel_max=8, mapping_layers=1
    )
    return StyleGAN2(config).eval().requires_grad_(False)


def edits(*targets: Target, **more: Any) -> Edits:
    return Edits((Edit(Pattern("cat_eyes", 5), EYES, targets),), **more)


def test_the_portraits_have_named_regions_and_an_oracle() -> None:
    check_names(edits(Target(SampleSpec(3), EYES), oracle="cat_eyes"))


def test_another_generator_has_neither() -> None:
    plain, named = Target(SampleSpec(3), BOX), Target(SampleSpec(4), EYES)
    check_names(edits(plain, generator="church"))
    with pytest.raises(EditsError) as caught:
        check_names(edits(plain, generator="church", oracle="cat_eyes"))
    assert str(caught.value) == "oracle: only the generator 'portraits' has one; remove it"
    with pytest.raises(EditsError) as caught:
        check_names(edits(plain, named, generator="church"))
    assert str(caught.value) == (
        "edits[0].targets[1].region: only the generator 'portraits' has named regions; "
        "give a box or a polygon"
    )


def test_a_pasted_oracle_is_refused() -> None:
    with pytest.raises(EditsError, match='^oracle: got {"paste": true}, which regen does not '):
        check_names(edits(Target(SampleSpec(3), BOX), oracle=PasteOracle()))


def test_names_are_checked_where_examples_are_loaded(generator: StyleGAN2) -> None:
    with pytest.raises(EditsError, match="only the generator 'portraits' has named regions"):
        load_examples(edits(Target(SampleSpec(3), EYES), generator="church"), generator)


def test_a_truncation_that_is_not_said_is_1(generator: StyleGAN2) -> None:
    targets = (Target(SampleSpec(3, truncation), BOX) for truncation in (None, 1.0, 0.5))
    plain, whole, half = (
        generator(item.example.latent) for item in load_examples(edits(*targets), generator)
    )
    assert plain.equal(whole) and not plain.equal(half)


@pytest.mark.parametrize(
    ("sample", "keys"),
    [
        (SampleSpec(picture=Image("dog.jpg")), "picture"),
        (SampleSpec(3, style=Style(1)), "seed, style"),
        (SampleSpec(3, hole=BOX), "seed, hole"),
    ],
)
def test_samples_of_another_family_are_refused(
    generator: StyleGAN2, sample: SampleSpec, keys: str
) -> None:
    with pytest.raises(EditsError) as caught:
        load_examples(edits(Target(SampleSpec(3), BOX), Target(sample, BOX)), generator)
    assert str(caught.value) == (
        f"edits[0].targets[1]: got a target with {keys}, "
        "expected a seed, which is all that samples of this generator are made of"
    )


def test_a_region_outside_of_its_image_is_refused(generator: StyleGAN2) -> None:
    far = Target(SampleSpec(3), Region.box(20, 20, 40, 30))
    with pytest.raises(RegionError, match=r"^edits\[0\].targets\[0\].region: region reaches"):
        load_examples(edits(far), generator)
    one = edits(Target(SampleSpec(3), BOX))
    outside = replace(one.edits[0], region=Region.box(20, 20, 40, 30))
    with pytest.raises(RegionError, match=r"^edits\[0\].region: region reaches"):
        load_examples(replace(one, edits=(outside,)), generator)
