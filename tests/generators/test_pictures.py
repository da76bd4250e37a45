"""Where images come from: rendered people and folders."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from regen.errors import GeneratorError
from regen.generators.pictures import Album, Folder, People, Person, PictureFile
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
