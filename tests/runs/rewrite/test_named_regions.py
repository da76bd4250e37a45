"""Which part of a portrait an edits file is about."""

from __future__ import annotations

import pytest
import torch

from regen.edits.schema import Edit, Edits, NamedRegion, Pattern, SampleSpec, Target
from regen.images.regions import Region
from regen.portraits import Oracle, attributes, region, seed_to_z
from regen.runs.rewrite.named_regions import known_regions

SEEDS = [20, 21]


def edits(*regions: Region | NamedRegion, truncation: float = 1.0, **more: str) -> Edits:
    targets = tuple(
        Target(SampleSpec(seed, truncation), place) for seed, place in enumerate(regions)
    )
    exemplar = Pattern("cat_eyes", 5)
    return Edits((Edit(exemplar, NamedRegion("eyes"), targets),), **more)  # type: ignore[arg-type]


def drawn(name: str, seed: int) -> Region:
    return Region.drawn(region(attributes(seed_to_z([seed])), name, 128))


def of(name: str) -> torch.Tensor:
    return region(attributes(seed_to_z(SEEDS)), name, 128)


def test_a_named_region_is_known_for_every_seed() -> None:
    assert torch.equal(known_regions(edits(NamedRegion("nose")), SEEDS, 128), of("nose"))


def test_regions_of_several_names_are_united() -> None:
    known = known_regions(edits(NamedRegion("nose"), NamedRegion("mouth")), SEEDS, 128)
    assert torch.equal(known, torch.maximum(of("nose"), of("mouth")))


def test_a_drawn_region_is_the_smallest_of_the_renderers_that_it_lies_in() -> None:
    eyes = drawn("eyes", 0)
    x0, y0, x1, y1 = eyes.split()[0].bounds
    inside = Region.ellipse((x0 + x1) / 2, (y0 + y1) / 2, (x1 - x0) / 4, (y1 - y0) / 4)
    assert torch.equal(known_regions(edits(inside), SEEDS, 128), of("eyes"))


@pytest.mark.parametrize(
    "unknown",
    [
        edits(Region.box(0, 0, 10, 10)),
        edits(NamedRegion("eyes"), Region.box(0, 0, 10, 10)),
        edits(drawn("eyes", 0), truncation=0.5),
        edits(NamedRegion("eyes"), generator="/other.safetensors"),
    ],
)
def test_other_regions_are_unknown(unknown: Edits) -> None:
    assert known_regions(unknown, SEEDS, 128) is None


def test_an_oracle_knows_best() -> None:
    known = known_regions(edits(Region.box(0, 0, 10, 10), oracle="red_nose"), SEEDS, 128)
    assert torch.equal(known, Oracle("red_nose", 128).region(SEEDS))
