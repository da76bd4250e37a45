"""An inpainting generator: samples to images, sizes, and passes."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from regen.edits.schema import NamedRegion
from regen.errors import GeneratorError
from regen.generators.rfr.generator import HoleWarning, Inpainter
from regen.images import load_image, save_image
from regen.images.regions import Region
from tests.helpers.rfr import lively


@pytest.fixture(scope="module")
def generator() -> Inpainter:
    return lively(people=True)


def test_a_seed_is_a_person_who_is_filled_in_the_hole_alone(generator: Inpainter) -> None:
    nose = generator.sample({"seed": 3, "hole": NamedRegion("nose"), "grow": 1})
    image, latent = generator.images([nose]), generator.latents([nose])
    assert generator.oracle is not None
    person = generator.oracle.plain([nose])
    outside = latent.known.expand(-1, 3, -1, -1) > 0
    assert torch.equal(image[outside], person[outside])
    assert not torch.equal(image, person)
    assert generator.oracle.changed([nose], "red_nose").sum() > 0
    assert len(generator.latents([])) == 0


def test_an_image_file_of_any_size(generator: Inpainter, tmp_path: Path) -> None:
    save_image(tmp_path / "me.png", torch.rand(1, 3, 100, 64) * 2 - 1)
    me = generator.sample({"picture": str(tmp_path / "me.png"), "hole": Region.box(20, 40, 40, 60)})
    image = generator.images([me])
    assert image.shape == (1, 3, 50, 32)
    small = load_image(tmp_path / "me.png", size=(50, 32), fit="stretch")
    assert torch.equal(image[..., :20, :], small[..., :20, :])
    assert (image[..., 21:29, 11:19] - small[..., 21:29, 11:19]).abs().mean() > 0.05


def test_images_of_one_batch_have_one_size(generator: Inpainter, tmp_path: Path) -> None:
    save_image(tmp_path / "me.png", torch.zeros(1, 3, 100, 64))
    me = generator.sample({"picture": str(tmp_path / "me.png"), "hole": Region.box(20, 40, 40, 60)})
    with pytest.raises(GeneratorError, match="sizes of images: got 32 x 50 of me.png, 32 x 32 of"):
        generator.latents([me, generator.sample({"seed": 3})])


def test_a_very_long_image_is_refused(generator: Inpainter, tmp_path: Path) -> None:
    save_image(tmp_path / "me.png", torch.zeros(1, 3, 10, 100))
    me = generator.sample({"picture": str(tmp_path / "me.png"), "hole": Region.box(2, 4, 4, 6)})
    with pytest.raises(
        GeneratorError, match="me.png: size: got 100 x 10, expected at most 4 times"
    ):
        generator.latents([me])


def test_a_second_pass_fills_what_the_first_did_not_reach() -> None:
    generator = lively(people=True, rounds=1, size=64)
    wide = {"seed": 3, "hole": Region.box(2, 2, 62, 34), "grow": 0}
    with pytest.warns(HoleWarning, match=r"seed 3: \d+ pixels .* stay grey; --passes 2 fills"):
        first = generator.latents([generator.sample(wide)])
    once = generator.images([generator.sample({**wide, "hole": Region.box(2, 2, 20, 20)})])
    second = generator.latents([generator.sample({**wide, "passes": 4})])
    assert first.known.sum() < second.known.sum()
    assert torch.equal(
        second.images[first.known.expand(-1, 3, -1, -1) > 0],
        first.images[first.known.expand(-1, 3, -1, -1) > 0],
    )
    alone = {**wide, "hole": Region.box(2, 2, 20, 20), "passes": 3}
    assert torch.equal(once, generator.images([generator.sample(alone)]))


def test_people_need_the_oracle() -> None:
    with pytest.raises(GeneratorError, match="seed of a sample: got seed 3, expected a picture"):
        lively().sample({"seed": 3})
