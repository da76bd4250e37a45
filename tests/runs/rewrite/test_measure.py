"""Where a rewrite should act on unseen samples, and the metrics of what it did."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from regen.edits.schema import Edit, Edits, NamedRegion, Pattern, SampleSpec, Target
from regen.generators.protocol import Sample
from regen.images.regions import Region
from regen.portraits import PortraitsOracle
from regen.rewriting.learn import Learned, prepare
from regen.rewriting.rewrite import Rewrite
from regen.rewriting.task import resolve
from regen.runs.rewrite.measure import (
    Evidence,
    gather_evidence,
    known_regions,
    metrics_of,
)
from tests.helpers.world import World

ORACLE = PortraitsOracle(32)
PEOPLE = [Sample(label=f"seed {seed}", index=seed) for seed in (30, 31)]


def edits(*regions: NamedRegion | Region, oracle: str | None = None) -> Edits:
    targets = tuple(Target(SampleSpec(seed), region) for seed, region in enumerate(regions))
    return Edits((Edit(Pattern("cat_eyes", 5), NamedRegion("eyes"), targets),), oracle=oracle)


def test_regions_are_known_by_the_pattern_or_by_their_names() -> None:
    eyes, nose = NamedRegion("eyes"), NamedRegion("nose")
    changed = known_regions(edits(eyes, oracle="cat_eyes"), ORACLE, PEOPLE)
    assert changed is not None and torch.equal(changed, ORACLE.changed(PEOPLE, "cat_eyes"))
    both = known_regions(edits(eyes, nose), ORACLE, PEOPLE)
    parts = [ORACLE.region(name, PEOPLE) for name in ("eyes", "nose")]
    assert both is not None and torch.equal(both, torch.maximum(*parts))


def test_a_shape_is_known_nowhere_else() -> None:
    shape = Region.box(4, 4, 12, 12)
    assert known_regions(edits(NamedRegion("eyes"), shape), ORACLE, PEOPLE) is None
    assert known_regions(edits(NamedRegion("eyes")), None, PEOPLE) is None


def test_names_say_nothing_of_samples_that_the_oracle_does_not_know() -> None:
    files = [Sample(label="a.png", index=None)]
    assert known_regions(edits(NamedRegion("eyes")), ORACLE, files) is None


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


def test_the_evidence_of_a_pasted_exemplar(world: World) -> None:
    world.edits(lambda content: content.update(oracle={"paste": True}))
    task = resolve("edits.json")
    names = {f"{task.split.full_name(n)}": p for n, p in task.split.memory.named_parameters()}
    deltas = {name: torch.zeros_like(parameter) for name, parameter in names.items()}
    rewrite = Rewrite(deltas, task.generator.digest(), task.generator.family)
    samples = task.source.samples(range(10_000, 10_003))
    prepared = prepare(task)
    found = gather_evidence(task, Learned(rewrite, prepared.rule, prepared.matcher), samples)
    assert found.region_source == "paste" and found.plain is None
    assert found.oracle is not None and torch.equal(found.before, found.after)
    inside = found.regions[0, 0, 10:16, 10:18]
    assert found.regions.shape == (3, 1, 32, 32) and inside.min() > 0.9
    same = found.oracle[..., 24:, :] == found.before[..., 24:, :]
    assert same.all() and not torch.equal(found.oracle, found.before)
    targets = found.targets
    assert targets is not None and torch.equal(targets.before, targets.after)
    assert torch.equal(targets.regions, prepared.rule.image_mask)
    metrics = metrics_of(found, None, "no weights")
    assert metrics["targets"]["left"] == metrics["targets"]["asked"]
    assert metrics["targets"]["outside"]["l1"] == 0 and 0 <= metrics["map"]["away"] <= 1
    assert 0 <= metrics["map"]["missed"] <= 1
    assert metrics["verdict"]["took"] == "did not take" and metrics["verdict"]["kept"] == "kept"


def test_too_few_metrics_have_no_verdict(evidence: Evidence) -> None:
    assert metrics_of(evidence, None, "no weights")["verdict"] is None
