"""What is kept for a generator gives what is computed anew."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from regen.edits.schema import Edits, edits_of
from regen.errors import RewriteError
from regen.generators.registry import open_generator
from regen.images import save_image
from regen.rewriting import workbench
from regen.rewriting.learn import learn
from regen.rewriting.preview import preview
from regen.rewriting.resolve import resolve
from regen.rewriting.rewrite import Rewrite
from regen.rewriting.settings import FitSettings, RewriteSettings, RuleSettings
from regen.rewriting.task import Task
from regen.rewriting.workbench import Workbench
from tests.helpers import munit
from tests.tolerances import assert_near

EYES = {"ellipses": [[41.0, 59.5, 10, 7], [76.0, 59.0, 10, 7]]}


def edits_for(*seeds: int) -> Edits:
    targets = [{"seed": seed, "region": EYES} for seed in seeds]
    exemplar = {"pattern": "cat_eyes", "seed": 5}
    edit = {"exemplar": exemplar, "region": {"portraits": "eyes"}, "targets": targets}
    return edits_of({"version": 1, "edits": [edit]})


@pytest.fixture(scope="module")
def bench() -> Workbench:
    return Workbench(open_generator("portraits"), unseen=3)


def test_a_number_of_unseen_samples_is_one_from_1(bench: Workbench) -> None:
    assert type(Workbench(bench.generator, unseen=np.int64(2)).count) is int  # type: ignore[arg-type]
    with pytest.raises(RewriteError, match="unseen samples to show: got None, expected 1 or more"):
        Workbench(bench.generator, unseen=None)  # type: ignore[arg-type]


def shift(bench: Workbench, task: Task, size: float) -> Rewrite:
    names = [task.split.full_name(name) for name in task.split.memory_weights()]
    parameters = dict(bench.generator.named_parameters())
    deltas = {name: torch.full_like(parameters[name], size) for name in names}
    return Rewrite(deltas, bench.generator.digest(), "stylegan2")


@pytest.mark.parametrize("preserve", [FitSettings.preserve, 64])
def test_a_preview_is_that_of_the_function(bench: Workbench, preserve: int) -> None:
    bench.warm()
    settings = RewriteSettings(fit=FitSettings(preserve=preserve))
    task = bench.task(edits_for(103, 4), settings)
    seen, wanted = bench.preview(task), preview(task, samples=3)
    assert seen.labels == wanted.labels == ["seed 10000", "seed 10001", "seed 10002"]
    for name in ("targets", "composites", "decoded", "unseen", "maps", "target_maps"):
        assert torch.equal(getattr(seen, name), getattr(wanted, name)), name


def test_what_is_warm_is_what_a_preview_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Workbench(open_generator("portraits"), unseen=3)
    bench.warm()
    monkeypatch.delattr(workbench, "keys_of")
    assert len(bench.preview(bench.task(edits_for(4))).maps) == 3


def test_a_second_task_shares_what_the_edits_do_not_decide(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = bench.task(edits_for(103))
    monkeypatch.delattr(workbench, "resolve")
    second = bench.task(edits_for(7, 8))
    assert second.projector is first.projector and second.split is first.split
    assert second.taken == {7, 8} and len(second.examples) == 2
    assert bench.cut(second) is bench.cut(first)


def test_another_way_to_make_a_rule_opens_nothing_again(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    edits = edits_for(103)
    wanted = resolve(replace(edits, feather=4.0), bench.generator)
    first = bench.task(edits)
    monkeypatch.delattr(workbench, "resolve")
    soft = bench.task(replace(edits, feather=4.0))
    assert soft.projector is first.projector
    assert soft.settings == wanted.settings and soft.said_by == wanted.said_by
    stretched = bench.task(edits, RewriteSettings(RuleSettings(scale="stretch")))
    assert stretched.settings.rule.scale == "stretch" and stretched.projector is first.projector
    assert bench.task(edits).settings == first.settings


def test_what_was_not_used_for_long_is_opened_again_when_it_is_needed() -> None:
    bench = Workbench(open_generator("portraits"), unseen=1)
    edits = edits_for(103)
    usual = bench.task(edits).projector
    first = weakref.ref(bench.task(replace(edits, value_layer=8)))
    for layers in range(1, 6):
        bench.task(replace(edits, memory_layers=layers))
        assert bench.task(edits).projector is usual
    gc.collect()
    assert first() is None and bench.task(replace(edits, value_layer=8)).split.value_layer == 8


def test_a_rewrite_is_that_of_the_function_byte_for_byte(bench: Workbench, tmp_path: Path) -> None:
    fit = FitSettings(steps=2, preserve=2, precision="fp32", report_every=1)
    settings, edits = RewriteSettings(fit=fit), edits_for(103)
    partial: list[tuple[int, Rewrite]] = []
    bench.task(edits_for(4), settings)
    learned = learn(
        bench.task(edits, settings), on_partial=lambda step, so_far: partial.append((step, so_far))
    )
    learned.rewrite.save(tmp_path / "a")
    learn(resolve(edits, bench.generator, settings=settings)).rewrite.save(tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert [step for step, _ in partial] == [1, 2]
    last = partial[-1][1]
    assert all(torch.equal(last.deltas[n], d) for n, d in learned.rewrite.deltas.items())
    assert partial[0][1].settings["interrupted_after_steps"] == 1


def test_images_after_rewrites(bench: Workbench) -> None:
    task = bench.task(edits_for(103))
    bench.cut(task)
    up, down = shift(bench, task, 0.02), shift(bench, task, -0.01)
    expected = up.applied_to(bench.generator).images(bench.view().samples)
    assert_near(bench.after([(up, 1.0)]), expected, torch.float32, size=2.0)
    assert_near(bench.after([(up, 1.0), (down, 2.0)]), bench.view().images, torch.float32, size=2.0)
    assert bench.after([]) is bench.view().images
    assert bench.after([(up, 0.0)]) is bench.view().images
    half = up.scaled(0.5).applied_to(bench.generator).images(bench.source.samples([9]))
    assert torch.equal(bench.after([(up, 0.5)], bench.source.samples([9])), half)


def test_a_rewrite_of_other_layers_is_applied_too(bench: Workbench) -> None:
    task = bench.task(edits_for(103))
    bench.cut(task)
    rewrite = shift(bench, task, 0.02)
    name = "synthesis.convs.3.weight"
    other = replace(rewrite, deltas={name: torch.full_like(_parameter(bench, name), 0.01)})
    expected = other.applied_to(bench.generator).images(bench.view().samples)
    assert torch.equal(bench.after([(other, 1.0)]), expected)


def test_a_rewrite_of_another_generator_is_refused_also_where_keys_are_known(
    bench: Workbench,
) -> None:
    task = bench.task(edits_for(103))
    bench.cut(task)
    foreign = replace(shift(bench, task, 0.02), base="0" * 64)
    for samples in (None, bench.source.samples([9])):
        with pytest.raises(RewriteError, match="this rewrite belongs to another generator"):
            bench.after([(foreign, 1.0)], samples)


def test_unseen_samples_of_a_folder_are_never_targets(tmp_path: Path) -> None:
    for number in range(15):
        save_image(tmp_path / f"{number:02d}.png", torch.full((3, 32, 32), number / 15))
    bench = Workbench(munit.lively(), images=tmp_path, unseen=3)
    first = bench.view()
    assert first.labels == [f"{n:02d}.png, style {n}" for n in (0, 5, 10)]
    beside = bench.view(bench.source.samples([0]))
    assert beside.labels[0] == "01.png, style 1" and bench.view() is first


def _parameter(bench: Workbench, name: str) -> torch.Tensor:
    return dict(bench.generator.named_parameters())[name]


def test_a_task_is_fitted_to_its_own_regions_and_not_to_those_before(bench: Workbench) -> None:
    small = edits_for(103)
    box = {"box": [20, 20, 100, 100]}
    edit = {"exemplar": "skimage:chelsea", "region": box, "targets": [{"seed": 4, "region": box}]}
    large = edits_of({"version": 1, "edits": [edit]})
    usual = bench.task(Edits(edits=())).settings.fit
    for edits in (small, large, small):
        fit = bench.task(edits).settings.fit
        assert fit == resolve(edits, bench.generator).settings.fit
        assert (fit.steps > usual.steps) == (edits is large)
