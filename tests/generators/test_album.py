"""Images are brought to a generator's size."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from regen.errors import GeneratorError
from regen.generators.album import Album, Loaded, check_sizes
from regen.generators.pictures import Person, PictureFile
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


def test_files_are_brought_to_the_size_in_proportion(tmp_path: Path) -> None:
    save_image(tmp_path / "wide.png", torch.rand(1, 3, 20, 51) * 2 - 1)
    (loaded,) = Album(40).load([PictureFile(str(tmp_path / "wide.png"))])
    assert loaded.size == (40, 102) and loaded.own_size == (20, 51)


def test_the_longer_side_may_have_to_be_a_multiple(tmp_path: Path) -> None:
    save_image(tmp_path / "wide.png", torch.rand(1, 3, 20, 51) * 2 - 1)
    (loaded,) = Album(40, 4).load([PictureFile(str(tmp_path / "wide.png"))])
    assert loaded.size == (40, 104) and loaded.own_size == (20, 51)


def test_images_of_one_batch_have_one_size() -> None:
    small, large = (Loaded(torch.zeros(1, 3, side, 8), (9, 9)) for side in (8, 12))
    check_sizes(["a", "b"], [small, small])
    with pytest.raises(GeneratorError, match="got 8 x 8 of a, 8 x 12 of b, expected one height"):
        check_sizes(["a", "b"], [small, large])
