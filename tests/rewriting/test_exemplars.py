"""Exemplars: their opacity, what is visible of them, and that the examples have them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import torch

from regen.edits.exemplars import Image
from regen.edits.schema import Edit, Edits, Pattern, SampleSpec, Target
from regen.errors import RegionError
from regen.generators.stylegan2.generator import StyleGAN2
from regen.images.regions import Region
from regen.portraits import PortraitsOracle
from regen.rewriting.examples import load_examples
from regen.rewriting.exemplars import load_exemplars
from tests.helpers.examples import EYES, edits

BOX = Region.box(4, 4, 12, 12)


def test_the_opacity_of_an_exemplar_comes_with_it(generator: StyleGAN2, tmp_path: Path) -> None:
    pixels = np.zeros((16, 20, 4), np.uint8)
    pixels[4:12, 4:12] = (255, 0, 0, 255)
    pixels[5, 5, 3] = 51
    PIL.Image.fromarray(pixels).save(tmp_path / "nose.png")
    target = (Target(SampleSpec(3), BOX),)
    edit = Edit(Image(str(tmp_path / "nose.png")), BOX, target)
    drawn = replace(edit, region=Region.from_mask(torch.ones(1, 1, 16, 20)))
    boxed, masked = load_examples(Edits((edit, drawn)), generator)
    assert boxed.alpha is not None and boxed.alpha.shape == (1, 1, 16, 20)
    assert (round(boxed.alpha.sum().item(), 4), boxed.drawn, masked.drawn) == (63.2, False, True)
    assert boxed.exemplar[0, :, 5, 5].tolist() == [1, -1, -1]  # no white mixed in
    assert boxed.exemplar[0, :, 0, 0].tolist() == [1, 1, 1]


def test_an_opaque_exemplar_has_no_opacity(portrait: StyleGAN2, tmp_path: Path) -> None:
    PIL.Image.new("RGBA", (16, 20), (255, 0, 0, 255)).save(tmp_path / "red.png")
    edit = Edit(Image(str(tmp_path / "red.png")), BOX, (Target(SampleSpec(3), BOX),))
    (red,) = load_examples(Edits((edit,)), portrait)
    (rendered,) = load_examples(edits(Target(SampleSpec(3), EYES)), portrait)
    assert red.alpha is None and rendered.alpha is None
    assert not rendered.drawn  # a part of the face by its name, which the target has too


def test_exemplars_are_those_of_the_examples(portrait: StyleGAN2, tmp_path: Path) -> None:
    PIL.Image.new("RGB", (16, 20), (255, 0, 0)).save(tmp_path / "red.png")
    target = (Target(SampleSpec(3), BOX),)
    red = Edit(Image(str(tmp_path / "red.png")), BOX, target)
    drawn = Edit(Pattern("cat_eyes", 5), EYES, target)
    exemplars = load_exemplars(Edits((red, drawn)), portrait)
    for one, example in zip(exemplars, load_examples(Edits((red, drawn)), portrait), strict=True):
        height, width = one.image.shape[2:]
        assert one.image.equal(example.exemplar) and one.label == example.exemplar_label
        mask = one.region.mask(height, width)
        assert mask.equal(example.exemplar_region.mask(height, width))
    assert exemplars[1].label == "cat eyes on the face of seed 5"
    assert exemplars[1].image.equal(
        PortraitsOracle(32).wanted(portrait.source().samples([5]), "cat_eyes")
    )


def test_an_exemplar_of_which_nothing_is_visible_is_refused(
    generator: StyleGAN2, tmp_path: Path
) -> None:
    pixels = np.full((20, 30, 4), 99, np.uint8)
    pixels[:, 15:, 3] = 0
    PIL.Image.fromarray(pixels).save(tmp_path / "a.png")
    exemplar, targets = Image(str(tmp_path / "a.png")), (Target(SampleSpec(3), BOX),)
    seen = Edit(exemplar, Region.box(10, 2, 20, 18), targets)
    load_exemplars(Edits((seen,)), generator)
    hidden = replace(seen, region=Region.box(16, 2, 20, 18))
    with pytest.raises(RegionError, match=r"^edits\[1\].region: got only transparent pixels"):
        load_exemplars(Edits((seen, hidden)), generator)


def test_a_faint_exemplar_that_is_its_own_region_is_visible(
    generator: StyleGAN2, tmp_path: Path
) -> None:
    pixels = np.full((20, 30, 4), 99, np.uint8)
    pixels[..., 3] = 6
    PIL.Image.fromarray(pixels).save(tmp_path / "a.png")
    own = Region.from_mask(torch.full((1, 1, 20, 30), 6 / 255))
    edit = Edit(Image(str(tmp_path / "a.png")), own, (Target(SampleSpec(3), BOX),))
    (loaded,) = load_exemplars(Edits((edit,)), generator)
    assert loaded.alpha is not None and loaded.alpha.amax() == pytest.approx(6 / 255)
