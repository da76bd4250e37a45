"""From a task to a rewrite: project and paste, find where the rule will act, fit the memory."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor

from regen.files.as_json import to_json
from regen.generators.protocol import Split, concatenate
from regen.generators.registry import AnyGenerator
from regen.rewriting.key_moments import Moments
from regen.rewriting.key_similarity import KeyMatcher, match_keys
from regen.rewriting.memory import FitInterrupted, Preserved, fit_memory
from regen.rewriting.moment_cache import key_moments
from regen.rewriting.rewrite import Rewrite
from regen.rewriting.rule import Rule, build_rule
from regen.rewriting.settings import RewriteSettings
from regen.runs.logbook import Logbook, Progress
from regen.runs.rewrite.task import Task
from regen.runs.timing import Stopwatch
from regen.seeds import PRESERVED

REWRITE_FILE = "rewrite.safetensors"
PARTIAL_FILE = "rewrite.partial.safetensors"
_BATCH = 16

Losses = dict[str, list[tuple[int, float]]]


@dataclass(frozen=True)
class Learned:
    """A rewrite, and what it was learned from.

    Attributes:
        rewrite: The weight change.
        rule: What it was fitted to.
        matcher: Knows where the rule will act.
        losses: (step, value) pairs by name.
    """

    rewrite: Rewrite
    rule: Rule
    matcher: KeyMatcher
    losses: Losses = field(default_factory=dict)


def learn(task: Task, book: Logbook, watch: Stopwatch) -> Learned:
    """Learn a task's rule, and save the rewrite in the run folder.

    Args:
        task: What to learn.
        book: Of the run folder; gets the curves.
        watch: Gets the stages "project" and "fit".

    Raises:
        RegenError: If the fit diverges, or the folder cannot be written to.
        KeyboardInterrupt: On Ctrl-C in the fit, after what was learned until then was saved as a
            partial rewrite; the message says so.
    """
    generator, split, settings = task.generator, task.split, task.settings
    with watch.stage("project"):
        examples = [item.example for item in task.examples]
        rule = build_rule(split, task.projector, examples, settings.rule)
        preserved, matcher = preserve(generator, split, rule, settings)
    moments = None
    if settings.fit.solver != "adam":
        with watch.stage("key moments"):  # of the generator alone, and kept from run to run
            moments = key_moments(generator, split, task.edits.generator)
    losses: Losses = {}
    with watch.stage("fit"):
        rewrite = _fit(task, rule, preserved, moments, book, losses)
        rewrite.save(book.folder / REWRITE_FILE)
    (book.folder / PARTIAL_FILE).unlink(missing_ok=True)  # of an earlier, interrupted run
    return Learned(rewrite, rule, matcher, losses)


@torch.no_grad()
def preserve(
    generator: AnyGenerator, split: Split[Any], rule: Rule, settings: RewriteSettings
) -> tuple[Preserved | None, KeyMatcher]:
    """Samples of the generator at large, and the matcher that knows where the rule will act."""
    count = max(settings.fit.preserve, _BATCH)
    seeds = PRESERVED.take(count)
    batches = [seeds[i : i + _BATCH] for i in range(0, count, _BATCH)]
    keys = concatenate([split.head(generator.latents(b)) for b in batches])
    matcher = match_keys(keys.features, rule.keys.features, rule.mask)
    if not settings.fit.preserve:
        return None, matcher
    value = split.memory(keys)
    images = torch.cat(
        [
            split.tail(value.select(range(i, min(i + _BATCH, count))))
            for i in range(0, count, _BATCH)
        ]
    )
    sizes = split.value_size, (int(images.shape[2]), int(images.shape[3]))
    keep, image_keep = (_keep(matcher, keys.features, size, settings) for size in sizes)
    return Preserved(keys, value.features, images, keep, image_keep), matcher


def _keep(
    matcher: KeyMatcher, keys: Tensor, size: tuple[int, int], settings: RewriteSettings
) -> Tensor:
    if settings.fit.preserve_outside_match:
        return 1 - matcher.mask(keys, size, slack=settings.fit.match_area)
    return torch.ones(len(keys), 1, *size, device=keys.device)


def _fit(
    task: Task,
    rule: Rule,
    preserved: Preserved | None,
    moments: Moments | None,
    book: Logbook,
    losses: Losses,
) -> Rewrite:
    fit, partial = task.settings.fit, book.folder / PARTIAL_FILE

    def report(step: int, terms: dict[str, float]) -> None:
        progress.advance(step + 1 - progress.done, f"loss {terms['total']:.4f}")
        book.scalars({f"fit/{name}": value for name, value in terms.items()}, step)
        for name, value in terms.items():
            losses.setdefault(name, []).append((step, value))

    steps = 2 if fit.solver == "closed-form" else fit.steps
    with Progress(steps, "fitting the memory") as progress:
        try:
            deltas = fit_memory(task.split, rule, fit, preserved, report, moments)
        except FitInterrupted as stop:
            _rewrite(task, stop.deltas, interrupted_after_steps=stop.steps).save(partial)
            kept = f"the rewrite after {stop.steps} of {fit.steps} steps is in {partial}"
            raise KeyboardInterrupt(kept) from stop
    return _rewrite(task, deltas)


def _rewrite(task: Task, deltas: dict[str, Tensor], **more: int) -> Rewrite:
    made = to_json(asdict(task.settings))
    assert isinstance(made, dict)
    return Rewrite(deltas, task.generator.digest(), task.generator.family, {**made, **more})
