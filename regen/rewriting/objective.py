"""What a fit minimises, as a function of the memory's weights.

Recall of the rule, and change of the preserved samples, each measured on values, on the decoded
image, or on both. Recall on values is Eq. (11) of the paper, section 4.2.

Shapes: T targets; P preserved samples; C, h, w the value; H, W height and width of the image.
"""

from __future__ import annotations

import torch
from torch import Tensor

from regen.errors import RewriteError
from regen.generators.protocol import Activation, Split
from regen.losses import weighted_l1
from regen.precision import compute_dtype
from regen.rewriting.crops import Crops
from regen.rewriting.preserved import Preserved
from regen.rewriting.recall import structure_error
from regen.rewriting.rule import Rule, region_weights
from regen.rewriting.settings import FitSettings

_HOPELESS = 1000.0  # losses so many times above the size of values and images never recover


def position_weights(
    rule: Rule, config: FitSettings, crops: Crops | None = None
) -> tuple[Tensor, Tensor]:
    """Weights of the positions of the value and of the image, see `region_weights`.

    Args:
        rule: Of whole images.
        config: Its p, q and border.
        crops: The windows to limit them to, or None for whole images.
    """
    p, q, border = config.weight_new, config.weight_old, config.border
    weights = region_weights(rule.mask, p, q, border)
    image_weights = region_weights(rule.image_mask, p, q, border, rule.changeable)
    if crops is None:
        return weights, image_weights
    return crops.values(weights, crops.targets), crops.images(image_weights, crops.targets)


class Losses:
    """The terms of the fit; recall on values is Eq. (11) of the paper, section 4.2.

    Args:
        split: The generator.
        rule: What should be recalled.
        config: How it is weighted.
        preserved: What must stay unchanged, or None.
        crops: The windows to compute, or None for whole images.

    Attributes:
        limit: A sum of the terms above which a fit has diverged.
    """

    def __init__(
        self,
        split: Split,
        rule: Rule,
        config: FitSettings,
        preserved: Preserved | None,
        crops: Crops | None = None,
    ) -> None:
        self.split, self.config, self.crops = split, config, crops
        self.rule = rule if crops is None else crops.rule(rule)
        self.preserve_weight = 1.0 if config.preserve_weight is None else config.preserve_weight
        self.preserved = preserved if self.preserve_weight else None
        self.weights, self.image_weights = position_weights(rule, config, crops)
        self.order = torch.Generator().manual_seed(config.seed)
        self.queue: list[int] = []
        self.dtype = compute_dtype(config.precision, rule.wanted.device)
        self.limit = _HOPELESS * (1 + rule.wanted.abs().mean().item())

    def _next_kept(self, size: int) -> Preserved:
        """The next preserved samples, or windows of them."""
        assert self.preserved is not None
        while len(self.queue) < size:
            count = len(self.preserved)
            self.queue += torch.randperm(count, generator=self.order).tolist()
        batch, self.queue = self.queue[:size], self.queue[size:]
        kept = self.preserved.select(batch)
        if self.crops is None:
            return kept
        return kept.cropped(self.crops, self.crops.draw(size, self.order))

    def __call__(self, weights: dict[str, Tensor]) -> dict[str, Tensor]:
        """Terms by name, already weighted; preserved samples take turns from call to call."""
        keys, kept = self.rule.keys, None
        if self.preserved is not None:
            size = min(self.config.preserve_batch, len(self.preserved))
            kept = self._next_kept(size)
            chosen = kept.keys
            joined = torch.cat([keys.features, chosen.features])
            keys = Activation(joined, keys.context.join([chosen.context]))
        keys = keys.with_features(keys.features.to(self.dtype))
        value = self.split.recall(keys, weights)
        image = None if self.config.recall == "value" else self.split.tail(value)
        terms = self._recall(value.features[: len(self.rule)], image)
        if kept is not None:
            terms.update(self._stay(value.features[len(self.rule) :], image, kept))
        return terms

    def _recall(self, features: Tensor, image: Tensor | None) -> dict[str, Tensor]:
        terms, rule = {}, self.rule
        if features.shape != rule.wanted.shape:
            raise RewriteError(
                "memory and rule differ in shape",
                got=f"recalled {list(features.shape)}",
                expected=f"{list(rule.wanted.shape)}",
                remedy="was the rule made for another value layer?",
            )
        if self.config.recall != "image":
            terms["recall_value"] = weighted_l1(features, rule.wanted, self.weights)
        if image is not None:
            error = weighted_l1(image[: len(rule)], rule.composites, self.image_weights)
            terms["recall_image"] = self.config.image_weight * error
            if self.config.structure_weight:
                structure = structure_error(image[: len(rule)], rule.composites, rule.image_mask)
                terms["recall_structure"] = self.config.structure_weight * structure
        return terms

    def _stay(self, features: Tensor, image: Tensor | None, kept: Preserved) -> dict[str, Tensor]:
        factor = self.preserve_weight
        error = weighted_l1(features, kept.values, kept.keep)
        terms = {"preserve_value": factor * error}
        if image is not None:
            error = weighted_l1(image[len(self.rule) :], kept.images, kept.image_keep)
            terms["preserve_image"] = factor * self.config.image_weight * error
        return terms
