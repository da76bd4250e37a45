"""A rule: keys, the values they should give, and how much each position matters.

For every target the region of the exemplar is projected into features and pasted into the target's
own value (section 4.2 of the paper). With ``align="image"`` the exemplar is first pasted into the
target's image and the composite is projected, so that the pattern is projected at the size and
position at which it is generated; with ``"feature"`` (the paper's wording) the exemplar is
projected as it is and its features are resampled. Without a projector the values are found by
gradient steps instead (`regen.rewriting.direct_values`).

Composite (`regen.rewriting.composite`), weights and features share the outline of what is pasted.

Shapes: T targets; C, h, w channels and size of the value; H, W height and width of the image.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from regen.errors import ProjectorError, RewriteError
from regen.generators.split import Activation, Split, concatenate
from regen.images.alignment import align
from regen.images.raster import size_of
from regen.images.regions import feather, paste, resize_mask
from regen.images.transparency import continued
from regen.projector.guide import guided
from regen.projector.project import Project
from regen.rewriting.composite import Example, compose
from regen.rewriting.direct_values import direct_values
from regen.rewriting.settings import RuleSettings

# Shares of region, everything else, and the band around the region within that, by which values are
# found without a projector: those of a fit's defaults.
_DIRECT_WEIGHTS = (10.0, 4.0, 0.5)


@dataclass(frozen=True)
class Rule:
    """What a memory should recall for some keys.

    Attributes:
        keys: The targets' keys, T samples.
        before: The targets' own values, T samples, with the context for the tail.
        wanted: The values that the keys should give, ``[T, C, h, w]``.
        mask: The region at the value's size, ``[T, 1, h, w]`` in [0, 1].
        images: The targets' images, ``[T, 3, H, W]``.
        composites: The targets with the exemplar's pixels pasted, ``[T, 3, H, W]``.
        image_mask: The region at the image's size, ``[T, 1, H, W]`` in [0, 1].
        changeable: Where the images can change at all, ``[T, 1, H, W]`` of 0 and 1; None for
            everywhere.
    """

    keys: Activation
    before: Activation
    wanted: Tensor
    mask: Tensor
    images: Tensor
    composites: Tensor
    image_mask: Tensor
    changeable: Tensor | None = None

    def __len__(self) -> int:
        return len(self.wanted)


def region_weights(
    mask: Tensor, new: float, old: float, border: float = 0.0, changeable: Tensor | None = None
) -> Tensor:
    """Weights p inside and q outside of Eq. (11) in section 4.2, each spread over its area.

    Args:
        mask: ``[T, 1, h, w]`` in [0, 1].
        new: p, the share of the inside.
        old: q, the share of the outside.
        border: Share of q, in [0, 1], that goes to the band around the region alone, an eighth of
            the image's shorter side wide, where a rule first has side effects; the rest is spread
            evenly.
        changeable: Where anything can change, as `mask`; None for everywhere. What cannot has no
            weight, so that it takes nothing of the share of what can.

    Returns:
        ``[T, 1, h, w]`` summing to 1 over all samples: a region of any size has the share
        p / (p + q) of the loss.
    """
    inside = mask / mask.sum(dim=(1, 2, 3), keepdim=True).clamp_min(1e-6)
    rest = 1 - mask if changeable is None else (1 - mask) * changeable
    outside = rest / rest.sum(dim=(1, 2, 3), keepdim=True).clamp_min(1e-6)
    if border:
        band = rest * (2 * feather(mask, min(mask.shape[-2:]) / 8)).clamp(0, 1)
        band = band / band.sum(dim=(1, 2, 3), keepdim=True).clamp_min(1e-6)
        outside = (1 - border) * outside + border * band
    weights = new * inside + old * outside
    return weights / weights.sum()


def check_projector(project: Project | None, settings: RuleSettings) -> None:
    """Raise ProjectorError if features should be pasted and there is no projector to make them."""
    if project is None and settings.align == "feature":
        raise ProjectorError(
            "align",
            got="feature, without a projector for the value layer",
            expected="image",
            remedy="or train a projector with `regen train-projector`",
        )


@torch.no_grad()
def build_rule(
    split: Split,
    project: Project | None,
    examples: Sequence[Example],
    settings: RuleSettings,
    *,
    values: bool = True,
) -> Rule:
    """Project the exemplars and paste them into the targets' values (section 4.2 of the paper).

    Args:
        split: The generator, cut at key and value.
        project: The backward projector, ``[N, 3, H, W] -> [N, C, h, w]``; None to find the values
            by gradient steps.
        examples: At least one.
        settings: How to align and paste.
        values: Whether wanted values are asked for. Where they are not, because recall is measured
            on the image alone, gradient steps are spared, and the values are the targets' own.

    Returns:
        The rule, on the generator's device.

    Raises:
        RewriteError: If there are no examples.
        ProjectorError: If features should be aligned without a projector.
        RegionError: If a region reaches outside its image.
    """
    if not examples:
        raise RewriteError("rule", got="no examples", expected="one to three targets")
    check_projector(project, settings)
    return stack_rules([_one(split, project, example, settings, values) for example in examples])


def _one(
    split: Split, project: Project | None, example: Example, settings: RuleSettings, values: bool
) -> Rule:
    """The rule of one target, whose own values are wanted where none are asked for."""
    keys = split.head(example.latent)
    before = split.recall(keys)
    image = split.tail(before)
    composite, soft = compose(example, image, settings)
    own = before.features.float()
    mask = resize_mask(soft, *size_of(own))
    rule = Rule(keys, before, own, mask, image, composite, soft, example.guide)
    if project is not None:
        features = _features(project, example, rule, settings)
        return replace(rule, wanted=paste(own, features, mask))
    if not values:
        return rule
    weights = region_weights(soft, *_DIRECT_WEIGHTS, example.guide)
    return replace(rule, wanted=direct_values(split, before, composite, weights, mask, soft))


def _features(project: Project, example: Example, rule: Rule, settings: RuleSettings) -> Tensor:
    """Projected features to paste into the values that `rule` wants so far, the target's own."""
    if settings.align == "feature":
        return _resampled_features(project, example, rule, settings)
    features = project(guided(rule.composites, example.guide))
    if settings.paste == "features":
        return features
    return rule.wanted + features - project(guided(rule.images, example.guide))


def _resampled_features(
    project: Project, example: Example, rule: Rule, settings: RuleSettings
) -> Tensor:
    """Features of the whole exemplar at the generator's size, moved onto the target's region."""
    exemplar = example.exemplar.to(rule.images)
    if example.alpha is not None:
        exemplar = continued(exemplar, example.alpha)
    size, value_size = size_of(rule.images), size_of(rule.mask)
    stretched = torch.nn.functional.interpolate(
        exemplar, size=size, mode="bicubic", antialias=True, align_corners=False
    )
    features = project(guided(stretched.clamp(-1, 1), example.guide))
    (height, width), (own_height, own_width) = value_size, size_of(exemplar)
    region = example.exemplar_region.scaled(width / own_width, height / own_height)
    target = example.target_region.scaled(width / size[1], height / size[0])
    alpha = None if example.alpha is None else resize_mask(example.alpha, *value_size)
    moved, _ = align(
        features,
        region,
        target,
        value_size,
        uniform=settings.scale == "uniform",
        shape=example.outline(settings.shape),
        alpha=alpha,
    )
    return moved


def stack_rules(rules: Sequence[Rule]) -> Rule:
    """Several rules of the same memory as one."""

    def cat(name: str) -> Tensor:
        return torch.cat([getattr(rule, name) for rule in rules])

    return Rule(
        concatenate([rule.keys for rule in rules]),
        concatenate([rule.before for rule in rules]),
        wanted=cat("wanted"),
        mask=cat("mask"),
        images=cat("images"),
        composites=cat("composites"),
        image_mask=cat("image_mask"),
        changeable=None if rules[0].changeable is None else cat("changeable"),
    )


@torch.no_grad()
def decode_wanted(split: Split, rule: Rule) -> Tensor:
    """The images that the wanted values decode to, with the targets' own context."""
    return split.tail(rule.before.with_features(rule.wanted.to(rule.before.features.dtype)))
