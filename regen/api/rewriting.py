"""What edits would change, and the rewrite that they become."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from regen.edits.schema import Edits
from regen.evaluation.evaluate import Evaluation
from regen.evaluation.evaluate import evaluate as _evaluate
from regen.generators.protocol import Generator
from regen.rewriting.learn import OnPartial, OnStep, learn, learned_before
from regen.rewriting.preview import Preview
from regen.rewriting.preview import preview as _preview
from regen.rewriting.resolve import resolve
from regen.rewriting.rewrite import Rewrite
from regen.rewriting.settings import RewriteSettings
from regen.rewriting.task import Task
from regen.surroundings import unaffected


@unaffected()
def preview(
    edits: Edits | Mapping[str, Any] | Path | str,
    generator: Generator | Path | str | None = None,
    *,
    settings: RewriteSettings | None = None,
    projector: Path | str | None = None,
    images: Path | str | None = None,
    device: torch.device | str = "cpu",
    samples: int = 8,
) -> Preview:
    """What `rewrite` would learn and where the rule would act; nothing is learned.

    The result holds exemplars and targets with their regions, composites, what the wanted values
    decode to, the map of similar keys on unseen samples, and cautions: what looks wrong, in words.

    Args:
        edits: An edits file, its content, or what `edits_of` takes.
        generator: Used instead of the one that the edits name.
        settings: Settings that the edits do not give; by default those of the preset "default".
        projector: A projector's file or run folder, used instead of the edits' projector.
        images: Folder that a generator takes its samples from, if it needs images.
        device: Where to compute, if the generator is not open yet.
        samples: How many unseen samples are shown.

    Raises:
        RegenError: On bad input of any kind.
    """
    task = _task(edits, generator, settings, projector, images, device)
    return _preview(task, samples)


@unaffected()
def rewrite(
    edits: Edits | Mapping[str, Any] | Path | str,
    generator: Generator | Path | str | None = None,
    *,
    settings: RewriteSettings | None = None,
    projector: Path | str | None = None,
    images: Path | str | None = None,
    device: torch.device | str = "cpu",
    on_step: OnStep | None = None,
    on_partial: OnPartial | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Rewrite:
    """Teach a generator the rule of an edits file (section 4.2 of the paper).

    The generator is not modified; the result is the change of its weights. It equals, byte for
    byte once saved, the rewrite that ``regen rewrite`` writes for the same edits and settings.

    Args:
        edits: An edits file, its content, or what `edits_of` takes.
        generator: Used instead of the one that the edits name.
        settings: Settings that the edits do not give; by default those of the preset "default".
        projector: A projector's file or run folder, used instead of the edits' projector.
        images: Folder that a generator takes its samples from, if it needs images.
        device: Where to compute, if the generator is not open yet.
        on_step: Called every few steps with the step and the losses by name.
        on_partial: Called as often with the number of steps taken and the rewrite so far, to show
            what it does already.
        should_stop: Called after every step. Once it returns True, the result is what was learned
            until then, and its settings record the number of steps.

    Raises:
        RegenError: On bad input of any kind, or if the fit diverges.
    """
    task = _task(edits, generator, settings, projector, images, device)
    return learn(task, on_step=on_step, on_partial=on_partial, should_stop=should_stop).rewrite


@unaffected()
def evaluate(
    rewrite: Rewrite | Path | str,
    edits: Edits | Mapping[str, Any] | Path | str,
    generator: Generator | Path | str | None = None,
    *,
    settings: RewriteSettings | None = None,
    projector: Path | str | None = None,
    images: Path | str | None = None,
    device: torch.device | str = "cpu",
) -> Evaluation:
    """How well a rewrite took, on samples that it was not learned from.

    The metrics are those of ``regen rewrite`` (metrics.json, but for times and memory) where
    everything is as it was for `rewrite`. Nothing is learned, and the generator is as before.

    Args:
        rewrite: What `rewrite` returned, or its file or run folder. What else acts on the rule's
            generator can be measured too, the same rewrite at half strength for instance.
        edits: What it was learned from: they say where it should act, and what a perfect rewrite
            would make (``"oracle"``).
        generator: Used instead of the one that the edits name.
        settings: Those of the rewrite that the edits do not give; ``measured_seeds`` says on how
            many samples, by default as few of 16, 32 and 64 as settle the verdict.
        projector: A projector's file or run folder, used instead of the edits' projector.
        images: Folder that a generator takes its samples from, if it needs images.
        device: Where to compute, if the generator is not open yet.

    Raises:
        RegenError: On bad input of any kind, a rewrite of another generator for instance.

    Example:
        ``found = regen.evaluate(regen.rewrite(edits), edits)``, then ``found.verdict`` and
        ``found.metrics["inside"]["lpips"]``.
    """
    task = _task(edits, generator, settings, projector, images, device)
    loaded = rewrite if isinstance(rewrite, Rewrite) else Rewrite.load(rewrite)
    return _evaluate(task, learned_before(task, loaded, {}))


def _task(
    edits: Edits | Mapping[str, Any] | Path | str,
    generator: Generator | Path | str | None,
    settings: RewriteSettings | None,
    projector: Path | str | None,
    images: Path | str | None,
    device: torch.device | str,
) -> Task:
    return resolve(
        edits,
        generator,
        settings=settings,
        projectors=[] if projector is None else [projector],
        images=images,
        device=device,
    )
