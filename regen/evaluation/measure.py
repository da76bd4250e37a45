"""What a rewrite did to unseen samples, in numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from regen.evaluation.evidence import Evidence
from regen.evaluation.missed import missed
from regen.metrics import Lpips, describe_lpips, masked_distance, verdict_of
from regen.metrics.locality import Distance
from regen.rewriting.map_checks import spill


def metrics_of(evidence: Evidence, lpips: Lpips | None, reason: str | None) -> dict[str, Any]:
    """The content of metrics.json, but for times and memory.

    Args:
        evidence: What is measured.
        lpips: What compares images, or None for L1 alone.
        reason: Why there is no LPIPS, or None.

    Returns:
        ``seeds`` (how many samples), ``lpips``, ``inside`` and ``outside`` against the images
        before, ``region_source``.

        ``oracle``, where there is one: the distance to it before and after, and ``oracle_source``;
        and unless it is a pseudo-oracle, which "paste" stands for, ``generator_error``: how far the
        unchanged generator is from the oracle's old rule, below which no distance to the oracle
        can be expected to fall.

        ``targets``: what was asked of them inside their regions, what is left of it, and what
        changed outside; ``map``: the share of the map on the targets that lies away from their
        regions, its peak there and where most of it is; ``missed``: the share of samples on which
        the rule hardly acted; ``verdict``, see `regen.metrics.verdict`.
    """
    if lpips is not None and not evidence.perceived:
        evidence = evidence.seen_by(lpips)
    metrics: dict[str, Any] = {
        "seeds": len(evidence.labels),
        "lpips": describe_lpips(lpips, reason, int(min(evidence.before.shape[2:]))),
        "region_source": evidence.region_source,
        **_distances(evidence, {part: ("before", "after", part) for part in ("inside", "outside")}),
        "oracle": None,
    }
    if evidence.oracle is not None:
        metrics["oracle_source"] = "paste" if evidence.region_source == "paste" else "renderer"
        metrics["oracle"] = _distances(
            evidence,
            {
                f"{part}_{time}": (time, "oracle", part)
                for part in ("inside", "outside")
                for time in ("before", "after")
            },
        )
    if evidence.targets is not None:
        targets = evidence.targets
        metrics["targets"] = {
            "asked": masked_distance(targets.before, targets.wanted, targets.regions, lpips),
            "left": masked_distance(targets.after, targets.wanted, targets.regions, lpips),
            "outside": masked_distance(targets.before, targets.after, 1 - targets.regions, lpips),
        }
        away = spill(targets.maps, targets.regions)
        metrics["map"] = {"away": away.share, "peak": away.peak, "where": away.where}
        metrics["missed"] = missed(evidence.before, evidence.after, targets)
    if evidence.plain is not None:
        metrics["generator_error"] = _distances(
            evidence,
            {
                "inside_before": ("before", "plain", "inside"),
                "outside_before": ("before", "plain", "outside"),
                "outside_after": ("after", "plain", "outside"),
            },
        )
    found = verdict_of(metrics)
    metrics["verdict"] = None if found is None else asdict(found)
    return metrics


def _distances(
    evidence: Evidence, wanted: Mapping[str, tuple[str, str, str]]
) -> dict[str, Distance]:
    """Distances by name, each of two images of the evidence, inside or outside of its regions."""
    distances = {}
    for name, (one, two, part) in wanted.items():
        mask = evidence.regions if part == "inside" else 1 - evidence.regions
        distances[name] = masked_distance(
            getattr(evidence, one), getattr(evidence, two), mask, None
        )
        if evidence.perceived is not None:
            distances[name]["lpips"] = float(evidence.perceived[one, two, part].mean())
    return distances
