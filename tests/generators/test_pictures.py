"""Where images come from: rendered people and folders."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from regen.errors import GeneratorError, ImageError
from regen.generators.pictures import (
    Folder,
    People,
    Person,
    PictureFile,
    check_known,
    checked_folder,
    picture_of,
    pictures_in,
)
from regen.images import save_image


def test_people_have_their_seeds_for_numbers() -> None:
    assert People().picture(5) == Person(5) and People().index_of(Person(5)) == 5
    assert People().index_of(PictureFile("a.png")) is None and People().count is None


def test_seeds_that_do_not_exist() -> None:
    with pytest.raises(
        GeneratorError, match="seed: got -1, expected an integer from 0 to 4294967295"
    ):
        People().picture(-1)


def test_files_are_numbered_by_name(tmp_path: Path) -> None:
    save_image(tmp_path / "wide.png", torch.rand(1, 3, 20, 51) * 2 - 1)
    folder = Folder.of(tmp_path)
    assert folder.count == 1 and folder.index_of(PictureFile(str(tmp_path / "wide.png"))) == 0
    assert folder.index_of(Person(0)) is None
    assert folder.picture(0).label == "wide.png"
    with pytest.raises(GeneratorError, match="image: got 1, expected 0 to 0"):
        folder.picture(1)


def test_a_folder_may_be_text_and_nothing_else(tmp_path: Path) -> None:
    save_image(tmp_path / "a.png", torch.zeros(1, 3, 4, 4))
    assert pictures_in(checked_folder(str(tmp_path)), None, "fill") == Folder.of(tmp_path)
    assert checked_folder(None) is None
    for wrong in (3, b"images", ""):
        with pytest.raises(ImageError, match="^folder of images: got .*, expected a path$"):
            pictures_in(wrong, None, "fill")  # type: ignore[arg-type]


def test_images_that_requests_name() -> None:
    assert picture_of({"seed": 3}) == picture_of({"seed": np.int64(3)}) == Person(3)
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
