"""The metrics of what a rewrite did to unseen samples."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from regen.evaluation.evidence import Evidence
from regen.evaluation.measure import metrics_of


@pytest.fixture
def evidence() -> Evidence:
    """Four images of 32 x 32 that became lighter by a half inside, by a tenth outside."""
    before, regions = torch.zeros(4, 3, 32, 32), torch.zeros(4, 1, 32, 32)
    regions[..., 8:16, 8:16] = 1
    after = 0.5 * regions.expand(-1, 3, -1, -1) + 0.1 * (1 - regions)
    labels = [f"seed {seed}" for seed in range(4)]
    return Evidence(
        labels=labels,
        before=before,
        after=after,
        similarity=regions,
        regions=regions,
        region_source="similarity",
    )


def test_metrics_without_an_oracle(evidence: Evidence) -> None:
    metrics = metrics_of(evidence, None, "no weights")
    assert (metrics["seeds"], metrics["region_source"]) == (4, "similarity")
    assert metrics["lpips"]["unavailable"] == "no weights"
    assert metrics["inside"]["l1"] == pytest.approx(0.5)
    assert metrics["outside"]["l1"] == pytest.approx(0.1)
    assert metrics["oracle"] is None and "generator_error" not in metrics


def test_an_oracle_says_how_far_the_generator_was_from_it(evidence: Evidence) -> None:
    plain, wanted = evidence.before + 0.2, evidence.before + 0.6
    known = replace(evidence, region_source="oracle", oracle=wanted, plain=plain)
    metrics = metrics_of(known, None, "no weights")
    errors = {name: value["l1"] for name, value in metrics["generator_error"].items()}
    wanted_errors = {"inside_before": 0.2, "outside_before": 0.2, "outside_after": 0.1}
    assert errors == pytest.approx(wanted_errors)
    assert metrics["oracle"] is not None and metrics["region_source"] == "oracle"
    assert metrics["oracle_source"] == "renderer"


def test_a_pseudo_oracle_is_called_what_it_is(evidence: Evidence) -> None:
    wanted = evidence.before + 0.6 * evidence.regions
    known = replace(evidence, region_source="paste", oracle=wanted)
    metrics = metrics_of(known, None, "no weights")
    assert (metrics["region_source"], metrics["oracle_source"]) == ("paste", "paste")
    assert "generator_error" not in metrics
    found = {name: distance["l1"] for name, distance in metrics["oracle"].items()}
    assert found == pytest.approx(
        {"inside_before": 0.6, "inside_after": 0.1, "outside_before": 0.0, "outside_after": 0.1}
    )


def test_too_few_metrics_have_no_verdict(evidence: Evidence) -> None:
    assert metrics_of(evidence, None, "no weights")["verdict"] is None
