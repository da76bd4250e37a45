"""Patterns for samples, where rules are tested: stripes of two pixels, and drawn cat eyes."""

from __future__ import annotations

from typing import Any

import torch

from regen.edits.schema import Edit, Edits, NamedRegion, Pattern, Target
from regen.generators.stylegan2.generator import StyleGAN2
from regen.images.regions import Region
from regen.rewriting.composite import Example

EYES = NamedRegion("eyes")


def edits(*targets: Target, **more: Any) -> Edits:
    """The cat eyes of seed 5 for targets."""
    return Edits((Edit(Pattern("cat_eyes", 5), EYES, targets),), **more)


def striped(generator: StyleGAN2, *places: Region) -> list[Example]:
    """Seeds 1, 2 and on, each with the stripes at a place of its own."""
    stripes = torch.tensor([1.0, 1.0, -1.0, -1.0]).repeat(8).expand(1, 3, 32, 32)
    region = Region.box(4, 4, 12, 12)
    return [
        Example(stripes, region, generator.seed_latents([seed]), place)
        for seed, place in enumerate(places, start=1)
    ]
