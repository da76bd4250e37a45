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
    e = evidence if lpips is None or evidence.perceived else evidence.seen_by(lpips)
    metrics: dict[str, Any] = {
        "seeds": len(e.labels),
        "lpips": describe_lpips(lpips, reason, int(min(e.before.shape[2:]))),
        "region_source": e.region_source,
        **_distances(e, {part: ("before", "after", part) for part in ("inside", "outside")}),
        "oracle": None,
    }
    if e.oracle is not None:
        metrics["oracle_source"] = "paste" if e.region_source == "paste" else "renderer"
        metrics["oracle"] = _distances(
            e,
            {
                f"{part}_{time}": (time, "oracle", part)
                for part in ("inside", "outside")
                for time in ("before", "after")
            },
        )
    if e.targets is not None:
        t = e.targets
        metrics["targets"] = {
            "asked": masked_distance(t.before, t.wanted, t.regions, lpips),
            "left": masked_distance(t.after, t.wanted, t.regions, lpips),
            "outside": masked_distance(t.before, t.after, 1 - t.regions, lpips),
        }
        away = spill(t.maps, t.regions)
        metrics["map"] = {"away": away.share, "peak": away.peak, "where": away.where}
        metrics["missed"] = missed(e.before, e.after, t)
    if e.plain is not None:
        metrics["generator_error"] = _distances(
            e,
            {
                "inside_before": ("before", "plain", "inside"),
                "outside_before": ("before", "plain", "outside"),
                "outside_after": ("after", "plain", "outside"),
            },
        )
    found = verdict_of(metrics)
    metrics["verdict"] = None if found is None else asdict(found)
    return metrics


def _distances(e: Evidence, wanted: Mapping[str, tuple[str, str, str]]) -> dict[str, Distance]:
    """Distances by name, each of two images of the evidence, inside or outside of its regions."""
    distances = {}
    for name, (one, two, part) in wanted.items():
        mask = e.regions if part == "inside" else 1 - e.regions
        distances[name] = masked_distance(getattr(e, one), getattr(e, two), mask, None)
        if e.perceived is not None:
            distances[name]["lpips"] = float(e.perceived[one, two, part].mean())
    return distances
