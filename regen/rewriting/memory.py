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
from regen.rewriting.rule import Rule, region_weights

Report = Callable[[int, dict[str, float]], None]


@dataclass(frozen=True)
class FitConfig:
    """How the memory is fitted.

    Attributes:
        steps: Gradient steps, at least 1.
        lr: Adam's first step size in units of weight, above 0; falls to a tenth on a cosine.
        recall: Where the rule is compared: "value" (the paper), "image" or "both".
        image_weight: Weight of the picture's recall beside the values'.
        preserve: Samples of the generator at large that must stay; 0 for none (the paper).
        preserve_weight: Their weight beside the rule's.
        preserve_batch: How many of them take part in one step.
        where_similar: Preserve only where the rule will not act (see `regen.rewriting.where`).
        weight_new: p, the share of the region in the loss.
        weight_old: q, the share of everything else in the targets.
        precision: What the network computes in while fitting, "bf16" or "fp32"; weights and their
            changes are always float32. "auto" is bf16 where the processor has it, which halves
            the time, and fp32 elsewhere.
        report_every: Steps between reports.
        seed: Of the order in which preserved samples take part.
    """

    steps: int = 250
    lr: float = 0.02
    recall: Literal["value", "image", "both"] = "both"
    image_weight: float = 2.0
    preserve: int = 64
    preserve_weight: float = 1.0
    preserve_batch: int = 4
    where_similar: bool = True
    weight_new: float = 10.0
    weight_old: float = 1.0
    precision: Literal["auto", "bf16", "fp32"] = "auto"
    report_every: int = 10
    seed: int = 0

    def __post_init__(self) -> None:
        lowest = {"steps": 1, "report_every": 1, "preserve": 0, "preserve_batch": 1}
        for name, low in lowest.items():
            if getattr(self, name) < low:
                raise RewriteError(name, got=getattr(self, name), expected=f"{low} or more")
        if not self.lr > 0:
            raise RewriteError("lr", got=self.lr, expected="a number above 0")
        if self.weight_new <= 0 or self.weight_old < 0:
            raise RewriteError(
                "weights",
                got=f"new {self.weight_new:g}, old {self.weight_old:g}",
                expected="new above 0 and old 0 or more",
            )
        if self.image_weight < 0 or self.preserve_weight < 0:
            raise RewriteError("image_weight and preserve_weight", got=self, expected="0 or more")


@dataclass(frozen=True)
class Preserved:
    """Samples of the generator that must stay as they are.

    Attributes:
        keys: P samples.
        values: Their values, ``[P, C, h, w]``.
        pictures: Their pictures, ``[P, 3, R, R]``.
        keep: Where they must stay, at the value's size, ``[P, 1, h, w]`` in [0, 1].
        picture_keep: The same at the picture's size, ``[P, 1, R, R]``.
    """

    keys: Activation
    values: Tensor
    pictures: Tensor
    keep: Tensor
    picture_keep: Tensor

    def __len__(self) -> int:
        return len(self.values)


def recall_error(recalled: Tensor, wanted: Tensor, weights: Tensor) -> Tensor:
    """Weighted mean absolute difference, averaged over channels.

    Args:
        recalled: What the memory answers, ``[N, C, h, w]``.
        wanted: What it shall answer, ``[N, C, h, w]``.
        weights: Importance of each position, ``[N, 1, h, w]``, at least 0.

    Returns:
        A scalar in the units of `recalled`, differentiable in it.

    Raises:
        RewriteError: If `recalled` and `wanted` differ in shape.

    Example:
        >>> weights = torch.tensor([[[[3.0, 0.0]]]])  # the second position is free
        >>> recall_error(torch.tensor([[[[1.0, 9.0]]]]), torch.zeros(1, 1, 1, 2), weights).item()
        1.0
    """
    if recalled.shape != wanted.shape:
        raise RewriteError(
            "memory and rule differ in shape",
            got=f"recalled {list(recalled.shape)}",
            expected=f"{list(wanted.shape)}",
            remedy="was the rule made for another value layer?",
        )
    error = (weights * (recalled.float() - wanted.float()).abs()).sum()
    return error / (wanted.shape[1] * weights.sum().clamp_min(1e-8))


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
        RewriteError: If the loss stops being finite; nothing is changed then.
    """
    names = set(split.memory_weights())
    before = {n: p.detach() for n, p in split.memory.named_parameters() if n in names}
    after = {n: p.clone().requires_grad_() for n, p in before.items()}
    with frozen(split.memory):
        losses = _Losses(split, rule, config, preserved)
        optimizer = torch.optim.Adam(after.values(), lr=config.lr, betas=(0.9, 0.99))
        for step in range(config.steps):
            for group in optimizer.param_groups:
                group["lr"] = config.lr * _cosine(step / config.steps)
            terms = losses(after)
            loss = torch.stack(list(terms.values())).sum()
            optimizer.zero_grad()
            loss.backward(inputs=list(after.values()))
            optimizer.step()
            if step % config.report_every == 0 or step == config.steps - 1:
                _check_and_report(step, loss, terms, config, on_report)
    return {split.full_name(n): (after[n].detach() - before[n]).float() for n in before}


def _cosine(done: float) -> float:
    return 0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * done))


def _check_and_report(
    step: int, loss: Tensor, terms: dict[str, Tensor], config: FitConfig, report: Report | None
) -> None:
    total = loss.item()
    if not math.isfinite(total):
        raise RewriteError(
            f"the fit diverged at step {step}",
            got=f"loss {total}",
            remedy=f"lower lr, now {config.lr:g}",
        )
    if report is not None:
        report(step, {"total": total, **{name: term.item() for name, term in terms.items()}})


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


def compute_dtype(precision: str, device: torch.device) -> torch.dtype:
    """What "auto", "bf16" or "fp32" means on a device."""
    if precision == "auto":
        fast = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
        fast = fast or (device.type == "cpu" and _cpu_has_bf16())
        precision = "bf16" if fast else "fp32"
    return torch.bfloat16 if precision == "bf16" else torch.float32


def _cpu_has_bf16() -> bool:
    ask = getattr(torch.cpu, "get_capabilities", None)  # older torch cannot tell
    known: dict[str, Any] = ask() if ask is not None else {}
    return bool(known.get("avx512_bf16") or known.get("amx_bf16"))


class _Losses:
    """The terms of the fit, as a function of the memory's weights."""

    def __init__(
        self, split: Split[Any], rule: Rule, config: FitConfig, preserved: Preserved | None
    ) -> None:
        self.split, self.rule, self.config = split, rule, config
        self.preserved = preserved if preserved is not None and config.preserve_weight else None
        p, q = config.weight_new, config.weight_old
        self.weights = region_weights(rule.mask, p, q)
        self.picture_weights = region_weights(rule.picture_mask, p, q)
        self.order = torch.Generator().manual_seed(config.seed)
        self.queue: list[int] = []
        self.dtype = compute_dtype(config.precision, rule.wanted.device)

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
