"""`regen.rewriting.map_checks`: a map elsewhere, and samples that it hardly covers."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from regen.generators.registry import open_generator
from regen.images.regions import Region
from regen.metrics.verdict import MOST_AWAY, MOST_MISSED
from regen.rewriting.map_checks import missed, spill
from regen.rewriting.preview import preview
from regen.rewriting.resolve import resolve
from tests.helpers.patterns import blue_cheek, eye_patch, green_brows

NOWHERE = torch.zeros(1, 1, 32, 32)
LINE, BORDERED = (Region.box(4, top, 28, 32 - top).mask(32, 32) for top in (15, 11))


@pytest.mark.parametrize(
    ("box", "share", "where"),
    [
        ((12, 12, 20, 20), 0.0, None),
        ((0, 0, 4, 4), 1.0, "top left"),
        ((28, 14, 32, 18), 1, "right"),
    ],
)
def test_what_is_next_to_a_region_is_not_away_from_it(
    box: tuple[float, ...], share: float, where: str | None
) -> None:
    region = Region.box(14, 14, 18, 18).mask(32, 32)
    found = spill(Region.box(*box).mask(32, 32), region)
    assert found.share == share and (where is None or found.where == where)


def test_a_map_of_nothing_spills_nowhere() -> None:
    assert spill(NOWHERE, NOWHERE)[:2] == (0, 0)


@pytest.mark.parametrize(("strength", "peak"), [(1.0, 1.0), (0.4, 0.5), (0.0, 0.0)])
def test_a_small_spot_that_is_strong_shows_in_the_peak(strength: float, peak: float) -> None:
    region, spot = Region.box(4, 4, 20, 20).mask(32, 32), Region.box(26, 26, 29, 29).mask(32, 32)
    found = spill(0.8 * region + strength * spot, region)
    assert found.share < MOST_AWAY and found.peak == pytest.approx(peak)
    assert strength == 0 or found.where == "bottom right"


def test_a_patch_over_one_eye_may_also_darken_the_other_unless_the_memory_is_long() -> None:
    generator = open_generator("london-faces")
    said = {
        length: [caution.text for caution in preview(resolve(edits, generator)).cautions]
        for length in (4, 6)
        for edits in [eye_patch(memory_layers=length)]
    }
    (text,) = said[4]
    assert text.startswith("the rule may also act at the middle, where the map on the targets is ")
    advice = "more memory layers (--memory-layers) may tell it apart"
    assert text.endswith(advice) and said[6] == []


def test_samples_that_the_map_hardly_covers_are_missed() -> None:
    region = Region.box(8, 8, 24, 24).mask(32, 32)
    around = Region.box(6, 6, 26, 26).mask(32, 32)
    unseen = torch.cat([around, 1.1 * region, 0.7 * region, NOWHERE])
    assert missed(unseen, around, region, border=2) == 0.5


def test_the_border_of_a_line_is_not_expected_of_other_samples() -> None:
    assert missed(1.5 * LINE, BORDERED, LINE, border=4) == 0
    assert missed(0.2 * LINE, BORDERED, LINE, border=4) == 1


def test_more_is_expected_where_the_targets_map_reaches_further_than_the_border() -> None:
    everywhere = torch.ones(1, 1, 32, 32)
    assert missed(1.5 * LINE, everywhere, LINE, border=2) == 1


@pytest.mark.parametrize(("content", "takes"), [(green_brows(), True), (blue_cheek(), False)])
def test_thin_brows_are_found_on_everybody_and_a_dark_cheek_on_few(
    content: dict[str, Any], takes: bool
) -> None:
    task = resolve(content, open_generator("portraits"))
    rule, seen = task.rule(), preview(task)
    border = rule.image_mask.shape[-1] // rule.keys.features.shape[-1]
    share = missed(seen.maps, seen.target_maps, seen.regions, border)
    assert share <= MOST_MISSED / 2 if takes else share >= 2 * MOST_MISSED
    said = {caution.kind for caution in seen.cautions}
    assert ("missed" in said) != takes and "thin" not in said
