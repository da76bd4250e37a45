"""Samples of a translating generator, by numbers and by requests."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from regen.errors import GeneratorError
from regen.generators.bundled import renderer
from regen.generators.munit.source import TranslateSample, read_sample, read_source
from regen.generators.munit.styles import ImageStyle, RandomStyle
from regen.generators.pictures import Person, PictureFile
from regen.images import save_image
from regen.seeds import CONTEXTS

PEOPLE = renderer((32, 32))


def test_people_are_numbered_by_their_seeds_and_so_are_their_styles() -> None:
    source = read_source(None, {}, PEOPLE)
    assert source.count is None and source.oracle is PEOPLE
    (one,) = source.samples([7])
    assert one == TranslateSample(picture=Person(7), style=RandomStyle(7), index=7)
    assert one.label == "seed 7, style 7" and source.index_of(one) == 7
    assert one == read_sample({"seed": 7}) == read_sample({"seed": 7, "style": 7})
    assert source.index_of(read_sample({"seed": 7, "style": 2})) == 7
    assert [sample.index for sample in source.typical(2)] == CONTEXTS.take(2)
    assert source.varied([7]) == [one]


def test_one_style_for_all() -> None:
    (one,) = read_source(None, {"styles": 3}, PEOPLE).samples([7])
    assert one == TranslateSample(picture=Person(7), style=RandomStyle(3), index=7)
    (one,) = read_source(None, {"styles": "cat.jpg"}, PEOPLE).samples([7])
    assert isinstance(one, TranslateSample) and one.style == ImageStyle(PictureFile("cat.jpg"))
    assert read_source(None, {"styles": "random"}, PEOPLE) == read_source(None, {}, PEOPLE)


def test_unseen_samples_have_styles_of_their_own() -> None:
    source = read_source(None, {}, PEOPLE)
    assert source.alike(read_sample({"seed": 1, "style": 5}), [9]) == source.samples([9])


def test_a_folder(tmp_path: Path) -> None:
    for name in "ba":
        save_image(tmp_path / f"{name}.png", torch.zeros(1, 3, 8, 8))
    source = read_source(tmp_path, {}, None)
    assert source.count == 2 and source.typical(5) == source.samples([0, 1])
    second = source.samples([1])[0]
    assert second.label == "b.png, style 1"
    assert source.index_of(read_sample({"picture": str(tmp_path / "b.png"), "style": 9})) == 1
    with pytest.raises(GeneratorError, match="image: got 2, expected 0 to 1"):
        source.samples([2])


def test_a_picture_of_ones_own() -> None:
    dog = read_sample({"picture": "/me/dog.jpg", "style": "/me/cat.jpg"})
    assert dog.label == "dog.jpg, style of cat.jpg" and dog.index is None
    assert read_sample({"picture": "/me/dog.jpg"}).style == RandomStyle(0)


def test_inputs_of_other_families() -> None:
    message = "samples with holes: expected styles; this generator, of the family munit, translates"
    with pytest.raises(GeneratorError, match=message):
        read_source(None, {"holes": "random"}, PEOPLE)
    with pytest.raises(GeneratorError, match="got no images, expected a folder of images to tran"):
        read_source(None, {}, None)


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({}, "seed or picture of a sample: got neither, expected one of them"),
        ({"seed": 3, "picture": "a.png", "style": 1}, "got both, expected one of them"),
        ({"seed": 2**32}, "seed: got 4294967296, expected an integer from 0 to 4294967295"),
        ({"picture": 3}, "picture: got 3, expected an image, by its path"),
        ({"seed": 3, "style": []}, r"style: got \[\], expected a seed, or an image by its path"),
        ({"seed": 3, "hole": 1}, "a sample with a hole: expected one of seed, picture, style; thi"),
        ({"seed": 3, "truncation": 1}, "a sample with a truncation: expected one of seed, pict"),
    ],
)
def test_requests_that_are_refused(request_: dict[str, object], message: str) -> None:
    with pytest.raises(GeneratorError, match=message):
        read_sample(request_)
