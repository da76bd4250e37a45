"""A translating generator: samples to images, styles, and sizes."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from regen.errors import GeneratorError
from regen.generators.munit.generator import Translator
from regen.generators.munit.source import read_sample
from regen.generators.munit.styles import style_numbers
from regen.images import load_image, save_image
from regen.portraits import attributes, render, seed_to_z
from tests.helpers.munit import lively
from tests.tolerances import assert_near


@pytest.fixture(scope="module")
def generator() -> Translator:
    return lively(people=True)


def test_a_seed_is_a_person_who_is_translated(generator: Translator) -> None:
    sample = generator.sample({"seed": 3, "style": 7})
    latent = generator.latents([sample])
    assert torch.equal(latent.images, render(attributes(seed_to_z([3])), 32))
    assert torch.equal(latent.styles, style_numbers([7], 8))
    assert torch.equal(generator.shown_input(latent), latent.images)
    assert generator.changeable(latent) is None
    image = generator.images([sample])
    assert torch.equal(image, generator.network(latent.images, latent.styles))
    assert (image - generator.images([generator.sample({"seed": 3, "style": 8})])).abs().mean() > 0
    assert len(generator.latents([])) == 0


def test_the_style_of_an_image(generator: Translator, tmp_path: Path) -> None:
    path = tmp_path / "cat.png"
    save_image(path, torch.rand(1, 3, 40, 60) * 2 - 1)
    latent = generator.latents([generator.sample({"seed": 3, "style": str(path)})])
    wanted = generator.network.style_encoder(load_image(path, size=(32, 48), fit="stretch"))
    assert_near(latent.styles, wanted)


def test_an_image_file_of_any_size(generator: Translator, tmp_path: Path) -> None:
    save_image(tmp_path / "dog.png", torch.rand(1, 3, 101, 64) * 2 - 1)
    dog = generator.sample({"picture": str(tmp_path / "dog.png")})
    assert generator.images([dog]).shape == (1, 3, 52, 32)  # a multiple of 4
    message = "sizes of images: got 32 x 52 of dog.png, 32 x 32 of seed 3, expected one"
    with pytest.raises(GeneratorError, match=message):
        generator.latents([dog, generator.sample({"seed": 3})])


def test_people_need_the_oracle() -> None:
    with pytest.raises(GeneratorError, match="seed of a sample: got seed 3, expected a picture"):
        lively().sample({"seed": 3})
    other = lively(style=5)
    with pytest.raises(GeneratorError, match="style of a generator of cats: got 5, expected 8"):
        other.limited(lively(people=True).oracle)


def test_the_usual_cut_is_after_the_last_norm(generator: Translator) -> None:
    assert generator.usual_cut() == (4, 2) and lively(blocks=4).usual_cut() == (10, 2)
    assert generator.convolutions == 4 and generator.image_size == (32, 32)
    assert generator.source().samples([3]) == [read_sample({"seed": 3})]
