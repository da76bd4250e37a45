"""Where images come from: rendered people and folders."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from regen.errors import GeneratorError
from regen.generators.pictures import (
    Album,
    Folder,
    Loaded,
    People,
    Person,
    PictureFile,
    check_known,
    check_sizes,
    picture_of,
    pictures_in,
)
from regen.images import save_image
from regen.portraits import attributes, render, seed_to_z


def test_people_are_drawn_as_the_renderer_draws_them() -> None:
    album = Album(32)
    loaded = album.load([Person(5), Person(2), Person(5)])
    wanted = render(attributes(seed_to_z([5, 2, 5])), 32)
    assert torch.equal(torch.cat([one.image for one in loaded]), wanted)
    assert {one.own_size for one in loaded} == {(32, 32)} == {one.size for one in loaded}
    again = album.load([Person(2)])[0].image
    assert again.data_ptr() == loaded[1].image.data_ptr()  # drawn once
    assert People().picture(5) == Person(5) and People().index_of(Person(5)) == 5
    assert People().index_of(PictureFile("a.png")) is None and People().count is None


def test_seeds_that_do_not_exist() -> None:
    with pytest.raises(GeneratorError, match="seed: got -1, expected 0 to 4294967295"):
        People().picture(-1)


def test_files_are_brought_to_the_size_in_proportion(tmp_path: Path) -> None:
    save_image(tmp_path / "wide.png", torch.rand(1, 3, 20, 51) * 2 - 1)
    folder = Folder.of(tmp_path)
    (loaded,) = Album(40).load([folder.picture(0)])
    assert loaded.size == (40, 102) and loaded.own_size == (20, 51)
    assert folder.count == 1 and folder.index_of(PictureFile(str(tmp_path / "wide.png"))) == 0
    assert folder.index_of(Person(0)) is None
    assert folder.picture(0).label == "wide.png"
    with pytest.raises(GeneratorError, match="image: got 1, expected 0 to 0"):
        folder.picture(1)


def test_the_longer_side_may_have_to_be_a_multiple(tmp_path: Path) -> None:
    save_image(tmp_path / "wide.png", torch.rand(1, 3, 20, 51) * 2 - 1)
    (loaded,) = Album(40, 4).load([Folder.of(tmp_path).picture(0)])
    assert loaded.size == (40, 104) and loaded.own_size == (20, 51)


def test_images_that_requests_name() -> None:
    assert picture_of({"seed": 3}) == Person(3)
    assert picture_of({"picture": Path("a.png"), "hole": 1}) == PictureFile("a.png")
    for request, got in (({}, "neither"), ({"seed": 1, "picture": "a"}, "both")):
        with pytest.raises(GeneratorError, match=f"seed or picture of a sample: got {got}"):
            picture_of(request)


def test_people_need_an_oracle(tmp_path: Path) -> None:
    check_known(Person(3), oracle := object())
    check_known(PictureFile("a.png"), None)
    with pytest.raises(GeneratorError, match="seed of a sample: got seed 3, expected a picture"):
        check_known(Person(3), None)
    assert pictures_in(None, oracle, "eat") == People()
    with pytest.raises(GeneratorError, match="got no images, expected a folder of images to eat"):
        pictures_in(None, None, "eat")


def test_images_of_one_batch_have_one_size() -> None:
    small, large = (Loaded(torch.zeros(1, 3, side, 8), (9, 9)) for side in (8, 12))
    check_sizes(["a", "b"], [small, small])
    with pytest.raises(GeneratorError, match="got 8 x 8 of a, 8 x 12 of b, expected one height"):
        check_sizes(["a", "b"], [small, large])
