"""`regen.evaluation.evaluate`: images, numbers and a verdict together."""

from __future__ import annotations

import torch

from regen.evaluation.evaluate import Evaluation, evaluate
from regen.rewriting.resolve import resolve
from regen.rewriting.settings import RewriteSettings
from tests.helpers.learned import nothing_learned
from tests.helpers.world import World


def of_nothing(measured_seeds: int) -> Evaluation:
    """Of a rewrite that changes nothing."""
    task = resolve("edits.json", settings=RewriteSettings(measured_seeds=measured_seeds))
    return evaluate(task, nothing_learned(task))


def test_images_and_numbers_are_of_the_same_samples(world: World) -> None:
    found = of_nothing(3)
    assert found.metrics["seeds"] == len(found.evidence.labels) == 3
    assert torch.equal(found.evidence.before, found.evidence.after)
    assert found.metrics["inside"]["l1"] == found.metrics["outside"]["l1"] == 0.0


def test_the_verdict_is_in_words(world: World) -> None:
    found = of_nothing(2)
    assert found.verdict is not None and "did not take" in found.verdict
    assert repr(found) == f"<Evaluation on 2 samples: {found.verdict}>"


def test_why_there_is_no_lpips_is_kept() -> None:
    found = Evaluation({"seeds": 1, "verdict": None}, evidence=None, lacking="no weights")  # type: ignore[arg-type]
    assert (found.verdict, found.lacking) == (None, "no weights")
    assert repr(found) == "<Evaluation on 1 samples: no verdict>"
