"""A small random generator with its projector, in files, and a rule for a memory of one layer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor

from regen.generators.stylegan2.files import save_stylegan2
from regen.generators.stylegan2.generator import StyleGAN2
from regen.generators.stylegan2.split import StyleGAN2Split
from regen.images import save_image
from regen.images.regions import Region
from regen.projector.config import ProjectorConfig
from regen.projector.files import save_projector
from regen.projector.network import BackwardProjector
from regen.rewriting.composite import Example
from regen.rewriting.rule import Rule, build_rule
from regen.rewriting.settings import RuleSettings
from tests.helpers.examples import striped
from tests.helpers.stylegan2 import seven_convolutions


@pytest.fixture
def generator(seed: int) -> StyleGAN2:
    """Images of 32x32 from seven convolutions with noise and biases."""
    return seven_convolutions()


@pytest.fixture
def split(generator: StyleGAN2) -> StyleGAN2Split:
    """The sixth convolution alone: keys of 16x16, values of 32x32, both of eight channels."""
    return generator.split(6, 1)


@pytest.fixture
def examples(generator: StyleGAN2) -> list[Example]:
    """Two targets that get a pattern of stripes of two pixels."""
    return striped(generator, Region.box(10, 12, 18, 20), Region.box(2, 9, 12, 17))


@pytest.fixture
def rule(split: StyleGAN2Split, examples: list[Example]) -> Rule:
    """The two targets with values that a mixture of the image's channels stands for."""

    def project(images: Tensor) -> Tensor:
        return torch.einsum("kc,nchw->nkhw", torch.linspace(-1, 1, 24).reshape(8, 3), images)

    return build_rule(split, project, examples, RuleSettings(feather_px=0.0))


@pytest.fixture
def generator_file(generator: StyleGAN2, tmp_path: Path) -> Path:
    """The generator as a file."""
    save_stylegan2(tmp_path / "tiny.safetensors", generator, card={})
    return tmp_path / "tiny.safetensors"


@pytest.fixture
def projector_file(generator: StyleGAN2, split: StyleGAN2Split, tmp_path: Path) -> Path:
    """An untrained projector of its sixth layer."""
    network = BackwardProjector(ProjectorConfig.for_split(split, generator, widths=(4, 4)))
    save_projector(tmp_path / "projector.safetensors", network, generator, 6, card={})
    return tmp_path / "projector.safetensors"


@pytest.fixture
def images_folder(tmp_path: Path) -> Path:
    """Three images of noise."""
    folder = tmp_path / "images"
    folder.mkdir()
    for i in range(3):
        save_image(folder / f"{i}.png", torch.rand(1, 3, 40, 40) * 2 - 1)
    return folder


@pytest.fixture
def edits_file(images_folder: Path) -> Path:
    """One of the images on two samples."""
    targets = [{"seed": seed, "region": {"box": [8, 8, 20, 18]}} for seed in (1, 2)]
    edit = {"exemplar": "0.png", "region": {"box": [4, 4, 30, 28]}, "targets": targets}
    path = images_folder / "noise.json"
    path.write_text(json.dumps({"version": 1, "generator": str(path), "edits": [edit]}))
    return path
