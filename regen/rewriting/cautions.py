"""What looks wrong with the edits before anything is learned, in words.

Nothing here forbids a rewrite: each caution says what was seen, and what usually helps. The limits
stand together below, each with what it rests on; that of the map is the verdict's.

Shapes: T targets; H, W their height and width; h, w any size.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from regen.images.regions import resize_mask
from regen.images.shapes import Mask
from regen.metrics.verdict import HIGHEST_AWAY, MOST_AWAY, MOST_MISSED
from regen.rewriting.composite import Example, enlargement
from regen.rewriting.map_checks import missed, spill
from regen.rewriting.mask_labels import label_levels
from regen.rewriting.pattern_sizes import (
    LEAST_PASTED,
    LEAST_POSITIONS,
    at_keys,
    between_keys,
    has_own_outline,
    is_thin,
    left_by_edge,
)
from regen.rewriting.rule import Rule
from regen.rewriting.settings import RuleSettings

Kind = Literal[
    "twice",
    "spill",
    "missed",
    "soft",
    "thin",
    "tiny",
    "huge",
    "enlarged",
    "inverted",
    "labels",
    "pairs",
    "targets",
]

MOST_OF_IMAGE = 0.4
"""Share of the image that a region may cover. The rule may act on 1.7 times the region's area, so
above this two thirds of every sample are free to change."""
MOST_ENLARGED = 2.0
"""How much an exemplar may be enlarged; more shows as blur at the size of a pixel or two."""
MOST_TARGETS = 3
"""Targets in all; the paper shows one to three. Each further one takes its share of the loss, and
what they do not agree on is averaged."""
_LENGTH, _LAYER = "--memory-layers", "--value-layer"


@dataclass(frozen=True)
class Caution:
    """Something that a person should look at before a rewrite is learned.

    Attributes:
        kind: Which check found it.
        text: What was found and what usually helps, one sentence.
        options: Those of `regen rewrite` that the advice names.
    """

    kind: Kind
    text: str
    options: tuple[str, ...] = ()


def cautions(
    examples: Sequence[Example],
    settings: RuleSettings,
    rule: Rule,
    target_maps: Tensor,
    maps: Tensor,
    *,
    targets: int | None = None,
) -> list[Caution]:
    """Everything that looks wrong, the most serious first.

    Args:
        examples: Exemplars and targets with their regions, T of them.
        settings: How they are aligned.
        rule: What they became.
        target_maps: Where the rule will act on the targets, ``[T, 1, H, W]`` in [0, 1].
        maps: Where it will act on N unseen samples, ``[N, 1, H, W]``.
        targets: How many targets share the rule: fewer than T where one has several holes, and 0
            where nothing is to be said of it. By default T.

    Returns:
        No caution twice.
    """
    regions = rule.image_mask.float().cpu()
    soft = [*_of_softness(examples, settings, rule)]
    found = [*_of_repetition(examples, rule), *soft]
    if not soft:  # else there is nothing that a map could be compared with
        found += [*_of_spill(target_maps, regions), *_of_missed(maps, target_maps, rule)]
        found += _of_thin_lines(examples, settings, rule)
    found += _of_sizes(examples, settings, rule)
    for example in examples:
        found += [*_of_masks(example), *_of_pairs(example)]
    sharing = len(examples) if targets is None else targets
    if sharing > MOST_TARGETS:
        text = (
            f"{sharing} targets share one rule, which averages what they do not agree on; "
            "one to three usually give more"
        )
        found.append(Caution("targets", text))
    return list(dict.fromkeys(found))


def _of_repetition(examples: Sequence[Example], rule: Rule) -> Iterator[Caution]:
    """One sample that should become several images: outside of its region each target stays."""
    for i, example in enumerate(examples):
        same = [j for j in range(i) if torch.equal(rule.images[j], rule.images[i])]
        if any(not torch.equal(rule.composites[j], rule.composites[i]) for j in same):
            yield Caution(
                "twice",
                f"{example.target_label} is a target more than once, and should become another "
                "image each time, which the rule can only average; give shapes of one pattern as "
                "one region, or learn each pattern by itself and combine the rewrites",
            )


def _of_softness(
    examples: Sequence[Example], settings: RuleSettings, rule: Rule
) -> Iterator[Caution]:
    """Soft edges so wide that little of what they are around is left."""
    for row, example in enumerate(examples):
        left = left_by_edge(example, settings, rule, row)
        if left < LEAST_PASTED:
            yield Caution(
                "soft",
                f"the soft edge of {settings.feather_px:g} pixels is wider than what is pasted "
                f"into {example.target_label}, so hardly any of that is seen, {left:.0%} where it "
                'is most; take a narrower one ("feather")',
            )


def _of_spill(maps: Tensor, regions: Tensor) -> Iterator[Caution]:
    away = spill(maps, regions)
    if away.share > MOST_AWAY:
        yield Caution(
            "spill",
            f"the rule will also act elsewhere: {away.share:.0%} of the map on the targets lies "
            f"away from their regions, most of it at the {away.where}; choose a region whose "
            f"surroundings differ from the rest of the image, or another length of the memory "
            f"({_LENGTH})",
            (_LENGTH,),
        )
    elif away.peak > HIGHEST_AWAY:
        yield Caution(
            "spill",
            f"the rule may also act at the {away.where}, where the map on the targets is "
            f"{away.peak:.0%} as strong as inside their regions; if that part should stay as it "
            f"is, the other eye for instance, more memory layers ({_LENGTH}) may tell it apart",
            (_LENGTH,),
        )


def _of_missed(maps: Tensor, target_maps: Tensor, rule: Rule) -> Iterator[Caution]:
    share = missed(maps, target_maps, rule.image_mask.float().cpu(), between_keys(rule))
    if share > MOST_MISSED:
        yield Caution(
            "missed",
            f"the rule may hardly act on {share:.0%} of unseen samples, as their map covers less "
            "than half of what it should; choose targets that differ more, or a region whose "
            "surroundings differ from it",
        )


def _of_thin_lines(
    examples: Sequence[Example], settings: RuleSettings, rule: Rule
) -> Iterator[Caution]:
    inside = resize_mask(rule.mask.cpu(), *rule.keys.features.shape[-2:])
    if inside.sum() < LEAST_POSITIONS * len(inside) or not is_thin(inside):
        return
    regions = torch.cat([at_keys(example, rule) for example in examples])
    own = all(has_own_outline(one, settings) for one in examples) and not is_thin(regions)
    named = "the pattern, in its own outline," if own else "the region"
    yield Caution(
        "thin",
        f"{named} is thinner than the {between_keys(rule)} pixels of a position of the "
        "keys, which see more of its surroundings than of itself, so samples may be missed; "
        "choose one that covers whole parts of the image instead of thin lines, or fewer "
        f"memory layers ({_LENGTH}), whose keys are often finer",
        (_LENGTH,),
    )


def _of_sizes(examples: Sequence[Example], settings: RuleSettings, rule: Rule) -> Iterator[Caution]:
    """Regions too small or too large for the targets, and patterns of too few pixels."""
    height, width = (int(side) for side in rule.keys.features.shape[-2:])
    positions = resize_mask(rule.mask.cpu(), height, width).sum(dim=(1, 2, 3))
    shares = rule.image_mask.cpu().mean(dim=(1, 2, 3))
    for example, covered, share in zip(examples, positions.tolist(), shares.tolist(), strict=True):
        if covered < LEAST_POSITIONS:
            what, remedy = _tiny(example, settings, rule)
            yield Caution(
                "tiny",
                f"{what}: it covers {covered:.1f} of {height * width} positions of the keys, so "
                f"the rule can hardly be told from its surroundings; {remedy}, or choose a higher "
                f"value layer ({_LAYER})",
                (_LAYER,),
            )
        if share > MOST_OF_IMAGE:
            yield Caution(
                "huge",
                f"the region of {example.target_label} covers {share:.0%} of the image, so little "
                "is left to preserve; draw it around the pattern alone",
            )
        enlarged = enlargement(example, settings)
        if enlarged > MOST_ENLARGED:
            yield Caution(
                "enlarged",
                f"the pattern in {example.exemplar_label} is enlarged {enlarged:.1f} times and "
                "will be blurred; use a larger image",
            )


def _tiny(example: Example, settings: RuleSettings, rule: Rule) -> tuple[str, str]:
    """What is tiny, the region or the pattern that fills little of it, and what helps."""
    if float(at_keys(example, rule).sum()) < LEAST_POSITIONS or not has_own_outline(
        example, settings
    ):
        return f"the region of {example.target_label} is tiny", "draw it larger"
    what = (
        f"the pattern in {example.exemplar_label} is tiny in its own outline, though the region of "
        f"{example.target_label} is not"
    )
    remedy = "take a pattern that fills more of the region"
    if example.alpha is None:  # what is transparent is never pasted
        remedy += ', or the region as its outline ("shape": "target")'
    return what, remedy


def _of_masks(example: Example) -> Iterator[Caution]:
    for name, region in (
        (example.exemplar_label, example.exemplar_region),
        (example.target_label, example.target_region),
    ):
        for shape in region.shapes:
            if isinstance(shape, Mask):
                yield from _of_mask(name, shape.mask)


def _of_mask(name: str, mask: Tensor) -> Iterator[Caution]:
    corners = mask[0, 0][[0, 0, -1, -1], [0, -1, 0, -1]]
    if bool((corners > 0.5).all()):
        yield Caution(
            "inverted",
            f"the mask of {name} has all four corners inside; if it is inverted, make what "
            "changes white",
        )
    levels = label_levels(mask)
    if len(levels) > 1 or (levels and levels[-1] < 128):
        named = " and ".join(map(str, levels[:4]))
        yield Caution(
            "labels",
            f"the mask of {name} looks like a map of labels: its levels are {named} of 255; make "
            "a mask of one label, white inside",
        )


def _of_pairs(example: Example) -> Iterator[Caution]:
    source, target = (
        len(region.split()) for region in (example.exemplar_region, example.target_region)
    )
    if source != target:
        yield Caution(
            "pairs",
            f"{_shapes(source)} of {example.exemplar_label} and {_shapes(target)} of "
            f"{example.target_label} do not pair, so they are moved as wholes; give equally many, "
            "one twice if need be",
        )


def _shapes(count: int) -> str:
    return "the one shape" if count == 1 else f"the {count} shapes"
