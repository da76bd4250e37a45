"""What is shown before anything is learned."""

from __future__ import annotations

import torch

from regen.rewriting.learn import prepare
from regen.rewriting.preview import preview
from regen.rewriting.rule import decode_wanted
from regen.rewriting.task import Task


def test_it_shows_the_rule_and_where_it_will_act(task: Task) -> None:
    digest = task.generator.digest()
    seen, rule = preview(task, samples=3), prepare(task).rule
    assert torch.equal(seen.targets, rule.images.clamp(-1, 1))
    assert torch.equal(seen.composites, rule.composites.clamp(-1, 1))
    assert torch.equal(seen.decoded, decode_wanted(task.split, rule).clamp(-1, 1))
    assert task.generator.digest() == digest


def test_unseen_samples_are_not_those_of_the_targets(task: Task) -> None:
    seen = preview(task, samples=3)
    assert seen.labels == ["seed 10000", "seed 10001", "seed 10002"]
    assert torch.equal(seen.unseen, task.generator.images(task.source.samples(range(10000, 10003))))
    assert seen.maps.shape == (3, 1, 32, 32)
    assert seen.maps.min() >= 0 and 0.5 < seen.maps.max() <= 1
