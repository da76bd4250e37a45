"""Styles by seeds and by images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from regen.errors import GeneratorError
from regen.generators.munit.styles import ImageStyle, RandomStyle, read_style, style_numbers
from regen.generators.pictures import PictureFile
from regen.portraits import seed_to_z


def test_a_seed_gives_the_same_style_alone_and_among_others() -> None:
    styles = style_numbers([3, 2**32 - 1, 3], 8)
    assert styles.shape == (3, 8) and styles.dtype == torch.float32
    assert torch.equal(styles[:1], style_numbers([3], 8)) and torch.equal(styles[0], styles[2])
    wanted = np.random.RandomState((1, 3)).randn(1, 8).astype(np.float32)
    assert np.array_equal(styles[:1].numpy(), wanted)
    assert style_numbers([], 8).shape == (0, 8)


def test_styles_are_normal_and_independent_of_people() -> None:
    seeds = range(500)
    styles, people = style_numbers(seeds, 8), seed_to_z(seeds, 8)
    assert abs(styles.mean()) < 0.05 and abs(styles.std() - 1) < 0.05
    assert (styles * people).mean(0).abs().max() < 0.2


def test_what_names_a_style() -> None:
    assert (
        read_style(7) == read_style(np.int64(7)) == RandomStyle(7)
        and RandomStyle(7).label == "style 7"
    )
    cat = ImageStyle(PictureFile("/cats/cat.jpg"))
    assert read_style("/cats/cat.jpg") == read_style(Path("/cats/cat.jpg")) == cat
    assert cat.label == "style of cat.jpg"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (-1, "style: got -1, expected an integer from 0 to 4294967295"),
        (2**32, "style: got 4294967296, expected an integer from 0 to"),
        (True, "style: got True, expected an integer from 0 to"),
        (0.5, "style: got 0.5, expected a seed, or an image by its path"),
    ],
)
def test_what_does_not(given: object, message: str) -> None:
    with pytest.raises(GeneratorError, match=message):
        read_style(given)
