"""How long a fit would take, from the time of one pass through what it computes in each step."""

from __future__ import annotations

import time

import torch

from regen.generators.split import Split
from regen.rewriting.crops import plan_crops
from regen.rewriting.objective import Losses
from regen.rewriting.preserved import targets_of
from regen.rewriting.rule import Rule
from regen.rewriting.settings import FitSettings

STEP = 3.5
"""What a step takes, in passes without gradients: 2.6 to 3.8 for examples of the repository, and
5.6 for sunglasses on London faces, where steps along all keys of six convolutions add to it."""


@torch.no_grad()
def seconds_of_fit(split: Split, rule: Rule, settings: FitSettings) -> float | None:
    """Seconds that the gradient steps of a fit would take on this machine as it is now.

    The losses are computed twice, on windows as a fit computes them; targets stand in for samples
    that are preserved.

    Args:
        split: The generator, cut.
        rule: What would be learned.
        settings: How, resolved.

    Returns:
        An estimate that may be wrong by a factor of two; None where a fit takes no steps, and on a
        GPU: steps are recorded there, and what is not recorded says nothing about them.
    """
    if rule.wanted.device.type != "cpu" or settings.solver == "closed-form":
        return None
    crops = plan_crops(split, rule) if settings.crops else None
    targets = targets_of(rule)
    count = min(settings.preserve, settings.preserve_batch or 0)
    losses = Losses(
        split, rule, settings, targets.select([i % len(rule) for i in range(count)]), crops
    )
    weights = split.memory_parameters()
    drawn, passes = losses.draw(), []
    for _ in range(2):
        began = time.perf_counter()
        losses.terms(weights, drawn)
        passes.append(time.perf_counter() - began)
    steps, _ = settings.schedule
    return steps * STEP * min(passes)
