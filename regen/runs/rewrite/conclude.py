"""What a learned rewrite does to unseen seeds, as figures and as a report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from regen.metrics import try_lpips
from regen.report import ExemplarView, RewriteReport, TargetView, write_report
from regen.rewriting.rewrite import rewritten
from regen.rewriting.rule import decode_wanted
from regen.runs.rewrite.learn import Learned
from regen.runs.rewrite.measure import gather_evidence, metrics_of, unseen_seeds
from regen.runs.rewrite.task import Task
from regen.runs.timing import Stopwatch, peak_memory_mb


def conclude(
    task: Task, learned: Learned, folder: Path, watch: Stopwatch, command: str
) -> tuple[dict[str, Any], Path]:
    """Measure a rewrite, and write its report into the run folder.

    Args:
        task: What was to be learned.
        learned: What was.
        folder: The run folder.
        watch: Gets the stages "measure" and "report"; goes into the figures.
        command: Command line that repeats the run.

    Returns:
        The content of metrics.json, and the path of report.html.

    Raises:
        StoreError: If the folder cannot be written to.
    """
    generator, split, edits = task.generator, task.split, task.edits
    seeds = unseen_seeds(task.settings.measured_seeds, [item.seed for item in task.examples])
    with watch.stage("measure"):
        lpips, reason = try_lpips(task.settings.lpips)
        evidence = gather_evidence(generator, split, learned.rewrite, learned.matcher, edits, seeds)
        metrics = metrics_of(evidence, lpips, reason, {}, None)
    with watch.stage("report"):
        exemplars, targets = _views(task, learned)
    metrics["seconds"], metrics["peak_memory_mb"] = watch.seconds(), peak_memory_mb()
    report = RewriteReport(
        title=_title(task),
        command=command,
        seeds=seeds,
        before=evidence.before,
        after=evidence.after,
        metrics=metrics,
        settings=task.recorded(),
        regions=evidence.regions,
        region_source=evidence.region_source,
        similarity=evidence.similarity,
        oracle=evidence.oracle,
        exemplars=exemplars,
        targets=targets,
        losses=learned.losses,
        layers=None if task.layer_choice is None else task.layer_choice.recorded(),
        notes=_notes(metrics, reason),
    )
    return metrics, write_report(folder, report)


@torch.no_grad()
def _views(task: Task, learned: Learned) -> tuple[list[ExemplarView], list[TargetView]]:
    """Exemplars on their way in, and targets before, as wanted, and after."""
    generator, rule = task.generator, learned.rule
    decoded = decode_wanted(task.split, rule).float().cpu().clamp(-1, 1)
    with rewritten(generator, learned.rewrite):
        after = torch.cat([generator(item.example.latent) for item in task.examples])
    exemplars, targets = [], []
    for i, item in enumerate(task.examples):
        composite, image, final = (
            images[i].float().cpu().clamp(-1, 1) for images in (rule.composites, rule.images, after)
        )
        exemplar = item.example.exemplar[0].float().cpu()
        exemplars.append(ExemplarView(item.label, exemplar, composite, decoded[i]))
        wanted = decoded[i] if task.settings.fit.recall == "value" else composite
        targets.append(TargetView(f"seed {item.seed}", image, wanted, final))
    return exemplars, targets


def _title(task: Task) -> str:
    edits = task.edits
    if edits.oracle_pattern:
        return f"{edits.generator} with {edits.oracle_pattern.replace('_', ' ')}"
    return f"{Path(edits.generator).stem} rewritten after {Path(task.examples[0].label).name}"


def _notes(metrics: dict[str, Any], reason: str | None) -> list[str]:
    notes = []
    if metrics["region_source"] == "similarity":
        notes.append(
            "Nobody knows where the region is in unseen samples of this generator; the similarity "
            "map stands in for it in all figures for inside and outside."
        )
    if reason is not None:
        notes.append(f"LPIPS could not be measured: {reason}")
    return notes
