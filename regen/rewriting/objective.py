"""What a fit minimises, as a function of the memory's weights.

Recall of the rule, and change of the preserved samples, each measured on values, on the decoded
image, or on both. Recall on values is Eq. (11) of the paper, section 4.2.

Shapes: T targets; P preserved samples; C, h, w the value; H, W height and width of the image.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from regen.errors import RewriteError
from regen.generators.crops import Window
from regen.generators.split import Activation, Split
from regen.losses import weighted_l1
from regen.precision import compute_dtype
from regen.rewriting.crops import Crops
from regen.rewriting.preserved import Preserved, targets_of
from regen.rewriting.recall import structure_error
from regen.rewriting.rule import Rule, region_weights
from regen.rewriting.settings import FitSettings

_HOPELESS = 1000.0  # losses so many times above the size of values and images never recover
_MUCH_WORSE = 10.0  # than at the start


def position_weights(
    rule: Rule, settings: FitSettings, crops: Crops | None = None
) -> tuple[Tensor, Tensor]:
    """Weights of the positions of the value and of the image, see `region_weights`.

    Args:
        rule: Of whole images.
        settings: Its p, q and border.
        crops: The windows to limit them to, or None for whole images.
    """
    p, q, border = settings.weight_new, settings.weight_old, settings.border
    weights = region_weights(rule.mask, p, q, border)
    image_weights = region_weights(rule.image_mask, p, q, border, rule.changeable)
    if crops is None:
        return weights, image_weights
    return crops.values(weights, crops.targets), crops.images(image_weights, crops.targets)


@dataclass(frozen=True)
class Drawn:
    """The B preserved samples that take part in one step.

    Attributes:
        index: Their numbers, ``[B]`` int64, on the device of the samples.
        windows: One of each, or None for whole images.
    """

    index: Tensor
    windows: tuple[Window, ...] | None


class Losses:
    """The terms of the fit; recall on values is Eq. (11) of the paper, section 4.2.

    Args:
        split: The generator.
        rule: What should be recalled.
        settings: How it is weighted.
        preserved: What must stay unchanged, or None.
        crops: The windows to compute, or None for whole images.

    Attributes:
        limit: A sum of the terms above which a fit has diverged; see `begin`.
    """

    def __init__(
        self,
        split: Split,
        rule: Rule,
        settings: FitSettings,
        preserved: Preserved | None,
        crops: Crops | None = None,
    ) -> None:
        self.split, self.settings, self.crops = split, settings, crops
        self.rule = rule if crops is None else crops.rule(rule)
        self.preserve_weight = 1.0 if settings.preserve_weight is None else settings.preserve_weight
        self.preserve_batch = 4 if settings.preserve_batch is None else settings.preserve_batch
        self.kept = self._groups(rule, preserved) if self.preserve_weight else []
        self.weights, self.image_weights = position_weights(rule, settings, crops)
        self.order = torch.Generator().manual_seed(settings.seed)
        self.queue = torch.zeros(0, dtype=torch.int64, device=rule.wanted.device)
        self.dtype = compute_dtype(settings.precision, rule.wanted.device)
        self.limit = _HOPELESS * (1 + rule.wanted.abs().mean().item())

    def _groups(self, rule: Rule, preserved: Preserved | None) -> list[Preserved]:
        """Samples that must stay; on windows the targets too, outside of their regions."""
        if preserved is None or not len(preserved):
            return []
        return [preserved] if self.crops is None else [preserved, targets_of(rule)]

    def begin(self, total: float) -> None:
        """Raise the limit where large weights of the terms make their sum large from the start."""
        if math.isfinite(total):
            self.limit = max(self.limit, _MUCH_WORSE * total)

    def draw(self) -> Drawn | None:
        """The next preserved samples, which take turns from call to call; None without any."""
        if not self.kept:
            return None
        count = sum(len(group) for group in self.kept)
        size = min(self.preserve_batch, count)
        while len(self.queue) < size:
            more = torch.randperm(count, generator=self.order).to(self.queue.device)
            self.queue = torch.cat([self.queue, more])
        index, self.queue = self.queue[:size], self.queue[size:]
        windows = None if self.crops is None else tuple(self.crops.draw(size, self.order))
        return Drawn(index, windows)

    def _kept(self, drawn: Drawn | None) -> Preserved | None:
        """Preserved samples, or windows of them."""
        if drawn is None:
            return None
        if self.crops is None or drawn.windows is None:
            return self.kept[0].select(drawn.index)
        parts, first, places = [], 0, list(zip(drawn.index.tolist(), drawn.windows, strict=True))
        for group in self.kept:
            inside = [(i - first, window) for i, window in places if 0 <= i - first < len(group)]
            if inside:
                numbers, windows = zip(*inside, strict=True)
                parts.append(group.cropped(self.crops, windows, numbers))
            first += len(group)
        return functools.reduce(Preserved.beside, parts)

    def __call__(self, weights: dict[str, Tensor]) -> dict[str, Tensor]:
        """`terms` with the next preserved samples."""
        return self.terms(weights, self.draw())

    def terms(self, weights: dict[str, Tensor], drawn: Drawn | None) -> dict[str, Tensor]:
        """Terms by name, already weighted: a pure function, which `regen.training.graphs` records.

        Args:
            weights: Of the memory, by name.
            drawn: From `draw`.
        """
        keys, kept = self.rule.keys, self._kept(drawn)
        if kept is not None:
            chosen = kept.keys
            joined = torch.cat([keys.features, chosen.features])
            keys = Activation(joined, keys.context.join([chosen.context]))
        keys = keys.with_features(keys.features.to(self.dtype))
        value = self.split.recall(keys, weights)
        self._check(value.features)
        image = None if self.settings.recall == "value" else self.split.tail(value)
        on_values = self.settings.recall != "image"
        if kept is None:
            return self._recall(value.features if on_values else None, image)
        counts = [len(self.rule), len(kept)]
        features, others = _parted(value.features, counts, on_values)
        asked, unasked = (None, None) if image is None else image.split(counts)
        return self._recall(features, asked) | self._stay(others, unasked, kept)

    def _check(self, features: Tensor) -> None:
        recalled, wanted = [len(self.rule), *features.shape[1:]], list(self.rule.wanted.shape)
        if recalled != wanted:
            raise RewriteError(
                "memory and rule differ in shape",
                got=f"recalled {recalled}",
                expected=f"{wanted}",
                remedy="was the rule made for another value layer?",
            )

    def _recall(self, features: Tensor | None, image: Tensor | None) -> dict[str, Tensor]:
        terms, rule = {}, self.rule
        if features is not None:
            terms["recall_value"] = weighted_l1(features, rule.wanted, self.weights)
        if image is not None:
            error = weighted_l1(image, rule.composites, self.image_weights)
            terms["recall_image"] = self.settings.image_weight * error
            if self.settings.structure_weight:
                structure = structure_error(image, rule.composites, rule.image_mask)
                terms["recall_structure"] = self.settings.structure_weight * structure
        return terms

    def _stay(self, features: Tensor, image: Tensor | None, kept: Preserved) -> dict[str, Tensor]:
        factor = self.preserve_weight
        error = weighted_l1(features, kept.values, kept.keep)
        terms = {"preserve_value": factor * error}
        if image is not None:
            error = weighted_l1(image, kept.images, kept.image_keep)
            terms["preserve_image"] = factor * self.settings.image_weight * error
        return terms


def _parted(features: Tensor, counts: list[int], both: bool) -> tuple[Tensor | None, Tensor]:
    """The first and the other samples; only the others unless `both` are needed.

    Both ways keep the gradient's memory format; slicing would not, nor would a split with an unused
    part.
    """
    if both:
        first, others = features.split(counts)
        return first, others
    return None, F.pad(features, (0, 0) * 3 + (-counts[0], 0))
