"""`regen.api.generators`: what generators make of seeds, latents and images at hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import regen
from regen.errors import GeneratorError, ImageError, ProjectorError
from regen.generators.stylegan2.generator import StyleGAN2
from regen.images import encode_png, load_image
from regen.projector.config import ProjectorConfig
from regen.projector.files import Projector
from regen.projector.network import BackwardProjector
from regen.projector.refine import refine
from tests.helpers.rfr import lively


@pytest.fixture
def generator(world: Any) -> StyleGAN2:
    opened = regen.open_generator("g.safetensors")
    assert isinstance(opened, StyleGAN2)
    return opened


def test_seeds_may_be_of_numpy_and_torch(generator: StyleGAN2) -> None:
    images = regen.generate(generator, [1, 2])
    for seeds in (np.arange(1, 3), torch.tensor([1, 2]), (np.uint8(s) for s in (1, 2))):
        assert torch.equal(regen.generate(generator, seeds), images)


@pytest.mark.parametrize(
    "half", [np.float32(0.5), np.float64(0.5), np.array(0.5), torch.tensor(0.5)]
)
def test_a_truncation_may_be_of_numpy_and_torch(generator: StyleGAN2, half: Any) -> None:
    images = regen.generate(generator, [1], truncation=0.5)
    assert torch.equal(regen.generate(generator, [1], truncation=half), images)


def test_latents_of_seeds_give_their_images(generator: StyleGAN2) -> None:
    latents = generator.seed_latents([3, 4, 5])
    images = regen.generate(generator, latents=latents, batch_size=2)
    assert images.shape == (3, 3, 32, 32) and not images.requires_grad
    torch.testing.assert_close(images, regen.generate(generator, [3, 4, 5]))
    samples = [regen.sample(generator, {"seed": 6, "truncation": 0.5})]
    all_three = regen.generate(generator, [7], samples=iter(samples), latents=latents)
    assert len(all_three) == 5
    torch.testing.assert_close(all_three[2:], images)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seeds": 5}, r"seeds: got 5, expected several, \[1, 2\] for instance"),
        ({"seeds": [1.5]}, "seed: got 1.5, expected an integer from 0 to 4294967295"),
        ({"seeds": [True]}, "seed: got True"),
        ({"seeds": ["a"]}, "seed: got 'a'"),
        ({"seeds": [1], "batch_size": 0}, "batch size: got 0, expected 1 or more"),
        ({"seeds": [1], "batch_size": 1.5}, "batch size: got 1.5, expected 1 or more"),
        ({"seeds": [1], "truncation": np.bool_(True)}, "truncation: got True, expected a number"),
        ({"seeds": [1], "truncation": torch.tensor(torch.inf)}, "truncation: got inf, expected"),
        ({"samples": [3]}, "samples: got a value of type int, expected several, as"),
        ({"samples": 3}, "samples: got a value of type int, expected several, as"),
        ({"latents": torch.zeros(2, 8)}, "latents: got Tensor, expected latents, as"),
        ({"latents": 3}, "latents: got int, expected latents, as"),
        ({}, "seeds: got none, expected at least one"),
    ],
)
def test_what_cannot_be_generated_is_told(
    generator: StyleGAN2, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(GeneratorError, match=message):
        regen.generate(generator, **options)


@pytest.mark.parametrize("name", ["portraits", None])
def test_a_generator_must_be_open(name: Any) -> None:
    rewrite = regen.Rewrite({}, "base", "stylegan2", {})
    message = rf"generator: got {name!r}, expected an open .*; open it with `regen.open_generator`"
    for call in (
        lambda: regen.generate(name, [1]),
        lambda: regen.project("cat.png", name),
        lambda: regen.open_projector(name),
        lambda: regen.sample(name, {"seed": 1}),
        lambda: regen.save_generator(name, "copy.safetensors"),
        lambda: regen.Workbench(name),
        lambda: rewrite.applied_to(name),
        lambda: regen.rewritten(name, rewrite).__enter__(),
    ):
        with pytest.raises(GeneratorError, match=message):
            call()


def test_images_at_hand_are_projected_as_their_files(generator: StyleGAN2) -> None:
    of_file = regen.project("cat.png", generator, "p.safetensors", candidates=1)
    cat = Image.open("cat.png")
    for image in (cat, np.asarray(cat), Path("cat.png").read_bytes()):
        of_image = regen.project(image, generator, "p.safetensors", candidates=1)
        assert torch.equal(of_image.decoded, of_file.decoded)
    for size in (generator.image_size, (20, 40)):
        tensor = load_image("cat.png", size=size)[0]
        if size == generator.image_size:
            of_tensor = regen.project(tensor, generator, "p.safetensors", candidates=1)
            assert torch.equal(of_tensor.decoded, of_file.decoded)
        else:
            with pytest.raises(ProjectorError, match=r"got \[1, 3, 20, 40\], .* resize it first"):
                regen.project(tensor, generator, "p.safetensors", candidates=1)


def test_an_image_is_brought_to_the_size_as_asked(generator: StyleGAN2) -> None:
    covered, shown = (
        regen.project("cat.png", generator, "p.safetensors", candidates=0, fit=fit)
        for fit in ("cover", "contain")
    )
    assert not torch.equal(covered.decoded, shown.decoded)


def test_projections_are_refined(generator: StyleGAN2) -> None:
    image = load_image("cat.png", size=32)
    first = regen.project(image, generator, "p.safetensors", candidates=0)
    seen: list[tuple[int, float]] = []
    settings = regen.RefineSettings(steps=3)
    better = [
        regen.project(image, generator, "p.safetensors", candidates=0, refine=3),
        regen.project(
            image,
            generator,
            "p.safetensors",
            candidates=0,
            refine=settings,
            on_step=lambda step, loss: seen.append((step, loss)),
        ),
    ]
    expected = refine(generator.split(5, 1), first, image, settings).projection
    for one in better:
        assert torch.equal(one.decoded, expected.decoded)
    assert [step for step, _ in seen] == [1, 2, 3]
    assert (expected.decoded - image).abs().mean() < (first.decoded - image).abs().mean()
    with pytest.raises(ProjectorError, match="refinement: got "):
        regen.project(image, generator, "p.safetensors", refine=-1)
    for wrong in ("3", None, True, 1.5):
        with pytest.raises(ProjectorError, match=rf"refine: got {wrong!r}, expected a number of"):
            regen.project(image, generator, "p.safetensors", refine=wrong)  # type: ignore[arg-type]


def test_the_command_gives_the_same_features(generator: StyleGAN2, world: Any) -> None:
    options = ("--generator", "g.safetensors", "--projector", "p.safetensors", "--refine", "3")
    result = world.run("project", "cat.png", *options, "-o", "out", "--device", "cpu")
    assert result.exit_code == 0, result.output
    from regen.files import tensor_file

    stored = tensor_file.load(Path("out/cat.features.safetensors")).tensors
    ours = regen.project("cat.png", generator, "p.safetensors", refine=3)
    assert torch.equal(stored["features"], ours.value.features)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (torch.zeros(2, 3, 32, 32), r"image to project: got \[2, 3, 32, 32\], expected"),
        (torch.full((3, 32, 32), 255.0), "image to project: pixels: got values from 255 to 255"),
        (3, "image: got int, expected a path"),
    ],
)
def test_what_is_no_image_is_not_projected(generator: StyleGAN2, image: Any, message: str) -> None:
    with pytest.raises(ImageError, match=message):
        regen.project(image, generator, "p.safetensors")


def test_images_and_holes_at_hand_go_to_generators_that_fill(tmp_path: Path) -> None:
    filler = lively()
    split = filler.split(2, 1)
    config = ProjectorConfig.for_split(split, filler, widths=(4, 4))
    projector = Projector(BackwardProjector(config).eval().requires_grad_(False), 2, "p", {})
    picture = torch.rand(3, 32, 32) * 2 - 1
    (tmp_path / "me.png").write_bytes(encode_png(picture))
    (tmp_path / "photos").mkdir()
    for number in range(4):
        (tmp_path / "photos" / f"{number}.png").write_bytes(encode_png(picture))
    hole = np.zeros((32, 32), bool)
    hole[10:20, 10:22] = True
    region = regen.Region.box(10, 10, 22, 20)
    options: dict[str, Any] = {"images": tmp_path / "photos"}
    of_file = regen.project(tmp_path / "me.png", filler, projector, hole=region, **options)
    shown = load_image(tmp_path / "me.png")
    for image in (shown, regen.to_pil(picture), encode_png(picture)):
        at_hand = regen.project(image, filler, projector, hole=hole, **options)
        torch.testing.assert_close(at_hand.decoded, of_file.decoded)
    with pytest.raises(GeneratorError, match="hole of the images to project: got none"):
        regen.project(shown, filler, projector, **options)
