"""Teach a generator's memory a rule: chosen keys must recall chosen values.

The convolutions between key and value, with their nonlinearities, are one associative memory. A
rule says which values its keys shall recall; *preserved* samples of the generator at large say
what else must stay. Fitting minimises the weighted L1 of what is recalled, measured on values
(Re-Generator, 2025, section 3.3), on the decoded picture, or on both. The memory is never modified.

Shapes: T targets; P preserved samples; C, h, w the value; R side of the picture.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor
from torch.func import functional_call

from regen.errors import RewriteError
from regen.generators.protocol import Activation, Split
from regen.rewriting.precision import compute_dtype
from regen.rewriting.recall import Preserved, recall_error, structure_error
from regen.rewriting.rule import Rule, check_choice, region_weights

__all__ = [
    "FitConfig",
    "FitInterrupted",
    "Preserved",
    "compute_dtype",
    "fit_memory",
    "frozen",
    "recall_error",
]

Report = Callable[[int, dict[str, float]], None]

_HOPELESS = 1000.0  # losses so many times above the size of values and pictures never come back


@dataclass(frozen=True)
class FitConfig:
    """How the memory is fitted.

    Attributes:
        steps: Gradient steps, at least 1.
        lr: Adam's first step size in units of weight, above 0; falls to a tenth on a cosine.
        recall: Where the rule is compared: "value" (the paper), "image" or "both".
        image_weight: Weight of the picture's recall beside the values'.
        structure_weight: Weight of the region's 1 - SSIM where recall is measured on the picture.
        preserve: Samples of the generator at large that must stay; 0 for none (the paper).
        preserve_weight: Their weight beside the rule's.
        preserve_batch: How many of them take part in one step.
        where_similar: Preserve only where the rule will not act (see `regen.rewriting.where`).
        where_slack: Area that the rule may act on, as a multiple of the targets' region.
        weight_new: p, the share of the region in the loss.
        weight_old: q, the share of everything else in the targets.
        border: Part of q that goes to the band around the region; see `region_weights`.
        precision: What the network computes in while fitting, "bf16" or "fp32"; weights and their
            changes are always float32. "auto" is bf16 where the processor has it, which halves
            the time, and fp32 elsewhere.
        report_every: Steps between reports.
        seed: Of the order in which preserved samples take part.
    """

    steps: int = 300
    lr: float = 0.02
    recall: Literal["value", "image", "both"] = "both"
    image_weight: float = 6.0
    structure_weight: float = 0.2
    preserve: int = 64
    preserve_weight: float = 1.0
    preserve_batch: int = 4
    where_similar: bool = True
    where_slack: float = 1.7
    weight_new: float = 10.0
    weight_old: float = 4.0
    border: float = 0.5
    precision: Literal["auto", "bf16", "fp32"] = "auto"
    report_every: int = 10
    seed: int = 0

    def __post_init__(self) -> None:
        lowest = {"steps": 1, "report_every": 1, "preserve": 0, "preserve_batch": 1}
        for name, low in lowest.items():
            if getattr(self, name) < low:
                raise RewriteError(name, got=getattr(self, name), expected=f"{low} or more")
        if not 0 <= self.border <= 1:
            raise RewriteError("border", got=self.border, expected="0 to 1")
        check_choice("recall", self.recall, ("value", "image", "both"))
        check_choice("precision", self.precision, ("auto", "bf16", "fp32"))
        if not 0 < self.lr < math.inf:
            raise RewriteError("lr", got=self.lr, expected="a number above 0")
        if not (0 < self.weight_new < math.inf and 0 <= self.weight_old < math.inf):
            raise RewriteError(
                "weights",
                got=f"new {self.weight_new:g}, old {self.weight_old:g}",
                expected="new above 0 and old 0 or more",
            )
        for name in ("image_weight", "structure_weight", "preserve_weight", "where_slack"):
            if not 0 <= getattr(self, name) < math.inf:
                raise RewriteError(name, got=getattr(self, name), expected="0 or more")


class FitInterrupted(KeyboardInterrupt):
    """Ctrl-C in the middle of a fit.

    Attributes:
        deltas: What was learned until then, as `fit_memory` would have returned it.
        steps: How many steps that took, at least 1.
    """

    def __init__(self, deltas: dict[str, Tensor], steps: int) -> None:
        super().__init__(f"interrupted after {steps} steps")
        self.deltas, self.steps = deltas, steps


def fit_memory(
    split: Split[Any],
    rule: Rule,
    config: FitConfig,
    preserved: Preserved | None = None,
    on_report: Report | None = None,
) -> dict[str, Tensor]:
    """Find the change of the memory's weights that makes it recall `rule`.

    Args:
        split: The generator; its memory is in eval mode and is not modified.
        rule: Keys, wanted values and masks.
        config: How to fit.
        preserved: What else must stay, or None.
        on_report: Called with the step and the losses.

    Returns:
        One delta per changed parameter, float32, under the generator's own name for it.

    Raises:
        RewriteError: If the loss explodes or is not finite; nothing is changed then.
        FitInterrupted: On Ctrl-C after the first step, with what was learned so far.
    """
    names = set(split.memory_weights())
    before = {n: p.detach() for n, p in split.memory.named_parameters() if n in names}
    after = {n: p.clone().requires_grad_() for n, p in before.items()}

    def learned() -> dict[str, Tensor]:
        return {split.full_name(n): (after[n].detach() - before[n]).float() for n in before}

    done = 0
    try:
        with frozen(split.memory):
            losses = _Losses(split, rule, config, preserved)
            for step in _descend(losses, after, config, on_report):
                done = step
    except KeyboardInterrupt as interrupt:
        if done == 0:
            raise
        raise FitInterrupted(learned(), done) from interrupt
    return learned()


def _descend(
    losses: _Losses, weights: dict[str, Tensor], config: FitConfig, on_report: Report | None
) -> Iterator[int]:
    """Improve `weights` in place, yielding after each step how many have been taken."""
    optimizer = torch.optim.Adam(weights.values(), lr=config.lr, betas=(0.9, 0.99))
    for step in range(config.steps):
        for group in optimizer.param_groups:
            group["lr"] = config.lr * _cosine(step / config.steps)
        terms = losses(weights)
        loss = torch.stack(list(terms.values())).sum()
        optimizer.zero_grad()
        loss.backward(inputs=list(weights.values()))
        optimizer.step()
        yield step + 1
        if step % config.report_every == 0 or step == config.steps - 1:
            total = loss.item()
            _check(step, total, losses.limit, config.lr)
            if on_report is not None:
                parts = {name: term.item() for name, term in terms.items()}
                on_report(step, {"total": total, **parts})


def _cosine(done: float) -> float:
    return 0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * done))


def _check(step: int, loss: float, limit: float, lr: float) -> None:
    if not loss <= limit:
        remedy = f"lower lr, now {lr:g}" if step else "look for numbers that are not finite"
        raise RewriteError(f"the fit diverged at step {step}", got=f"loss {loss:g}", remedy=remedy)


@contextmanager
def frozen(module: torch.nn.Module) -> Iterator[None]:
    """No parameter of `module` requires a gradient inside; their flags return afterwards."""
    flags = [(p, p.requires_grad) for p in module.parameters()]
    try:
        module.requires_grad_(False)
        yield
    finally:
        for parameter, flag in flags:
            parameter.requires_grad_(flag)


class _Losses:
    """The terms of the fit, as a function of the memory's weights."""

    def __init__(
        self, split: Split[Any], rule: Rule, config: FitConfig, preserved: Preserved | None
    ) -> None:
        self.split, self.rule, self.config = split, rule, config
        self.preserved = preserved if preserved is not None and config.preserve_weight else None
        p, q = config.weight_new, config.weight_old
        self.weights = region_weights(rule.mask, p, q, config.border)
        self.picture_weights = region_weights(rule.picture_mask, p, q, config.border)
        self.order = torch.Generator().manual_seed(config.seed)
        self.queue: list[int] = []
        self.dtype = compute_dtype(config.precision, rule.wanted.device)
        self.limit = _HOPELESS * (1 + rule.wanted.abs().mean().item())

    def _next_batch(self, size: int, count: int) -> list[int]:
        while len(self.queue) < size:
            self.queue += torch.randperm(count, generator=self.order).tolist()
        batch, self.queue = self.queue[:size], self.queue[size:]
        return batch

    def __call__(self, weights: dict[str, Tensor]) -> dict[str, Tensor]:
        keys, kept = self.rule.keys, None
        if self.preserved is not None:
            size = min(self.config.preserve_batch, len(self.preserved))
            kept = self._next_batch(size, len(self.preserved))
            chosen = self.preserved.keys.select(kept)
            joined = torch.cat([keys.features, chosen.features])
            keys = Activation(joined, keys.context.join([chosen.context]))
        keys = keys.with_features(keys.features.to(self.dtype))
        value: Activation = functional_call(self.split.memory, weights, (keys,))
        picture = None if self.config.recall == "value" else self.split.tail(value)
        terms = self._recall(value.features[: len(self.rule)], picture)
        if kept is not None:
            terms.update(self._stay(value.features[len(self.rule) :], picture, kept))
        return terms

    def _recall(self, features: Tensor, picture: Tensor | None) -> dict[str, Tensor]:
        terms, rule = {}, self.rule
        if self.config.recall != "image":
            terms["recall_value"] = recall_error(features, rule.wanted, self.weights)
        if picture is not None:
            error = recall_error(picture[: len(rule)], rule.composites, self.picture_weights)
            terms["recall_image"] = self.config.image_weight * error
            if self.config.structure_weight:
                structure = structure_error(
                    picture[: len(rule)], rule.composites, rule.picture_mask
                )
                terms["recall_structure"] = self.config.structure_weight * structure
        return terms

    def _stay(self, features: Tensor, picture: Tensor | None, kept: list[int]) -> dict[str, Tensor]:
        assert self.preserved is not None
        terms, factor, old = {}, self.config.preserve_weight, self.preserved
        if self.config.recall != "image":
            error = recall_error(features, old.values[kept], old.keep[kept])
            terms["preserve_value"] = factor * error
        if picture is not None:
            error = recall_error(
                picture[len(self.rule) :], old.pictures[kept], old.picture_keep[kept]
            )
            terms["preserve_image"] = factor * self.config.image_weight * error
        return terms
