"""How many unseen samples a verdict rests on: as few as settle it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from torch import Tensor

from regen.evaluation.evidence import Evidence, gather_evidence, joined
from regen.generators.protocol import Sample
from regen.generators.samples import reserved_samples
from regen.metrics import Lpips, masked_distance, mean_interval
from regen.metrics.verdict import (
    IN_PART_BELOW,
    SPILLED_ABOVE,
    TOOK_BELOW,
    TRANSFERRED,
    TRANSFERRED_IN_PART,
)
from regen.rewriting.learn import Learned
from regen.rewriting.task import Task
from regen.seeds import UNSEEN

COUNTS = (16, 32, 64)
_AT_ONCE = 32  # whose keys are kept until they have been measured


def enough_evidence(task: Task, learned: Learned, lpips: Lpips | None) -> Evidence:
    """Images of as many unseen samples as the settings ask for or, by default, the verdict needs.

    Args:
        task: What was learned.
        learned: The rule and its rewrite.
        lpips: What the verdict compares with, or None for L1.

    Returns:
        The evidence of the first 16 samples where the verdict is `settled` by them, else of the
        first 32 or 64; of fewer where a finite source has no more.
    """
    wanted = task.settings.measured_seeds
    counts = COUNTS if wanted is None else (wanted,)
    samples = reserved_samples(task.source, UNSEEN, counts[-1], task.taken, like=task.like)
    evidence = None
    for more in _pieces(samples, counts):
        found = gather_evidence(task, learned, more)
        found = found if lpips is None else found.seen_by(lpips)
        evidence = found if evidence is None else joined(evidence, found)
        if len(evidence.labels) in counts[:-1] and settled(evidence, lpips):
            break
    assert evidence is not None
    return evidence


def _pieces(samples: Sequence[Sample], counts: Sequence[int]) -> Iterator[Sequence[Sample]]:
    for first, last in zip((0, *counts), counts, strict=False):
        for i in range(first, min(last, len(samples)), _AT_ONCE):
            yield samples[i : min(i + _AT_ONCE, last)]


def settled(evidence: Evidence, lpips: Lpips | None) -> bool:
    """Whether more samples are not expected to change a verdict.

    They are not where the 95 % interval of each mean that `regen.metrics.verdict` compares with a
    limit leaves that limit out. A share that is left is compared sample by sample, as the mean of
    what is left less the limit's share of what was there.
    """
    if not bool((evidence.regions > 0).any()) or bool((evidence.regions == 1).all()):
        return False  # nothing is inside, or outside; of other samples there may be
    return all(_clear(numbers) for numbers in _comparisons(evidence, lpips))


def _comparisons(evidence: Evidence, lpips: Lpips | None) -> Iterator[Tensor]:
    """For each limit a number of every sample, below 0 on average below the limit."""
    name = "l1" if lpips is None else "lpips"
    yield _each(evidence, "before", "after", "outside") - SPILLED_ABOVE[name]
    if evidence.oracle is not None:
        before, after = (_each(evidence, time, "oracle", "inside") for time in ("before", "after"))
        for limit in (TOOK_BELOW, IN_PART_BELOW):
            yield after - limit * before
    elif evidence.targets is not None:
        targets = evidence.targets
        asked = masked_distance(targets.before, targets.wanted, targets.regions, lpips)[name] or 0.0
        for limit in (TRANSFERRED, TRANSFERRED_IN_PART):
            yield _each(evidence, "before", "after", "inside") - limit * asked


def _each(evidence: Evidence, one: str, two: str, part: str) -> Tensor:
    """The distance of each sample: LPIPS where it has been computed, and L1 otherwise."""
    if evidence.perceived is not None:
        return evidence.perceived[one, two, part]
    mask = evidence.regions if part == "inside" else 1 - evidence.regions
    difference: Tensor = (
        (getattr(evidence, one) - getattr(evidence, two)).abs().mean(dim=1, keepdim=True)
    )
    difference = (mask * difference).sum(dim=(1, 2, 3))
    return difference / mask.sum(dim=(1, 2, 3)).clamp_min(1)


def _clear(numbers: Tensor) -> bool:
    interval = mean_interval(numbers)
    return interval.high < 0 or interval.low > 0
