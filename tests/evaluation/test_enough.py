"""As few unseen samples as settle the verdict."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from regen.evaluation import enough
from regen.evaluation.enough import enough_evidence, settled
from regen.evaluation.evidence import Evidence, joined
from regen.metrics.verdict import SPILLED_ABOVE
from regen.rewriting.resolve import resolve
from regen.rewriting.settings import RewriteSettings
from tests.helpers.learned import nothing_learned
from tests.helpers.world import World

COUNT = 8


def evidence(outside: torch.Tensor, left: torch.Tensor) -> Evidence:
    """Images of 32 x 32: changes outside of the region, and shares of the oracle that are left."""
    before, regions = torch.zeros(COUNT, 3, 32, 32), torch.zeros(COUNT, 1, 32, 32)
    regions[..., 8:16, 8:16] = 1
    oracle = 0.5 * regions.expand(-1, 3, -1, -1)
    grow = (1 - left)[:, None, None, None] * oracle
    after = grow + outside[:, None, None, None] * (1 - regions)
    labels = [f"seed {seed}" for seed in range(COUNT)]
    return Evidence(
        labels=labels,
        before=before,
        after=after,
        similarity=regions,
        regions=regions,
        region_source="oracle",
        oracle=oracle,
    )


def spread(mean: float, by: float) -> torch.Tensor:
    return mean + by * torch.tensor([-1.0, 1.0] * (COUNT // 2))


def test_means_far_from_all_limits_settle_the_verdict() -> None:
    assert settled(evidence(spread(0.01, 0.005), spread(0.3, 0.1)), None)
    assert settled(evidence(spread(0.2, 0.05), spread(0.7, 0.1)), None)


def test_means_near_a_limit_do_not() -> None:
    limit = SPILLED_ABOVE["l1"]
    assert not settled(evidence(spread(limit, 0.01), spread(0.3, 0.1)), None)
    assert not settled(evidence(spread(0.01, 0.005), spread(0.52, 0.2)), None)
    assert not settled(evidence(spread(0.01, 0.005), spread(0.89, 0.2)), None)


def test_samples_without_a_region_settle_nothing() -> None:
    found = evidence(spread(0.01, 0.005), spread(0.3, 0.1))
    everywhere = torch.ones_like(found.regions)
    assert not settled(replace(found, regions=everywhere), None)  # nothing is outside


def test_evidence_is_joined_sample_by_sample() -> None:
    one = evidence(spread(0.01, 0.005), spread(0.3, 0.1))
    two = evidence(spread(0.2, 0.05), spread(0.7, 0.1))
    both = joined(one, two)
    assert both.labels == one.labels + two.labels and both.plain is None
    assert torch.equal(both.after, torch.cat([one.after, two.after]))


@pytest.mark.parametrize(("asked", "clear", "count"), [(None, 1, 2), (None, 9, 4), (3, 1, 3)])
def test_it_stops_where_the_verdict_is_settled(
    world: World, monkeypatch: pytest.MonkeyPatch, asked: int | None, clear: int, count: int
) -> None:
    task = resolve("edits.json", settings=RewriteSettings(measured_seeds=asked))
    learned = nothing_learned(task)
    monkeypatch.setattr(enough, "COUNTS", (2, 3, 4))
    monkeypatch.setattr(enough, "_AT_ONCE", 2)  # what is asked for comes in pieces, all of it
    looks = iter(range(1, 10))
    monkeypatch.setattr(enough, "settled", lambda *_: next(looks) >= clear)
    found = enough_evidence(task, learned, None)
    assert len(found.labels) == len(found.after) == count
    assert found.labels == [f"seed {seed}" for seed in range(10_000, 10_000 + count)]
