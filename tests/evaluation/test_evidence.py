"""Where a rewrite should act on unseen samples, and what it made of them."""

from __future__ import annotations

import torch

from regen.edits.schema import Edit, Edits, NamedRegion, Pattern, SampleSpec, Target
from regen.evaluation.evidence import gather_evidence, known_regions
from regen.evaluation.measure import metrics_of
from regen.generators.protocol import Sample
from regen.images.regions import Region
from regen.portraits import PortraitsOracle
from regen.rewriting.resolve import resolve
from tests.helpers.learned import nothing_learned
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


def test_the_evidence_of_a_pasted_exemplar(world: World) -> None:
    world.edits(lambda content: content.update(oracle={"paste": True}))
    task = resolve("edits.json")
    samples = task.source.samples(range(10_000, 10_003))
    learned = nothing_learned(task)
    found = gather_evidence(task, learned, samples)
    assert found.region_source == "paste" and found.plain is None
    assert found.oracle is not None and torch.equal(found.before, found.after)
    inside = found.regions[0, 0, 10:16, 10:18]
    assert found.regions.shape == (3, 1, 32, 32) and inside.min() > 0.9
    same = found.oracle[..., 24:, :] == found.before[..., 24:, :]
    assert same.all() and not torch.equal(found.oracle, found.before)
    targets = found.targets
    assert targets is not None and torch.equal(targets.before, targets.after)
    assert torch.equal(targets.regions, learned.rule.image_mask)
    metrics = metrics_of(found, None, "no weights")
    assert metrics["targets"]["left"] == metrics["targets"]["asked"]
    assert metrics["targets"]["outside"]["l1"] == 0 and 0 <= metrics["map"]["away"] <= 1
    assert metrics["missed"] == 0
    assert metrics["verdict"]["took"] == "did not take" and metrics["verdict"]["kept"] == "kept"
