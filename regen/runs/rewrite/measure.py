"""What a rewrite did to unseen seeds: images before and after, and the figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from regen.edits.schema import Edits
from regen.generators.protocol import Split
from regen.generators.registry import AnyGenerator
from regen.metrics import Lpips, describe_lpips, masked_distance, oracle_distance, region_change
from regen.portraits import Oracle
from regen.rewriting.key_similarity import KeyMatcher
from regen.rewriting.rewrite import Rewrite, rewritten
from regen.runs.rewrite.named_regions import known_regions

_BATCH = 16
FIRST_UNSEEN = 10_000


def unseen_seeds(count: int, targets: Sequence[int]) -> list[int]:
    """The first `count` seeds from 10,000 on that are not targets."""
    taken = set(targets)
    seeds = (seed for seed in range(FIRST_UNSEEN, FIRST_UNSEEN + count + len(taken)))
    return [seed for seed in seeds if seed not in taken][:count]


@dataclass(frozen=True)
class Evidence:
    """Images of unseen seeds.

    Attributes:
        seeds: N seeds.
        before: ``[N, 3, R, R]`` without the rewrite.
        after: ``[N, 3, R, R]`` with it.
        similarity: Where the rule was expected to act, ``[N, 1, R, R]`` in [0, 1].
        regions: Where it should act, ``[N, 1, R, R]``.
        region_source: Who says so.
        oracle: What a perfect rewrite draws, ``[N, 3, R, R]``, or None.
        plain: What the renderer draws without the pattern, or None.
    """

    seeds: list[int]
    before: Tensor
    after: Tensor
    similarity: Tensor
    regions: Tensor
    region_source: Literal["renderer", "similarity"]
    oracle: Tensor | None
    plain: Tensor | None


@torch.no_grad()
def draw(generator: AnyGenerator, seeds: Sequence[int]) -> Tensor:
    """Images ``[N, 3, R, R]`` of seeds, a few at a time, on the CPU, limited to [-1, 1]."""
    batches = [seeds[i : i + _BATCH] for i in range(0, len(seeds), _BATCH)]
    return torch.cat([generator(generator.latents(b)).float().cpu() for b in batches]).clamp(-1, 1)


@torch.no_grad()
def keys_of(split: Split[Any], generator: AnyGenerator, seeds: Sequence[int]) -> Tensor:
    """Keys ``[N, K, kh, kw]`` of seeds."""
    batches = [seeds[i : i + _BATCH] for i in range(0, len(seeds), _BATCH)]
    return torch.cat([split.head(generator.latents(b)).features for b in batches])


def gather_evidence(
    generator: AnyGenerator,
    split: Split[Any],
    rewrite: Rewrite,
    matcher: KeyMatcher,
    edits: Edits,
    seeds: list[int],
) -> Evidence:
    """Draw unseen seeds with and without a rewrite, and find where it should have acted."""
    before = draw(generator, seeds)
    size = (int(before.shape[2]), int(before.shape[3]))
    similarity = matcher.mask(keys_of(split, generator, seeds), size).cpu()
    with rewritten(generator, rewrite):
        after = draw(generator, seeds)
    regions = known_regions(edits, seeds, size[0])
    oracle = Oracle(edits.oracle_pattern, size[0]) if edits.oracle_pattern else None
    return Evidence(
        seeds,
        before,
        after,
        similarity,
        similarity if regions is None else regions,
        "similarity" if regions is None else "renderer",
        None if oracle is None else oracle.rewritten(seeds),
        None if oracle is None else oracle.plain(seeds),
    )


def metrics_of(
    evidence: Evidence,
    lpips: Lpips | None,
    reason: str | None,
    seconds: dict[str, float],
    peak_mb: float | None,
) -> dict[str, Any]:
    """The content of metrics.json.

    Returns:
        ``seeds``, ``seconds``, ``peak_memory_mb``, ``lpips``, ``inside`` and ``outside`` against
        the images before, ``region_source`` and, where there is an oracle, ``oracle`` with the
        distance to it before and after, and ``generator_error``: how far the unchanged generator
        is from the plain render, below which no distance to the oracle can be expected to fall.
    """
    e = evidence
    metrics: dict[str, Any] = {
        "seeds": len(e.seeds),
        "seconds": seconds,
        "peak_memory_mb": peak_mb,
        "lpips": describe_lpips(lpips, reason, int(e.before.shape[2])),
        "region_source": e.region_source,
        **region_change(e.before, e.after, e.regions, lpips),
        "oracle": None,
    }
    if e.oracle is not None and e.plain is not None:
        metrics["oracle"] = oracle_distance(e.before, e.after, e.oracle, e.regions, lpips)
        metrics["generator_error"] = {
            "inside_before": masked_distance(e.before, e.plain, e.regions, lpips),
            "outside_before": masked_distance(e.before, e.plain, 1 - e.regions, lpips),
            "outside_after": masked_distance(e.after, e.plain, 1 - e.regions, lpips),
        }
    return metrics
