"""What looks wrong with edits before anything is learned, and what does not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from regen.generators.stylegan2.split import StyleGAN2Split
from regen.images.regions import Region
from regen.images.shapes import Mask
from regen.projector.project import Project
from regen.rewriting import cautions as module
from regen.rewriting.cautions import cautions
from regen.rewriting.composite import Example
from regen.rewriting.rule import build_rule
from regen.rewriting.settings import RuleSettings

NOWHERE = torch.zeros(1, 1, 32, 32)


def found(
    split: StyleGAN2Split,
    project: Project,
    examples: list[Example],
    maps: Tensor | None = None,
    unseen: Tensor | None = None,
    config: RuleSettings | None = None,
) -> dict[str, str]:
    """Texts of cautions by their kind; maps are the region where none are given."""
    config = config or RuleSettings(feather_px=0)
    rule = build_rule(split, project, examples, config)
    maps = rule.image_mask if maps is None else maps
    unseen = maps if unseen is None else unseen
    return {
        caution.kind: caution.text for caution in cautions(examples, config, rule, maps, unseen)
    }


def test_edits_as_they_should_be(
    split: StyleGAN2Split, project: Project, examples: list[Example]
) -> None:
    assert found(split, project, examples) == {}


def test_a_map_elsewhere_is_a_spill_with_its_place(
    split: StyleGAN2Split, project: Project, examples: list[Example]
) -> None:
    maps = build_rule(split, project, examples, RuleSettings(feather_px=0)).image_mask.clone()
    maps[..., 28:, :8] = 1
    text = found(split, project, examples, maps)["spill"]
    assert text.startswith("the rule will also act elsewhere: 33% of the map on the targets lies")
    assert "most of it at the bottom left;" in text


def test_samples_that_the_map_hardly_covers_are_missed(
    split: StyleGAN2Split, project: Project, examples: list[Example]
) -> None:
    rule = build_rule(split, project, examples, RuleSettings(feather_px=0))
    around = F.max_pool2d(rule.image_mask[:1], 9, 1, 4)
    few = torch.cat([around, around, around, NOWHERE])
    assert "missed" not in found(split, project, examples, around, few)
    half = torch.cat([around, NOWHERE])
    text = found(split, project, examples, around, half)["missed"]
    assert text.startswith("the rule may hardly act on 50% of unseen samples")


@pytest.mark.parametrize(("height", "kinds"), [(1.5, {"thin"}), (3, set()), (0.8, {"tiny"})])
def test_lines_that_are_thinner_than_a_position_of_the_keys(
    split: StyleGAN2Split,
    project: Project,
    examples: list[Example],
    height: float,
    kinds: set[str],
) -> None:
    lines = Region.union([Region.box(0, top, 32, top + height) for top in (4, 20)])
    given = replace(examples[0], target_region=lines, exemplar_region=lines)
    said = found(split, project, [given])
    assert said.keys() == kinds
    if kinds == {"thin"}:
        assert said["thin"].startswith("the region is thinner than the 4 pixels of a position of")


@pytest.mark.parametrize("transparent", [True, False])
def test_a_pattern_that_fills_little_of_its_region_is_to_blame_for_that(
    split: StyleGAN2Split, project: Project, examples: list[Example], transparent: bool
) -> None:
    place = Region.box(4, 4, 28, 28)
    names = {"exemplar_label": "line.png", "target_label": "seed 1"}

    def lined(*rows: int) -> Example:
        lines = torch.zeros(1, 1, 32, 32)
        lines[..., list(rows), 4:28] = 1
        if transparent:
            outline = {"exemplar_region": place, "alpha": lines}
        else:
            outline = {"exemplar_region": Region((Mask(lines),)), "drawn": True}
        return replace(examples[0], target_region=place, **outline, **names)

    shape = "" if transparent else ', or the region as its outline ("shape": "target")'
    assert found(split, project, [lined(16)])["tiny"] == (
        "the pattern in line.png is tiny in its own outline, though the region of seed 1 is not: "
        "it covers 1.5 of 64 positions of the keys, so the rule can hardly be told from its "
        f"surroundings; take a pattern that fills more of the region{shape}, or choose a higher "
        "value layer (--value-layer)"
    )
    whole = RuleSettings(feather_px=0, shape="target")
    assert ("tiny" in found(split, project, [lined(16)], config=whole)) == transparent
    text = found(split, project, [lined(6, 10, 18, 26)])["thin"]
    assert text.startswith("the pattern, in its own outline, is thinner than the 4 pixels")
    small = replace(lined(16), target_region=Region.box(10, 10, 13, 13))
    assert found(split, project, [small])["tiny"].startswith("the region of seed 1 is tiny: it")


def test_a_soft_edge_that_leaves_little_of_the_pattern(
    split: StyleGAN2Split, project: Project, examples: list[Example]
) -> None:
    given = replace(examples[0], target_label="seed 1")  # 8x8 pixels
    assert "soft" not in found(split, project, [given], config=RuleSettings(feather_px=4))
    text = found(split, project, [given], config=RuleSettings(feather_px=24))
    assert text["soft"] == (
        "the soft edge of 24 pixels is wider than what is pasted into seed 1, so hardly any of "
        'that is seen, 7% where it is most; take a narrower one ("feather")'
    )
    assert not text.keys() & {"spill", "missed", "thin"}


def test_options_that_an_advice_names_are_said_apart(
    split: StyleGAN2Split, project: Project, examples: list[Example]
) -> None:
    tiny = replace(examples[0], target_region=Region.box(10, 10, 13, 13))
    config = RuleSettings(feather_px=0)
    rule = build_rule(split, project, [tiny], config)
    seen = cautions([tiny], config, rule, rule.image_mask, rule.image_mask)
    options = {caution.kind: caution.options for caution in seen}
    assert options["tiny"] == ("--value-layer",)
    assert all(option in one.text for one in seen for option in one.options)


def test_regions_of_a_size_that_cannot_work(
    split: StyleGAN2Split, project: Project, examples: list[Example]
) -> None:
    tiny = replace(examples[0], target_region=Region.box(10, 10, 13, 13), target_label="seed 1")
    text = found(split, project, [tiny])["tiny"]
    assert text.startswith(
        "the region of seed 1 is tiny: it covers 0.6 of 64 positions of the keys"
    )
    huge = replace(examples[0], target_region=Region.box(0, 0, 32, 20), target_label="seed 1")
    assert found(split, project, [huge])["huge"].startswith(
        "the region of seed 1 covers 62% of the image"
    )


def test_a_pattern_of_too_few_pixels(
    split: StyleGAN2Split, project: Project, examples: list[Example]
) -> None:
    small = replace(examples[0], exemplar_region=Region.box(4, 4, 7, 7), exemplar_label="cat.png")
    text = found(split, project, [small])["enlarged"]
    assert text == (
        "the pattern in cat.png is enlarged 2.7 times and will be blurred; use a larger image"
    )


WIDE, TALL = Region.box(2, 2, 22, 6), Region.box(6, 8, 26, 22)  # 20x4 onto 20x14
PAIRS = Region.union([Region.box(1, 2, 4, 6), Region.box(20, 2, 28, 6)])
SPREAD = Region.union([Region.box(2, 10, 12, 20), Region.box(16, 10, 24, 20)])


@pytest.mark.parametrize(
    ("source", "target", "settings", "times"),
    [
        (WIDE, TALL, {}, "3.5"),  # it must cover the target, so the larger scale is used
        (WIDE, TALL, {"scale": "stretch"}, "3.5"),
        (WIDE, TALL, {"shape": "exemplar"}, None),  # it must stay within
        (PAIRS, SPREAD, {"shape": "exemplar"}, "2.5"),  # the left one; the wholes would shrink
    ],
)
def test_a_pattern_is_enlarged_as_it_is_pasted(
    source: Region,
    target: Region,
    settings: dict[str, Any],
    times: str | None,
    split: StyleGAN2Split,
    project: Project,
    examples: list[Example],
) -> None:
    config = RuleSettings(feather_px=0, **settings)
    given = replace(
        examples[0], exemplar_region=source, target_region=target, exemplar_label="cat.png"
    )
    text = found(split, project, [given], config=config).get("enlarged")
    if times is None:
        assert text is None
    else:
        assert text is not None and text.startswith(f"the pattern in cat.png is enlarged {times} ")


def test_a_mask_that_is_inverted(
    split: StyleGAN2Split, project: Project, examples: list[Example]
) -> None:
    inverted = 1 - Region.box(10, 10, 20, 20).mask(32, 32)
    wrong = replace(examples[0], exemplar_region=Region.from_mask(inverted), exemplar_label="a.png")
    assert found(split, project, [wrong])["inverted"].startswith(
        "the mask of a.png has all four corners inside; if it is inverted"
    )


def test_a_mask_of_labels(split: StyleGAN2Split, project: Project, examples: list[Example]) -> None:
    labels = torch.zeros(1, 1, 32, 32)
    labels[..., 4:12, 4:12] = 38 / 255
    labels[..., 12:20, 4:12] = 75 / 255
    wrong = replace(examples[0], exemplar_region=Region.from_mask(labels), exemplar_label="a.png")
    text = found(split, project, [wrong])["labels"]
    assert text.startswith("the mask of a.png looks like a map of labels: its levels are 38 and 75")


def test_shapes_that_do_not_pair(
    split: StyleGAN2Split, project: Project, examples: list[Example]
) -> None:
    two = Region.union([Region.box(2, 9, 8, 17), Region.box(20, 9, 26, 17)])
    labels = {"exemplar_label": "cat.png", "target_label": "seed 1"}
    wrong = replace(examples[0], target_region=two, **labels)
    assert found(split, project, [wrong])["pairs"] == (
        "the one shape of cat.png and the 2 shapes of seed 1 do not pair, so they are moved as "
        "wholes; give equally many, one twice if need be"
    )


def test_four_targets(split: StyleGAN2Split, project: Project, examples: list[Example]) -> None:
    assert "targets" not in found(split, project, [examples[0]] * module.MOST_TARGETS)
    four = found(split, project, [examples[0]] * 4)
    assert four["targets"].startswith("4 targets share one rule")


def test_targets_are_not_counted_by_their_holes(
    split: StyleGAN2Split, project: Project, examples: list[Example]
) -> None:
    config = RuleSettings(feather_px=0)
    nine = [examples[0]] * 9
    rule = build_rule(split, project, nine, config)
    maps = [rule.image_mask] * 2
    assert cautions(nine, config, rule, *maps, targets=3) == []
    assert [one.kind for one in cautions(nine, config, rule, *maps, targets=4)] == ["targets"]


def test_nothing_is_said_twice(
    split: StyleGAN2Split, project: Project, examples: list[Example]
) -> None:
    small = replace(examples[0], exemplar_region=Region.box(4, 4, 7, 7), exemplar_label="cat.png")
    config = RuleSettings(feather_px=0)
    rule = build_rule(split, project, [small, small], config)
    found = cautions([small, small], config, rule, *[rule.image_mask] * 2)
    assert [caution.kind for caution in found] == ["enlarged"]


def test_one_sample_that_should_become_two_images(
    split: StyleGAN2Split, project: Project, examples: list[Example]
) -> None:
    first = replace(examples[0], target_label="seed 1")
    again = replace(first, target_region=Region.box(20, 2, 28, 10))
    assert "twice" not in found(split, project, [first, first])
    text = found(split, project, [first, examples[1], again])["twice"]
    assert text.startswith("seed 1 is a target more than once, and should become another image")
