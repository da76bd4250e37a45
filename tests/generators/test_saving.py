"""`regen.generators.saving`: open generators become files."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from regen.errors import GeneratorError, StoreError
from regen.files.tensor_file import read_header
from regen.generators.native import terms_of
from regen.generators.registry import CheckpointWarning, generator_path, open_generator
from regen.generators.saving import save_generator
from regen.generators.stylegan2.generator import StyleGAN2
from tests.helpers.rfr import lively

Build = Callable[..., StyleGAN2]


def test_a_generator_is_opened_as_it_was_saved(build: Build, tmp_path: Path) -> None:
    for generator in (build(), lively()):
        save_generator(generator, tmp_path / "g.safetensors")
        assert open_generator(tmp_path / "g.safetensors").digest() == generator.digest()


def test_a_header_does_not_say_that_nothing_was_changed(build: Build, tmp_path: Path) -> None:
    path, again = tmp_path / "g.safetensors", tmp_path / "again.safetensors"
    save_generator(build(), path)
    assert read_header(path)["provenance"] == "converted from: a generator made in memory"
    save_generator(open_generator(path), again)
    assert read_header(again)["provenance"] == f"converted from: {path}, as it was in memory"
    generator = open_generator(path)
    path.unlink()
    save_generator(generator, again)


def test_the_licence_stays_with_the_weights(tmp_path: Path) -> None:
    for name in ("portraits", "london-faces"):
        save_generator(open_generator(name), tmp_path / "g.safetensors")
        before, after = terms_of(generator_path(name)), terms_of(tmp_path / "g.safetensors")
        assert before == after and "licence" in after
    assert after["licence"] == "CC BY 4.0" and after["attribution"].startswith("Lisa DeBruine")


@pytest.mark.parametrize("suffix", [".pkl", ".pt"])
def test_formats_of_other_tools(build: Build, tmp_path: Path, suffix: str) -> None:
    generator = build(z_dim=5)
    with pytest.warns(CheckpointWarning, match="there is no discriminator|has 512 channels"):
        save_generator(generator, tmp_path / f"g{suffix}")
    with pytest.warns(CheckpointWarning, match="regen convert"):
        again = open_generator(tmp_path / f"g{suffix}")
    latent = generator.seed_latents([3])
    torch.testing.assert_close(again(latent), generator(latent))


def test_what_cannot_be_written_is_told(build: Build, tmp_path: Path) -> None:
    with pytest.raises(
        GeneratorError, match=r"g.jpg: suffix: got .jpg, expected .safetensors, .pkl"
    ):
        save_generator(build(), tmp_path / "g.jpg")
    with pytest.raises(StoreError, match="create the folder first"):
        save_generator(build(), tmp_path / "none" / "g.safetensors")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", [None, 3, b"g.safetensors", ["g.safetensors"], ""])
def test_a_place_that_is_no_path_is_told(build: Build, path: Any) -> None:
    message = "^path to save to: got .*, expected a path, after the generator$"
    with pytest.raises(GeneratorError, match=message):
        save_generator(build(), path)
    with pytest.raises(GeneratorError, match=message):
        save_generator("g.safetensors", build())  # type: ignore[arg-type]


def test_the_file_that_is_open_stays(build: Build, tmp_path: Path) -> None:
    path = tmp_path / "g.safetensors"
    save_generator(build(), path)
    (tmp_path / "same.safetensors").symlink_to(path)
    opened, before = open_generator(path), path.read_bytes()
    next(opened.parameters()).data += 1
    for name in (path, os.path.relpath(path), tmp_path / "same.safetensors"):
        with pytest.raises(
            GeneratorError, match="is the file that the generator was opened from; ch"
        ):
            save_generator(opened, name)
    assert path.read_bytes() == before
