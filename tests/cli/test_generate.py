"""`regen generate` on a tiny random generator."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from regen.generators.munit.files import save_munit
from regen.generators.registry import open_generator
from regen.generators.rfr.files import save_rfr
from regen.generators.stylegan2.files import save_stylegan2
from regen.generators.stylegan2.generator import StyleGAN2
from regen.images import load_image, save_image
from regen.rewriting.rewrite import Rewrite
from tests.helpers.munit import lively as lively_translator
from tests.helpers.rfr import lively

RUN = ("generate", "--generator", "g.safetensors", "--device", "cpu")


@pytest.fixture
def rewrites(world: Any) -> Any:
    """Two rewrites r.safetensors and s.safetensors of the tiny generator."""
    generator = open_generator(world.folder / "g.safetensors")
    for name, layer in (("r", 4), ("s", 5)):
        weight = generator.conv(layer).weight
        deltas = {f"synthesis.convs.{layer}.weight": torch.randn_like(weight)}
        rewrite = Rewrite(deltas, generator.digest(), generator.family)
        rewrite.save(world.folder / f"{name}.safetensors")
    return world


def image(world: Any, folder: str, name: str = "seed0002.png") -> torch.Tensor:
    return load_image(world.folder / folder / name)


def test_one_file_a_seed_and_a_sheet_of_all(world: Any) -> None:
    result = world.run(*RUN, "--seeds", "1,5,7-9", "-o", "out")
    assert result.exit_code == 0
    assert result.stdout == "5 images in out\nTogether: out/grid.png\n"
    assert world.left() == ["grid.png", *(f"seed000{seed}.png" for seed in (1, 5, 7, 8, 9))]
    assert image(world, "out", "seed0007.png").shape == (1, 3, 32, 32)
    assert image(world, "out", "grid.png").shape == (1, 3, 2 * (8 + 24 + 3 + 64), 3 * 70 - 6)


def test_the_image_is_the_generators(world: Any) -> None:
    assert world.run(*RUN, "--seeds", "2", "--truncation", "0.5", "-o", "out").exit_code == 0
    generator = open_generator(world.folder / "g.safetensors")
    expected = generator(generator.seed_latents([2], 0.5)).clamp(-1, 1)
    torch.testing.assert_close(image(world, "out"), expected, atol=1 / 127, rtol=0)


def test_without_a_grid(world: Any) -> None:
    assert world.run(*RUN, "--seed", "12345", "--no-grid", "-o", "out").stdout == "1 image in out\n"
    assert world.left() == ["seed12345.png"]


def test_by_default_64_seeds(world: Any) -> None:
    assert world.run(*RUN, "-o", "out").exit_code == 0
    assert len(world.left()) == 65 and "seed0063.png" in world.left()


def test_noise_changes_the_image(world: Any) -> None:
    for noise in ("const", "random", "none"):
        assert world.run(*RUN, "--seeds", "2", "--noise", noise, "-o", noise).exit_code == 0
    const, random, none = (image(world, noise) for noise in ("const", "random", "none"))
    assert not torch.equal(const, none) and not torch.equal(random, none)
    assert not torch.equal(const, random)


def test_random_noise_depends_on_the_seed_alone(world: Any) -> None:
    for folder in ("one", "two"):
        words = (*RUN, "--seeds", "2", "--noise", "random", "--no-grid", "-o", folder)
        assert world.run(*words).exit_code == 0
    assert torch.equal(image(world, "one"), image(world, "two"))


def test_a_rewrite_changes_and_strength_0_does_not(rewrites: Any) -> None:
    seeds = ("--seeds", "2", "--no-grid")
    for name, words in {
        "plain": (),
        "full": ("--rewrite", "r.safetensors"),
        "none": ("--rewrite", "r.safetensors:0"),
    }.items():
        assert rewrites.run(*RUN, *seeds, *words, "-o", name).exit_code == 0
    plain, full, none = (image(rewrites, name) for name in ("plain", "full", "none"))
    assert torch.equal(plain, none) and not torch.equal(plain, full)


def test_rewrites_compose_with_their_strengths(rewrites: Any) -> None:
    words = (
        "--rewrite",
        "r.safetensors:0.5",
        "--rewrite",
        "s.safetensors",
        "--rewrite",
        "r.safetensors:0.25",
    )
    assert rewrites.run(*RUN, *words, "--seeds", "2", "-o", "out").exit_code == 0
    generator = open_generator(rewrites.folder / "g.safetensors")
    with torch.no_grad():
        for name, strength in (("r", 0.75), ("s", 1.0)):
            for key, delta in Rewrite.load(rewrites.folder / f"{name}.safetensors").deltas.items():
                generator.get_parameter(key).add_(strength * delta)
        expected = generator(generator.seed_latents([2])).clamp(-1, 1)
    torch.testing.assert_close(image(rewrites, "out"), expected, atol=1 / 127, rtol=0)


def test_a_run_folder_stands_for_its_rewrite(rewrites: Any) -> None:
    folder: Path = rewrites.folder / "run"
    folder.mkdir()
    (rewrites.folder / "r.safetensors").rename(folder / "rewrite.safetensors")
    words = (*RUN, "--seeds", "2", "--no-grid")
    for name, given in (("a", "run"), ("b", "run/rewrite.safetensors:1")):
        assert rewrites.run(*words, "--rewrite", given, "-o", name).exit_code == 0
    assert torch.equal(image(rewrites, "a"), image(rewrites, "b"))


def test_rewrites_of_different_generators(rewrites: Any) -> None:
    rewrite = Rewrite.load(rewrites.folder / "s.safetensors")
    Rewrite(rewrite.deltas, "f" * 64, rewrite.family).save(rewrites.folder / "s.safetensors")
    words = ("--rewrite", "r.safetensors", "--rewrite", "s.safetensors")
    result = rewrites.run(*RUN, *words, "-o", "out")
    assert result.exit_code == 2 and rewrites.left() == []
    assert result.stderr.startswith("Error: rewrites of different generators cannot be composed")


def test_a_rewrite_brings_its_bundled_generator(
    rewrites: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = Rewrite.load(rewrites.folder / "r.safetensors").base
    names = {base: "g.safetensors"}  # a file in the place of a bundled name
    monkeypatch.setattr("regen.runs.generate.bundled.name_of", names.get)
    words = ("--rewrite", "r.safetensors", "--seeds", "2", "--device", "cpu")
    assert rewrites.run("generate", *words, "-o", "a").exit_code == 0
    assert rewrites.run(*RUN, *words, "-o", "b").exit_code == 0
    assert torch.equal(image(rewrites, "a"), image(rewrites, "b"))
    names.clear()
    result = rewrites.run("generate", *words, "-o", "c")
    assert result.exit_code == 2 and not (rewrites.folder / "c").exists()
    assert result.stderr == (
        f"Error: this rewrite belongs to no bundled generator: got a rewrite of generator "
        f"{base[:12]}; give its generator with --generator\n"
    )


def test_what_is_not_a_rewrite(world: Any) -> None:
    result = world.run(*RUN, "--rewrite", "p.safetensors", "-o", "out")
    assert result.exit_code == 2 and world.left() == []
    assert result.stderr == "Error: p.safetensors: got a projector, expected a rewrite\n"


def test_a_rewrite_that_is_not_there(world: Any) -> None:
    result = world.run(*RUN, "--rewrite", "r.safetensors:0.5", "-o", "out")
    assert result.exit_code == 2 and world.left() == []
    assert result.stderr == "Error: r.safetensors does not exist; check the path\n"


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_half_precision_gives_nearly_the_same_image(world: Any, precision: str) -> None:
    assert world.run(*RUN, "--seed", "2", "-o", "whole").exit_code == 0
    result = world.run(*RUN, "--seed", "2", "--precision", precision, "-o", "half")
    assert result.exit_code == 0
    error = (image(world, "half") - image(world, "whole")).square().mean()
    assert 0 < error < 4e-4  # 40 dB of a range of 2


def test_a_class_is_generated_and_required(world: Any) -> None:
    torch.manual_seed(0)
    config = replace(open_generator(world.folder / "g.safetensors").config, label_dim=3)
    generator = StyleGAN2(config).eval()
    save_stylegan2(world.folder / "c.safetensors", generator, card={})
    run = ("generate", "--generator", "c.safetensors", "--device", "cpu", "--seed", "2")
    assert world.run(*run, "--class", "1", "-o", "one").exit_code == 0
    label = torch.tensor([[0.0, 1.0, 0.0]])
    with torch.no_grad():
        expected = generator(generator.seed_latents([2], label=label)).clamp(-1, 1)
    torch.testing.assert_close(image(world, "one"), expected, atol=1 / 127, rtol=0)
    for options, message in (
        ((), "class: got none, expected 0 to 2; this generator has classes; `regen generate"),
        (("--class", "3"), "class: got 3, expected 0 to 2"),
    ):
        result = world.run(*run, *options, "-o", "none")
        assert result.exit_code == 2 and message in result.stderr
        assert not (world.folder / "none").exists()
    result = world.run(*RUN, "--class", "0", "-o", "none")
    assert result.exit_code == 2 and "class: got 0, expected none" in result.stderr


@pytest.fixture
def filling(world: Any) -> Any:
    """With i.safetensors, a generator that fills holes, a photograph, and masks of it."""
    save_rfr(world.folder / "i.safetensors", lively(), card={})
    save_image(world.folder / "me.png", torch.rand(1, 3, 40, 40) * 2 - 1)
    (world.folder / "photos").mkdir()
    save_image(world.folder / "photos" / "me.png", torch.rand(1, 3, 40, 40) * 2 - 1)
    for name, inside in (("hole", 1), ("inverted", -1)):
        mask = -inside * torch.ones(1, 3, 40, 40)
        mask[..., 5:15, 5:15] = inside
        save_image(world.folder / f"{name}.png", mask)
    return world


FILL = ("generate", "--generator", "i.safetensors", "--device", "cpu", "--pictures", "photos")


def test_a_photograph_is_filled(filling: Any) -> None:
    result = filling.run(*FILL, "--hole", "hole.png", "--grow", "0", "-o", "out")
    assert result.exit_code == 0 and filling.left() == ["grid.png", "me.png"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("--hole", "inverted.png"),
            "me.png: hole: got 94% of the image, expected at most 50%; wh",
        ),
        (("--hole", "nose"), "me.png: a part of a face by its name: got an image file, expected"),
        (("--hole", "none.png"), "none.png does not exist; check the path"),
        (("--hole", "no/mask"), "no/mask does not exist; check the path"),
        (("--hole", "photos"), "photos is a folder: expected an image"),
        (("--hole", "hole.png", "--grow", "60"), "of the image with 60 pixels around it, expected"),
        (("--holes", "photos", "--hole", "hole.png"), "folder of masks: got beside a single hole"),
        (("--holes", "nowhere"), "nowhere is not a folder"),
        (("--hole", "hole.png", "--grow", "65"), "grow: got 65, expected an integer from 0 to 64"),
        (("--hole", "hole.png", "--passes", "9"), "passes: got 9, expected an integer from 1 to 8"),
    ],
)
def test_holes_that_cannot_be_filled(filling: Any, words: Any, message: str) -> None:
    result = filling.run(*FILL, *words, "-o", "out")
    assert result.exit_code == 2 and result.stderr.count("\n") == 1
    assert result.stderr.startswith("Error: ") and message in result.stderr
    assert filling.left() == []


def test_a_generator_that_fills_no_holes(filling: Any) -> None:
    result = filling.run(*RUN, "--seeds", "1", "--hole", "nose", "-o", "out")
    assert result.exit_code == 2 and result.stderr == (
        "Error: generator for --hole: got g.safetensors, of the family stylegan2, expected one "
        "that fills holes; leave out --hole, or choose another generator: portraits-inpaint for "
        "instance\n"
    )


@pytest.fixture
def translating(world: Any) -> Any:
    """With t.safetensors, a generator that translates, photographs, and a cat."""
    save_munit(world.folder / "t.safetensors", lively_translator(), card={})
    (world.folder / "photos").mkdir()
    for name in ("photos/dog.png", "cat.png"):
        save_image(world.folder / name, torch.rand(1, 3, 40, 40) * 2 - 1)
    return world


TRANSLATE = ("generate", "--generator", "t.safetensors", "--device", "cpu", "--pictures", "photos")


def test_a_photograph_is_translated(translating: Any) -> None:
    found = []
    for style in ([], ["--style", "0"], ["--style", "7"], ["--style", "cat.png"]):
        result = translating.run(*TRANSLATE, *style, "-o", "out")
        assert result.exit_code == 0 and translating.left() == ["dog.png", "grid.png"]
        found.append(load_image(translating.folder / "out" / "dog.png"))
    random, first, second, like_a_cat = found
    assert random.shape == (1, 3, 32, 32) and torch.equal(random, first)
    assert not torch.equal(second, first) and not torch.equal(like_a_cat, first)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--style", "no.png"), "no.png"),
        (("--style", "-1"), "-1"),
        (("--hole", "cat.png"), "for --hole: got t.safetensors, of the family munit, expected"),
        (("--seeds", "1"), "image: got 1, expected 0 to 0"),
    ],
)
def test_what_cannot_be_translated(translating: Any, words: Any, message: str) -> None:
    result = translating.run(*TRANSLATE, *words, "-o", "out")
    assert result.exit_code == 2 and result.stderr.count("\n") == 1
    assert result.stderr.startswith("Error: ") and message in result.stderr
    assert translating.left() == []


def test_a_translator_of_others_knows_no_people(translating: Any) -> None:
    result = translating.run(*TRANSLATE[:-2], "--seeds", "1", "-o", "out")
    assert result.exit_code == 2
    assert "seed of a sample: got seed 1, expected a picture" in result.stderr


def test_a_generator_that_has_no_styles(translating: Any) -> None:
    result = translating.run(*RUN, "--seeds", "1", "--style", "7", "-o", "out")
    assert result.exit_code == 2
    message = "generator for --style: got g.safetensors, of the family stylegan2, expected one that"
    assert message in result.stderr and "portraits-cats for instance" in result.stderr
