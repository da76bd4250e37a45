"""The hole of a sample: every way to give one, one polarity, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from regen.edits.schema import NamedRegion
from regen.errors import GeneratorError, RegionError
from regen.generators.bundled import renderer
from regen.generators.pictures import Person, PictureFile
from regen.generators.rfr.masks import hole_of, person_of
from regen.generators.rfr.source import FillSample, Hole, MaskFile, RandomHole
from regen.images import save_image
from regen.images.regions import Region

SIZE, PEOPLE = (32, 32), renderer((32, 32))


def sample(hole: Hole, grow: int = 0, picture: Person | PictureFile = Person(3)) -> FillSample:  # noqa: B008
    return FillSample(picture=picture, hole=hole, grow=grow)


def test_a_region_is_in_pixels_of_the_image_as_it_was_given() -> None:
    hole = hole_of(sample(Region.box(10, 20, 30, 40)), SIZE, None, (64, 64))
    assert hole.sum() == 100 and hole[..., 10:20, 5:15].sum() == 100


def test_a_region_outside_is_named_in_the_pixels_it_was_given_in() -> None:
    message = "got x from 0 to 90 and y from 0 to 9, expected x from 0 to 64"
    with pytest.raises(RegionError, match=message):
        hole_of(sample(Region.box(0, 0, 90, 9)), SIZE, None, (64, 64))


def test_what_is_covered_at_all_is_filled() -> None:
    hole = hole_of(sample(Region.box(10.2, 10, 12.1, 11)), SIZE, None)
    assert hole.sum() == 3


def test_a_part_of_a_person_by_its_name() -> None:
    nose = hole_of(sample(NamedRegion("nose")), SIZE, PEOPLE)
    assert torch.equal(
        nose, (PEOPLE.region("nose", [person_of(sample(RandomHole(0)))]) > 1e-3) * 1.0
    )
    wider = hole_of(sample(NamedRegion("nose"), grow=2), SIZE, PEOPLE)
    assert wider.sum() > nose.sum() and (wider >= nose).all()


def test_random_holes_hide_parts_of_people_alone() -> None:
    holes = [hole_of(sample(RandomHole(seed)), SIZE, PEOPLE) for seed in range(30)]
    plain = [hole_of(sample(RandomHole(seed)), SIZE, None) for seed in range(30)]
    assert any(not torch.equal(a, b) for a, b in zip(holes, plain, strict=True))


def test_a_mask_of_any_size(tmp_path: Path) -> None:
    mask = -torch.ones(1, 3, 128, 64)
    mask[..., 40:41, 20:24] = 1
    save_image(tmp_path / "m.png", mask)
    hole = hole_of(sample(MaskFile(str(tmp_path / "m.png"))), SIZE, None)
    assert hole.sum() == 2 and hole[..., 10, 10:12].sum() == 2


def test_a_mask_the_other_way_round_is_refused_with_the_reason(tmp_path: Path) -> None:
    mask = torch.ones(1, 3, 32, 32)
    mask[..., 4:12, 4:12] = -1
    save_image(tmp_path / "m.png", mask)
    with pytest.raises(GeneratorError) as error:
        hole_of(sample(MaskFile(str(tmp_path / "m.png"))), SIZE, None)
    assert str(error.value) == (
        "seed 3: hole: got 94% of the image, expected at most 50%; white, or inside, is what will "
        "be filled; the mask seems to be white where pixels are known: invert it"
    )


def test_an_empty_hole(tmp_path: Path) -> None:
    save_image(tmp_path / "m.png", -torch.ones(1, 3, 8, 8))
    with pytest.raises(GeneratorError, match="seed 3: hole: got an empty one, expected some white"):
        hole_of(sample(MaskFile(str(tmp_path / "m.png"))), SIZE, None)


def test_what_has_no_named_parts() -> None:
    file = PictureFile("/photos/me.jpg")
    with pytest.raises(GeneratorError, match=r"me.jpg: a part of a face by its name: got an image"):
        hole_of(sample(NamedRegion("nose"), picture=file), SIZE, PEOPLE)
    with pytest.raises(GeneratorError, match="seed 3: hole 'nose': expected a box"):
        hole_of(sample(NamedRegion("nose")), SIZE, None)


def test_a_region_outside_of_the_image() -> None:
    with pytest.raises(RegionError, match="^hole: region reaches outside its image"):
        hole_of(sample(Region.box(10, 20, 40, 70)), SIZE, None, (64, 64))
