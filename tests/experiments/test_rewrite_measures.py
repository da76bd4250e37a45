from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from experiments.tables.rewrite_measures import (
    Reference,
    frechet_interval,
    generator_floor,
    measure_images,
    paired_frechet,
    reference,
    score,
)
from experiments.tables.rewrite_scenes import (
    exemplar_seeds,
    ordered_scenes,
    portraits_scene,
    target_seeds,
)
from experiments.tables.rows import TABLE2_METRICS, Measured
from regen.edits.schema import PasteOracle
from regen.generators.protocol import Sample
from regen.metrics import frechet_distance, load_lpips
from regen.portraits import PortraitsOracle

PEOPLE = [Sample(label=f"seed {seed}", index=seed) for seed in (30_000, 30_001, 30_002)]


@pytest.fixture
def cat() -> Reference:
    """The renderer in place of a generator, so that before is the plain image."""
    edits, oracle = portraits_scene("cat_eyes", 1).edits, PortraitsOracle()
    before, lpips = oracle.plain(PEOPLE), load_lpips("squeeze")
    return reference(edits, oracle, PEOPLE, before, unexpected, unpasted, lpips, None)


def unexpected() -> Tensor:
    raise AssertionError("the oracle knows the region")


def unpasted() -> tuple[Tensor, Tensor]:
    raise AssertionError("no pseudo-oracle was asked for")


def test_images_that_did_not_change(cat: Reference) -> None:
    numbers = measure_images(cat.before, cat).numbers
    assert set(numbers) == set(TABLE2_METRICS) - {"seconds", "peak_memory_mb"}
    assert numbers["locality_lpips"] == numbers["outside_l1"] == 0
    assert numbers["inside_l1_after"] == numbers["inside_l1_before"] > 0.1  # type: ignore[operator]
    assert numbers["inside_lpips_after"] == numbers["inside_lpips_before"]


def test_a_perfect_rewrite(cat: Reference) -> None:
    assert cat.oracle is not None
    measured = measure_images(cat.oracle, cat)
    assert measured.numbers["inside_l1_after"] == 0
    assert measured.numbers["frechet"] == pytest.approx(0, abs=1e-3)
    assert measured.numbers["locality_lpips"] == pytest.approx(0, abs=1e-6)
    assert score(measured) == pytest.approx(0, abs=1e-6)


def test_the_floor_of_a_generator_that_is_the_renderer_is_zero(cat: Reference) -> None:
    assert generator_floor(cat) == {"inside_lpips_floor": 0, "inside_l1_floor": 0}


def test_a_pseudo_oracle_takes_the_place_of_the_oracle_and_has_no_floor() -> None:
    edits = replace(portraits_scene("cat_eyes", 1).edits, oracle=PasteOracle())
    before, inside = torch.zeros(3, 3, 32, 32), torch.zeros(3, 1, 32, 32)
    inside[..., 8:16, 8:16] = 1
    wanted = before + inside / 2
    oracle = PortraitsOracle()
    ref = reference(
        edits, oracle, PEOPLE, before, unexpected, lambda: (wanted, inside), None, "no weights"
    )
    assert ref.pseudo and ref.oracle is wanted and ref.inside is inside and ref.plain is before
    assert generator_floor(ref) == {}
    numbers = measure_images(before + inside / 4, ref).numbers
    assert numbers["inside_l1_before"] == pytest.approx(0.5)
    assert numbers["inside_l1_after"] == pytest.approx(0.25)


def test_without_lpips_and_oracle_the_reasons_are_given() -> None:
    before, inside = torch.zeros(2, 3, 32, 32), torch.zeros(2, 1, 32, 32)
    inside[..., 8:16, 8:16] = 1
    none = Reference(before, inside, None, None, Measured(), None, None, "no weights")
    after = before.clone()
    after[..., 20:, :] = 0.5
    measured = measure_images(after, none)
    assert measured.unavailable["locality_lpips"] == "no weights"
    assert "oracle" in measured.unavailable["inside_l1_after"]
    assert "oracle" in measured.unavailable["frechet"]
    assert measured.numbers["outside_l1"] == pytest.approx(0.5 * 12 * 32 / (32 * 32 - 64))
    assert score(measured) is None


@pytest.mark.parametrize("channels", [3, 40])
def test_the_short_way_to_the_frechet_distance_leads_to_the_same_place(channels: int) -> None:
    a, b = torch.randn(20, channels), 0.5 * torch.randn(20, channels) + 1
    assert paired_frechet(a.double(), b.double()) == pytest.approx(frechet_distance(a, b), rel=1e-4)


def test_the_interval_lies_around_the_distance() -> None:
    a, b = torch.randn(64, 6), torch.randn(64, 6) + 1
    low, high = frechet_interval(a, b)
    assert 0 < low < frechet_distance(a, b) < high


def test_seeds_follow_the_rule() -> None:
    three = target_seeds(3)
    assert target_seeds(1) == three[:1] and len(set(three)) == 3
    exemplars = exemplar_seeds(three)
    assert all(1000 <= seed < 3000 for seed in exemplars)
    assert exemplar_seeds(three[:1]) == exemplars[:1]


def test_what_matters_most_comes_first() -> None:
    names = [scene.name for scene in ordered_scenes(("cat_eyes", "red_nose"), (1, 3))]
    assert names == ["cat_eyes-3", "cat_eyes-1", "red_nose-3", "red_nose-1"]


def test_a_scene_is_an_edits_file() -> None:
    scene = portraits_scene("sunglasses", 3)
    assert scene.edits.oracle == "sunglasses"
    assert [edit.region.name for edit in scene.edits.edits] == ["glasses"] * 3  # type: ignore[union-attr]
    assert scene.edits.to_json()["edits"][0]["exemplar"]["pattern"] == "sunglasses"
