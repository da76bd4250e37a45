"""Samples of an inpainting generator, by numbers and by requests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from regen.edits.schema import NamedRegion
from regen.errors import GeneratorError
from regen.generators.bundled import renderer
from regen.generators.pictures import Person, PictureFile
from regen.generators.rfr.source import (
    FillSample,
    FillSource,
    MaskFile,
    RandomHole,
    read_sample,
    read_source,
)
from regen.images import save_image
from regen.images.regions import Region
from regen.seeds import CONTEXTS

BOX, NOSE, PEOPLE = Region.box(1, 2, 3, 4), NamedRegion("nose"), renderer((32, 32))


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Two images and a mask of each, by name."""
    for kind in ("images", "masks"):
        (tmp_path / kind).mkdir()
        for name in ("b", "a"):
            save_image(tmp_path / kind / f"{name}.png", torch.zeros(1, 3, 8, 8))
    return tmp_path / "images", tmp_path / "masks"


def people(**inputs: Any) -> FillSource:
    return read_source(None, inputs, PEOPLE)


def test_people_are_numbered_by_their_seeds() -> None:
    source = people()
    assert source.count is None and source.oracle is PEOPLE
    (one,) = source.samples([7])
    assert one == FillSample(picture=Person(7), hole=RandomHole(7), index=7)
    assert one.label == "seed 7" and source.index_of(one) == 7
    assert source.index_of(read_sample({"seed": 7, "hole": NOSE, "grow": 2})) == 7
    assert [sample.index for sample in source.typical(2)] == CONTEXTS.take(2)


def test_one_hole_for_all() -> None:
    (one,) = people(holes=NOSE, grow=2).samples([7])
    assert one == FillSample(picture=Person(7), hole=NOSE, grow=2, index=7)
    assert people(holes="random").samples([7]) == people().samples([7])


def test_samples_in_the_manner_of_another() -> None:
    nose = read_sample({"seed": 3, "hole": NOSE, "grow": 1})
    (alike,) = people().alike(nose, [9])
    assert alike == FillSample(picture=Person(9), hole=NOSE, grow=1, index=9)
    shape = read_sample({"seed": 3, "hole": BOX})
    assert people().alike(shape, [9]) == people().samples([9])


def test_image_files_have_no_part_by_its_name(folders: tuple[Path, Path]) -> None:
    source = read_source(folders[0], {}, PEOPLE)
    nose = read_sample({"seed": 3, "hole": NOSE, "grow": 1})
    assert source.alike(nose, [0, 1]) == source.samples([0, 1])


def test_a_folder_with_masks_by_name(folders: tuple[Path, Path]) -> None:
    images, masks = folders
    source = read_source(images, {"holes": masks}, None)
    assert source.count == 2 and source.typical(5) == source.samples([0, 1])
    first = source.samples([0])[0]
    assert first.picture == PictureFile(str(images.resolve() / "a.png"))
    assert first.hole == MaskFile(str(masks.resolve() / "a.png")) and first.label == "a.png"
    named = read_sample({"picture": str(images / "b.png"), "hole": BOX})
    assert source.index_of(named) == 1
    assert source.index_of(read_sample({"picture": "data:image/png;base64,", "hole": BOX})) is None
    with pytest.raises(GeneratorError, match="image: got 2, expected 0 to 1"):
        source.samples([2])


def test_masks_in_their_order_or_one_for_all(folders: tuple[Path, Path]) -> None:
    images, masks = folders
    (masks / "a.png").rename(masks / "x.png")
    holes = [s.hole for s in read_source(images, {"holes": masks}, None).samples([0, 1])]
    assert [Path(hole.location).name for hole in holes] == ["b.png", "x.png"]
    (masks / "b.png").unlink()
    holes = [s.hole for s in read_source(images, {"holes": masks}, None).samples([0, 1])]
    assert {Path(hole.location).name for hole in holes} == {"x.png"}
    for name in "yz":
        save_image(masks / f"{name}.png", torch.zeros(1, 3, 8, 8))
    with pytest.raises(GeneratorError, match="got 3, expected one for each of 2 images"):
        read_source(images, {"holes": masks}, None)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (
            {"styles": "random"},
            "samples with styles: expected holes; this generator, of the family rfr",
        ),
        ({"grow": None}, "grow: got None, expected an integer from 0 to 64"),
        ({"passes": True}, "passes: got True, expected an integer from 1 to 8"),
        ({"holes": 3}, "holes: got 3, expected a region, or a folder of masks"),
    ],
)
def test_other_inputs(inputs: dict[str, object], message: str) -> None:
    with pytest.raises(GeneratorError, match=message):
        read_source(None, inputs, PEOPLE)


def test_without_images_or_people() -> None:
    with pytest.raises(GeneratorError, match="source of samples: got no images, .* --images"):
        read_source(None, {}, None)


def test_requests() -> None:
    assert read_sample({"seed": 3}).index == 3
    assert read_sample({"seed": 3, "passes": 2}).index is None
    assert read_sample({"seed": np.int64(3), "passes": torch.tensor(1)}).index == 3
    assert read_sample({"seed": 3, "hole": "m.png"}).hole == MaskFile("m.png")
    photo = read_sample({"picture": "/me.jpg", "hole": BOX, "grow": 4, "passes": 2})
    assert photo == FillSample(picture=PictureFile("/me.jpg"), hole=BOX, grow=4, passes=2)
    assert photo.label == "me.jpg"
    assert read_sample({"picture": "data:x", "hole": BOX}).label == "embedded image"


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({}, "seed or picture of a sample: got neither, expected one of them"),
        ({"seed": 3, "picture": "a.png", "hole": BOX}, "got both, expected one of them"),
        ({"seed": 2**32}, "seed: got 4294967296, expected an integer from 0 to 4294967295"),
        ({"seed": "3"}, "seed: got '3', expected an integer from 0 to"),
        ({"picture": 3}, "picture: got 3, expected an image, by its path"),
        ({"picture": "a.png"}, "a.png: hole: got none, expected a region or a mask, white to be"),
        ({"seed": 3, "hole": 4}, "hole: got 4, expected a region or a mask"),
        ({"seed": 3, "grow": 65}, "grow: got 65, expected an integer from 0 to 64"),
        ({"seed": 3, "grow": "3"}, "grow: got '3', expected an integer from 0 to 64"),
        ({"seed": 3, "passes": 0}, "passes: got 0, expected an integer from 1 to 8"),
        ({"seed": 3, "style": 1}, "a sample with a style: expected one of seed, picture, hole"),
    ],
)
def test_requests_that_are_refused(request_: dict[str, object], message: str) -> None:
    with pytest.raises(GeneratorError, match=message):
        read_sample(request_)
