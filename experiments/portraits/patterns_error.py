"""How well foreign patterns survive projection, decoded as a rewrite will decode them.

Cat eyes and gears drawn by the renderer on other faces, and the eyes of a real cat, are pasted
onto unseen targets, projected, pasted into the targets' values and decoded with the targets' own
context. The composite is what the image should be: the error inside and outside of the region
is the distance to it, in mean absolute difference on [-1, 1] and LPIPS.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from regen.edits.exemplars import Image
from regen.generators.protocol import Generator, Sample
from regen.generators.split import Split
from regen.images.regions import Region
from regen.metrics import Lpips, masked_distance
from regen.portraits import PortraitsOracle
from regen.rewriting.composite import Example
from regen.rewriting.rule import build_rule, decode_wanted
from regen.rewriting.settings import RuleSettings

TARGETS = tuple(range(60_000, 60_016))
CHELSEA_EYES = Region.union(
    [Region.ellipse(171, 115, 33, 30), Region.ellipse(318.5, 136.5, 23, 26)]
)


def exemplars(oracle: PortraitsOracle) -> dict[str, tuple[Tensor, Region]]:
    """Images with a pattern and where it is."""
    found = {"real_cat": (Image("skimage:chelsea").load(), CHELSEA_EYES)}
    person = [Sample(label="the exemplar", index=61_000)]
    for pattern, name in (("cat_eyes", "eyes"), ("gear_eyes", "eyes"), ("red_nose", "nose")):
        where = Region.from_mask(oracle.region(name, person))
        found[pattern] = (oracle.wanted(person, pattern), where)
    return found


@torch.no_grad()
def pattern_errors(
    generator: Generator,
    split: Split,
    project: Callable[[Tensor], Tensor],
    settings: RuleSettings,
    lpips: Lpips | None,
) -> dict[str, dict[str, Any]]:
    """Errors {l1, lpips} by pattern, inside and outside; "samples" has no paste."""
    oracle, errors = PortraitsOracle(max(generator.image_size)), {}
    for pattern, (image, where) in exemplars(oracle).items():
        place = "nose" if pattern == "red_nose" else "eyes"
        examples = []
        for target in generator.source().samples(TARGETS):
            onto = Region.from_mask(oracle.region(place, [target]))
            examples.append(Example(image, where, generator.latents([target]), onto))
        rule = build_rule(split, project, examples, settings)
        decoded = decode_wanted(split, rule).float().clamp(-1, 1)
        inside, wanted = rule.image_mask, rule.composites.float().clamp(-1, 1)
        errors[pattern] = {
            "inside": masked_distance(decoded, wanted, inside, lpips),
            "outside": masked_distance(decoded, wanted, 1 - inside, lpips),
        }
    value = rule.before
    decoded = split.tail(value.with_features(project(rule.images))).float().clamp(-1, 1)
    everywhere = torch.ones_like(rule.image_mask)
    images = rule.images.float().clamp(-1, 1)
    errors["samples"] = {"all": masked_distance(decoded, images, everywhere, lpips)}
    return errors


def both_pastes(
    generator: Generator, split: Split, project: Callable[[Tensor], Tensor], lpips: Lpips | None
) -> dict[str, Any]:
    """The same for the choices of `RuleSettings`: what is pasted, and where it is aligned."""
    choices = {
        "image_difference": RuleSettings(paste="difference"),
        "image_features": RuleSettings(),
        "feature_features": RuleSettings(align="feature"),
        "image_features_stretch": RuleSettings(scale="stretch"),
    }
    return {k: pattern_errors(generator, split, project, c, lpips) for k, c in choices.items()}
