"""What is shown before anything is learned."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from regen.errors import RewriteError
from regen.rewriting.learn import prepare
from regen.rewriting.preview import preview
from regen.rewriting.rule import decode_wanted
from regen.rewriting.task import Task


def test_it_shows_the_rule_and_where_it_will_act(task: Task) -> None:
    digest = task.generator.digest()
    seen, rule = preview(task, samples=3), prepare(task).rule
    assert torch.equal(seen.targets, rule.images.clamp(-1, 1))
    assert torch.equal(seen.composites, rule.composites.clamp(-1, 1))
    assert seen.decoded is not None
    assert torch.equal(seen.decoded, decode_wanted(task.split, rule).clamp(-1, 1))
    assert task.generator.digest() == digest


def test_no_values_are_looked_for_where_none_are_learned(
    task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("they take seconds to find")

    monkeypatch.setattr("regen.rewriting.rule.direct_values", refuse)
    fit = replace(task.settings.fit, recall="image")
    alone = replace(task, projector=None, settings=replace(task.settings, fit=fit))
    seen = preview(alone, samples=1)
    assert seen.decoded is None and seen.recall == "image"
    assert torch.equal(seen.composites, preview(task, samples=1).composites)


def test_unseen_samples_are_not_those_of_the_targets(task: Task) -> None:
    seen = preview(task, samples=3)
    assert seen.labels == ["seed 10000", "seed 10001", "seed 10002"]
    assert torch.equal(seen.unseen, task.generator.images(task.source.samples(range(10000, 10003))))
    assert seen.maps.shape == (3, 1, 32, 32)
    assert seen.maps.min() >= 0 and 0.5 < seen.maps.max() <= 1


def test_the_map_is_the_one_that_a_fit_preserves_outside_of(task: Task) -> None:
    seen, matcher = preview(task, samples=3), prepare(task).matcher
    samples = task.source.samples(range(10000, 10003))
    keys = task.split.head(task.generator.latents(samples)).features
    assert torch.equal(seen.maps, matcher.mask(keys, (32, 32)))
    inside = (seen.target_maps * seen.regions).sum() / seen.regions.sum()
    assert seen.target_maps.shape == (2, 1, 32, 32) and inside > 0.8


def test_it_shows_where_everything_is(task: Task) -> None:
    seen, rule = preview(task, samples=1), prepare(task).rule
    assert torch.equal(seen.regions, rule.image_mask)
    assert seen.target_labels == [example.target_label for example in task.examples]
    for shown, example in zip(seen.exemplars, task.examples, strict=True):
        assert torch.equal(shown.image, example.exemplar[0].clamp(-1, 1))
        assert torch.equal(shown.region, example.exemplar_region.mask(*shown.image.shape[1:])[0])
    assert {caution.kind for caution in seen.cautions} <= {"spill", "tiny", "enlarged"}


@pytest.mark.parametrize("samples", [0, -1, 1.5, True, None, "3"])
def test_at_least_one_unseen_sample_is_shown(task: Task, samples: Any) -> None:
    with pytest.raises(RewriteError, match=f"samples to show: got {samples!r}, expected 1 or more"):
        preview(task, samples)
