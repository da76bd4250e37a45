"""A small random generator, a cut of it, and a projector that is plain arithmetic."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from regen.edits.schema import Edits
from regen.generators.stylegan2.generator import StyleGAN2
from regen.generators.stylegan2.split import StyleGAN2Split
from regen.images.regions import Region
from regen.portraits import PortraitsOracle
from regen.projector.project import Project
from regen.rewriting.composite import Example
from regen.rewriting.preserved import Preserved
from regen.rewriting.rule import Rule, RuleSettings, build_rule
from regen.rewriting.settings import FitSettings, RewriteSettings
from regen.rewriting.task import Task
from tests.helpers.examples import striped
from tests.helpers.stylegan2 import seven_convolutions


def _project(images: Tensor) -> Tensor:
    """``[N, 3, 32, 32] -> [N, 8, 16, 16]``: means of two by two pixels, eight mixtures of them."""
    mixing = torch.linspace(-1, 1, 24).reshape(8, 3)
    return torch.einsum("kc,nchw->nkhw", mixing, F.avg_pool2d(images, 2))


@pytest.fixture
def project() -> Project:
    """A stand-in for the backward projector: linear, local, and wrong about every sample."""
    return _project


@pytest.fixture
def generator(seed: int) -> StyleGAN2:
    """Images of 32x32 from seven convolutions with noise and biases."""
    return seven_convolutions()


@pytest.fixture
def portrait(generator: StyleGAN2) -> StyleGAN2:
    """The generator, with the renderer as its oracle."""
    generator.oracle = PortraitsOracle(32)
    return generator


@pytest.fixture
def split(generator: StyleGAN2) -> StyleGAN2Split:
    """Keys are 8x8, values 16x16, both of eight channels."""
    return generator.split(5, 2)


@pytest.fixture
def examples(generator: StyleGAN2) -> list[Example]:
    """Two targets that get a pattern of stripes of two pixels."""
    place = Region.box(10, 12, 18, 20)
    return striped(generator, place, place)


@pytest.fixture
def rule(split: StyleGAN2Split, examples: list[Example]) -> Rule:
    """The two targets as a rule near their values, as this projector knows nothing of them."""
    return build_rule(split, _project, examples, RuleSettings(paste="difference"))


@pytest.fixture
def preserved(generator: StyleGAN2, split: StyleGAN2Split) -> Preserved:
    """Five samples that must stay everywhere."""
    keys = split.head(generator.seed_latents(range(100, 105)))
    value = split.memory(keys)
    keep, image_keep = torch.ones(5, 1, 16, 16), torch.ones(5, 1, 32, 32)
    return Preserved(keys, value.features, split.tail(value), keep, image_keep)


@pytest.fixture
def task(generator: StyleGAN2, split: StyleGAN2Split, examples: list[Example]) -> Task:
    """The two targets as a task of three steps and two preserved samples."""
    fit = FitSettings(steps=3, report_every=1, preserve=2, preserve_batch=1, precision="fp32")
    return Task(
        edits=Edits(()),
        settings=RewriteSettings(RuleSettings(paste="difference"), fit, memory_layers=2),
        generator=generator,
        source=generator.source(),
        examples=examples,
        taken={1, 2},
        projector=_project,  # type: ignore[arg-type]  # nothing but calling it is needed
        split=split,
    )
