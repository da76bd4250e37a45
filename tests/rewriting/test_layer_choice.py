"""Choosing a value layer by trying the cuts of a tiny generator."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from regen.edits.exemplars import Image
from regen.edits.schema import Edit, Edits, SampleSpec, Target
from regen.errors import GeneratorError, ProjectorError
from regen.generators.stylegan2.config import StyleGAN2Config
from regen.generators.stylegan2.files import save_stylegan2
from regen.generators.stylegan2.generator import StyleGAN2
from regen.images import save_image
from regen.images.regions import Region
from regen.projector.config import ProjectorConfig
from regen.projector.files import save_projector
from regen.projector.network import BackwardProjector
from regen.report.layers import layers_section
from regen.rewriting import layer_choice, moment_cache
from regen.rewriting.layer_trials import TrialWatcher
from regen.rewriting.resolve import NoProjectorWarning, resolve
from regen.rewriting.settings import RewriteSettings
from regen.rewriting.task import Task


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """g.safetensors with projectors p4 and p5, and an image; short trials, a cache of its own."""
    for name, value in (("STEPS", 3), ("PRESERVED_SAMPLES", 2), ("UNSEEN_SAMPLES", 3)):
        monkeypatch.setattr(layer_choice, name, value)
    monkeypatch.setattr(moment_cache, "SAMPLES", 4)
    monkeypatch.setenv("REGEN_CACHE", str(tmp_path / "cache"))
    config = StyleGAN2Config(
        resolution=32, z_dim=8, w_dim=8, channel_base=256, channel_max=8, mapping_layers=1
    )
    generator = StyleGAN2(config).eval().requires_grad_(False)
    save_stylegan2(tmp_path / "g.safetensors", generator, card={})
    for layer in (4, 5):
        split = generator.split(layer, 1)
        made = ProjectorConfig.for_split(split, generator, widths=(8, 8), blocks=(1, 1))
        projector = BackwardProjector(made).eval()
        save_projector(tmp_path / f"p{layer}.safetensors", projector, generator, layer, card={})
    save_image(tmp_path / "stripes.png", torch.rand(1, 3, 32, 32) * 2 - 1)
    return tmp_path


def edits(world: Path, targets: int = 2, **changes: Any) -> Edits:
    place = Region.box(8, 8, 20, 18)
    shown = tuple(Target(SampleSpec(seed), place) for seed in (3, 4)[:targets])
    edit = Edit(Image(str(world / "stripes.png")), Region.box(4, 4, 16, 14), shown)
    return replace(Edits((edit,), generator=str(world / "g.safetensors")), **changes)


def settings(memory_layers: int = 2) -> RewriteSettings:
    base = RewriteSettings(memory_layers=memory_layers)
    return replace(base, fit=replace(base.fit, precision="fp32", structure_weight=0.0))


class Watcher(TrialWatcher):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[object, ...]] = []

    def begin(self, count: int, seconds: float | None) -> None:
        self.told.append(("begin", count, seconds))

    def trial(self, number: int, count: int, value_layer: int, memory_layers: int) -> None:
        self.told.append((number, count, value_layer, memory_layers))

    def step(self, done: int, steps: int) -> None:
        self.told.append((done, steps))


def choose(
    edits: Edits,
    settings: RewriteSettings,
    projectors: Sequence[Path] = (),
    watcher: TrialWatcher | None = None,
) -> Task:
    return resolve(
        edits, settings=settings, projectors=projectors, try_layers=True, watcher=watcher
    )


def both(world: Path) -> list[Path]:
    return [world / "p5.safetensors", world / "p4.safetensors"]


def test_every_cut_with_a_projector_is_tried_and_the_best_comes_first(world: Path) -> None:
    task = choose(edits(world), settings(), both(world))
    choice = task.layer_choice
    assert choice is not None
    cuts = sorted((trial.value_layer, trial.memory_layers) for trial in choice.trials)
    assert cuts == [(4, 1), (4, 2), (5, 1), (5, 2)]
    scores = [trial.inside + 0.4 * trial.outside for trial in choice.trials]  # q / p
    assert [t.rank for t in choice.trials] == sorted(t.rank for t in choice.trials)
    assert scores == pytest.approx([trial.score for trial in choice.trials])
    assert all(trial.inside > 0 and trial.outside > 0 for trial in choice.trials)
    assert choice.held_out == "seed 4"
    assert choice.without_projector == [1, 2, 3, 6, 7]
    best, split = choice.best, task.split
    assert (split.value_layer, split.memory_layers) == (best.value_layer, best.memory_layers)
    path = str(world / f"p{best.value_layer}.safetensors")
    assert task.projector.name == best.projector == path


def test_a_watcher_is_told_how_long_it_takes_and_how_far_it_is(
    world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = itertools.accumulate(itertools.repeat(0.5))
    monkeypatch.setattr(layer_choice, "seconds_of_fit", lambda *_: 7.0)
    monkeypatch.setattr(layer_choice.time, "perf_counter", lambda: next(clock))
    watcher = Watcher()
    choose(edits(world), settings(), both(world)[:1], watcher)
    seconds = 2 * (7.0 + layer_choice.BESIDE_FIT * 0.5)
    steps = [(1, 3), (2, 3), (3, 3)]
    assert watcher.told == [("begin", 2, seconds), (1, 2, 5, 1), *steps, (2, 2, 5, 2), *steps]


def test_what_cannot_be_estimated_is_not(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layer_choice, "seconds_of_fit", lambda *_: None)
    watcher = Watcher()
    choose(edits(world), settings(), both(world)[:1], watcher)
    assert watcher.told[0] == ("begin", 2, None)


def test_two_choices_are_alike(world: Path) -> None:
    first, second = (choose(edits(world), settings(), both(world)).layer_choice for _ in range(2))
    assert first is not None and second is not None
    assert [replace(t, seconds=0) for t in first.trials] == [
        replace(t, seconds=0) for t in second.trials
    ]


def test_a_lone_target_is_judged_on_itself(world: Path) -> None:
    choice = choose(edits(world, 1), settings(1), both(world)[:1]).layer_choice
    assert choice is not None
    assert choice.held_out is None
    assert [trial.memory_layers for trial in choice.trials] == [1]


def test_a_memory_that_the_edits_name_is_the_only_one_tried(world: Path) -> None:
    named = edits(world, memory_layers=2, projector=str(world / "p5.safetensors"))
    choice = choose(named, settings(3)).layer_choice
    assert choice is not None
    assert [(t.value_layer, t.memory_layers) for t in choice.trials] == [(5, 2)]


def test_a_memory_that_is_too_long_for_every_layer_is_refused(world: Path) -> None:
    named = edits(world, memory_layers=6, file="e.json")
    message = "^e.json: memory_layers: got 6, expected 1 to 5, since the memory ends at convolut"
    with pytest.raises(GeneratorError, match=message):
        choose(named, settings(), both(world))
    with pytest.raises(GeneratorError, match="^e.json: memory_layers: got 8, expected 1 to 7, si"):
        choose(edits(world, memory_layers=8, file="e.json"), settings())


def test_without_a_projector_lengths_of_the_memory_are_tried(world: Path) -> None:
    with pytest.warns(NoProjectorWarning, match="the rule is learned from images alone"):
        task = choose(edits(world), settings())
    choice = task.layer_choice
    assert choice is not None and task.projector is None
    last = task.generator.convolutions
    tried = {(trial.value_layer, trial.memory_layers) for trial in choice.trials}
    assert tried == {(last, length) for length in (2, 3, 4, 6) if length <= last}
    assert {trial.projector for trial in choice.trials} == {None}
    assert [t.rank for t in choice.trials] == sorted(t.rank for t in choice.trials)
    assert task.settings.memory_layers == choice.best.memory_layers
    assert task.settings.fit.recall == "image"
    assert "<td>none</td>" in layers_section(choice.recorded())


def test_two_projectors_for_one_layer_are_refused(world: Path) -> None:
    twice = [world / "p5.safetensors", world / "p5.safetensors"]
    with pytest.raises(ProjectorError, match="two projectors for value layer 5: got "):
        choose(edits(world), settings(), twice)
