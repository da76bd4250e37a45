"""Rules that are kept are those that are made anew."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from regen.edits.schema import Edits, SampleSpec, Target
from regen.generators.registry import open_generator
from regen.rewriting import rule_cache
from regen.rewriting.resolve import resolve
from regen.rewriting.rule import build_rule
from regen.rewriting.rule_cache import RuleCache, written
from regen.rewriting.task import Task
from tests.helpers.examples import EYES, edits


def edits_for(*seeds: int) -> Edits:
    return edits(*(Target(SampleSpec(seed), EYES) for seed in seeds))


@pytest.fixture(scope="module")
def task() -> Task:
    return resolve(edits_for(11, 12), open_generator("portraits"))


def test_a_target_that_did_not_change_is_not_projected_again(
    task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[int] = []

    def counting(split: Any, project: Any, examples: Any, *rest: Any, **more: Any) -> Any:
        counted.append(len(examples))
        return build_rule(split, project, examples, *rest, **more)

    monkeypatch.setattr(rule_cache, "build_rule", counting)
    cache = RuleCache()
    for seeds in ((11, 12), (11, 13), (13, 11)):
        one = task.with_edits(edits_for(*seeds))
        found = cache.rule(one)
        wanted = build_rule(one.split, one.projector, one.examples, one.settings.rule)
        assert torch.equal(found.wanted, wanted.wanted) and torch.equal(found.mask, wanted.mask)
    assert counted == [1, 1, 1]
    cache.rule(task.with_edits(replace(edits_for(11), feather=4.0)))
    assert counted == [1, 1, 1, 1]


def test_equal_edits_are_written_alike() -> None:
    assert written(edits_for(3)) == written(edits_for(3)) != written(edits_for(4))
