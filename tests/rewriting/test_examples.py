"""From an edits file to the examples of a rule: what a generator must have for what it names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from regen.edits.exemplars import Image
from regen.edits.schema import Edit, Edits, NamedRegion, Pattern, SampleSpec, Style, Target
from regen.errors import EditsError, RegenError, RegionError
from regen.generators.protocol import Generator
from regen.generators.stylegan2.generator import StyleGAN2
from regen.images import save_image
from regen.images.regions import Region
from regen.portraits import PortraitsOracle
from regen.rewriting.examples import load_examples
from regen.rewriting.resolve import resolve
from tests.helpers.examples import EYES, edits
from tests.helpers.munit import lively as munit_lively
from tests.helpers.rfr import lively as rfr_lively

BOX = Region.box(4, 4, 12, 12)


def test_a_generator_with_an_oracle_has_named_regions(portrait: StyleGAN2) -> None:
    (example,) = load_examples(edits(Target(SampleSpec(3), EYES)), portrait)
    people = portrait.source().samples([3])
    wanted = PortraitsOracle(32).region("eyes", people)
    assert torch.equal(example.target_region.mask(32, 32), wanted)
    assert example.target_label == "seed 3"


def test_another_generator_has_none(generator: StyleGAN2) -> None:
    plain, named = Target(SampleSpec(3), BOX), Target(SampleSpec(4), EYES)
    with pytest.raises(EditsError) as caught:
        load_examples(edits(plain, named), generator)
    assert str(caught.value) == (
        "edits[0].targets[1].region: got the name 'eyes', expected a box, polygon, ellipse or "
        "mask; only the bundled portraits have named regions"
    )


def test_a_truncated_sample_has_no_named_regions(portrait: StyleGAN2) -> None:
    with pytest.raises(EditsError, match="for a sample the renderer lacks, expected a sample th"):
        load_examples(edits(Target(SampleSpec(3, 0.5), EYES)), portrait)


def test_a_truncation_that_is_not_said_is_1(generator: StyleGAN2) -> None:
    targets = (Target(SampleSpec(3, truncation), BOX) for truncation in (None, 1.0, 0.5))
    plain, whole, half = (
        generator(item.latent) for item in load_examples(edits(*targets), generator)
    )
    assert plain.equal(whole) and not plain.equal(half)


@pytest.mark.parametrize(
    ("sample", "message"),
    [
        (SampleSpec(picture=Image("dog.jpg")), "a sample with a picture: expected one of seed, "),
        (SampleSpec(3, style=Style(1)), "a sample with a style: expected one of seed, trunc"),
        (SampleSpec(3, hole=BOX), "a sample with a hole: expected one of seed, trunc"),
        (SampleSpec(2**33), "seed: got 8589934592, expected an integer from 0 to 4294967295"),
    ],
)
def test_samples_of_another_family_are_refused(
    generator: StyleGAN2, sample: SampleSpec, message: str
) -> None:
    with pytest.raises(EditsError) as caught:
        load_examples(edits(Target(SampleSpec(3), BOX), Target(sample, BOX)), generator)
    assert str(caught.value).startswith(f"edits[0].targets[1]: {message}")


def test_a_region_outside_of_its_image_is_refused(generator: StyleGAN2) -> None:
    far = Target(SampleSpec(3), Region.box(20, 20, 40, 30))
    with pytest.raises(RegionError, match=r"^edits\[0\].targets\[0\].region: region reaches"):
        load_examples(edits(far), generator)
    one = edits(Target(SampleSpec(3), BOX))
    outside = replace(one.edits[0], region=Region.box(20, 20, 40, 30))
    with pytest.raises(RegionError, match=r"^edits\[0\].region: region reaches"):
        load_examples(replace(one, edits=(outside,)), generator)


def filling(*targets: Target) -> Edits:
    edit = Edit(Pattern("red_nose", 5), NamedRegion("nose"), targets)
    return Edits((edit,), oracle="red_nose")


def test_an_unknown_name_of_a_region_is_told_with_its_place(portrait: StyleGAN2) -> None:
    named = Target(SampleSpec(3), EYES), Target(SampleSpec(4), NamedRegion("Eyes"))
    with pytest.raises(RegenError, match=r"^edits\[0\].targets\[1\].region: unknown region of a"):
        load_examples(edits(*named), portrait)


def test_a_target_with_several_holes_is_several_examples():
    generator = rfr_lively(people=True)
    nose = SampleSpec(3, hole=NamedRegion("nose"), grow=(1, 4))
    small, large = load_examples(filling(Target(nose, NamedRegion("nose"))), generator)
    assert small.target_label == large.target_label == "seed 3"
    holes = [generator.changeable(example.latent).sum() for example in (small, large)]
    assert holes[0] < holes[1]


def test_a_region_outside_of_the_hole_is_refused():
    generator = rfr_lively(people=True)
    eyes = SampleSpec(3, hole=NamedRegion("eyes"))
    with pytest.raises(EditsError, match=r"targets\[0\].region: got 100% of it outside of the hol"):
        load_examples(filling(Target(eyes, NamedRegion("nose"))), generator)


@pytest.fixture
def shapes(tmp_path: Path) -> Path:
    """A folder of a square image, and one of two that are wider than high."""
    for name, width in (("square/a", 32), ("wide/b", 48), ("wide/c", 48)):
        path = tmp_path / f"{name}.png"
        path.parent.mkdir(exist_ok=True)
        save_image(path, torch.zeros(1, 3, 32, width))
    return tmp_path


@pytest.mark.parametrize("family", [rfr_lively, munit_lively])
def test_targets_of_other_proportions_are_refused(
    family: Callable[..., Generator], shapes: Path
) -> None:
    """All that a rule is learned from is one batch, and images of one's own may be long."""
    generator, hole = family(), Region.box(10, 10, 20, 20)

    def made(*names: str) -> Edits:
        holes = {"hole": hole} if generator.changes_in_part else {}
        pictures = [Image(str(shapes / f"{name}.png")) for name in names]
        targets = tuple(Target(SampleSpec(picture=one, **holes), hole) for one in pictures)
        return Edits((Edit(pictures[0], hole, targets),))

    assert len(load_examples(made("square/a", "square/a"), generator)) == 2
    wide = generator.source(shapes / "wide")
    assert len(load_examples(made("wide/b", "wide/c"), generator, wide)) == 2
    message = (
        "size of its image for this generator: got 48 x 32, expected 32 x 32, as that of the "
        "samples beside it; crop it to that shape, or give a folder of images of its own with "
        "--images"
    )
    with pytest.raises(EditsError, match=rf"^edits\[0\].targets\[1\]: {message}$"):
        load_examples(made("square/a", "wide/b"), generator)
    with pytest.raises(EditsError, match=rf"^edits\[0\].targets\[0\]: {message}$"):
        resolve(made("wide/b"), generator, images=shapes / "square")
