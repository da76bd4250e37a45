"""From a task to a rewrite, in its parts and as a whole."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import pytest
import torch

from regen.generators.protocol import Generator
from regen.rewriting.learn import fit, learn, learned_before, moments_for, prepare
from regen.rewriting.rule import Rule
from regen.rewriting.task import Task


def test_what_is_prepared_is_all_that_a_fit_needs(task: Task) -> None:
    prepared = prepare(task)
    assert len(prepared.rule) == 2
    assert prepared.preserved is not None and prepared.preserved.images.shape == (2, 3, 32, 32)
    assert prepared.matcher.share == pytest.approx(prepared.rule.mask.mean().item(), rel=0.5)
    gradient_steps = replace(task.settings, fit=replace(task.settings.fit, solver="adam"))
    assert moments_for(replace(task, settings=gradient_steps)) is None  # they need none


def test_a_whole_is_its_parts(task: Task) -> None:
    steps: list[int] = []
    moments = moments_for(task)
    learned = fit(task, prepare(task), moments, on_step=lambda step, _: steps.append(step))
    again = learn(task).rewrite
    assert (steps, learned.stopped_after) == ([0, 1, 2], None)
    assert [step for step, _ in learned.losses["total"]] == steps
    assert all(torch.equal(again.deltas[name], d) for name, d in learned.rewrite.deltas.items())
    names = {task.split.full_name(name) for name in task.split.memory_weights()}
    assert set(learned.rewrite.deltas) == names
    assert (again.base, again.family) == (task.generator.digest(), "stylegan2")
    assert again.settings["fit"]["steps"] == 3 and "interrupted_after_steps" not in again.settings


def test_partial_rewrites_belong_to_the_generator_which_is_hashed_once(
    task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[str] = []
    plain = type(task.generator).digest

    def counting(generator: Generator) -> str:
        hashed.append(plain(generator))
        return hashed[-1]

    prepared, moments = prepare(task), moments_for(task)
    monkeypatch.setattr(type(task.generator), "digest", counting)
    bases: list[str] = []
    fit(task, prepared, moments, on_partial=lambda _, rewrite: bases.append(rewrite.base))
    assert len(hashed) == 1 and bases == hashed * 3


def test_a_stopped_fit_says_after_how_many_steps(task: Task) -> None:
    learned = learn(task, should_stop=lambda: True)
    assert learned.stopped_after == learned.rewrite.settings["interrupted_after_steps"] == 1


def test_what_was_learned_is_there_again_from_what_was_kept(task: Task) -> None:
    learned = learn(task, should_stop=lambda: True)
    again = learned_before(task, learned.rewrite, learned.losses, learned.stopped_after)
    assert (again.rewrite, again.losses, again.stopped_after) == (
        *(learned.rewrite, learned.losses, learned.stopped_after),
    )
    assert torch.equal(again.rule.wanted, learned.rule.wanted)
    assert torch.equal(again.matcher.directions, learned.matcher.directions)


def test_the_closed_form_gets_its_moments(task: Task) -> None:
    settings = replace(task.settings, fit=replace(task.settings.fit, solver="closed-form"))
    moments = moments_for(replace(task, settings=settings))
    weights = {name for name in task.split.memory_weights() if name.endswith("weight")}
    assert moments is not None and set(moments) == weights


def test_values_are_sought_only_where_they_are_asked_for(task: Task) -> None:
    def prepared(recall: Literal["image", "both"]) -> Rule:
        fit = replace(task.settings.fit, recall=recall)
        without = replace(task, projector=None, settings=replace(task.settings, fit=fit))
        assert without.has_values is (recall == "both")
        return prepare(without).rule

    unsought, sought = prepared("image"), prepared("both")
    assert torch.equal(unsought.wanted, unsought.before.features)
    assert not torch.equal(sought.wanted, sought.before.features)
