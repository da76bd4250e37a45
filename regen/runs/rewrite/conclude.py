"""What a learned rewrite does to unseen samples, as metrics and as a report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from regen.evaluation.evaluate import evaluate
from regen.evaluation.evidence import Targets
from regen.files.as_json import to_json
from regen.files.atomic import write_json
from regen.files.run_files import METRICS_FILE, REWRITE_FILE
from regen.generators.samples import shown_inputs
from regen.images import as_shown
from regen.report import ExemplarView, RewriteReport, TargetView, write_report
from regen.rewriting.learn import Learned
from regen.rewriting.rule import decode_wanted
from regen.rewriting.task import Task
from regen.runs.timing import Stopwatch, peak_memory_mb
from regen.runs.use import rewritten_command


def conclude(
    task: Task, learned: Learned, folder: Path, watch: Stopwatch, command: str
) -> tuple[dict[str, Any], Path]:
    """Measure a rewrite, and write its report and metrics.json into the run folder.

    Args:
        task: What should be learned.
        learned: What was learned.
        folder: The run folder.
        watch: Receives the stages "measure" and "report"; its times, also those of the report, go
            into the metrics, which are written last.
        command: Command line that repeats the run.

    Returns:
        The content of metrics.json, and the path of report.html.

    Raises:
        StoreError: If the folder cannot be written to.
    """
    with watch.stage("measure"):
        found = evaluate(task, learned)
    evidence, metrics = found.evidence, found.metrics
    assert evidence.targets is not None
    with watch.stage("report"):
        exemplars, targets = _views(task, learned, evidence.targets)
        report = RewriteReport(
            title=_title(task),
            command=command,
            labels=evidence.labels,
            before=evidence.before,
            after=evidence.after,
            metrics=metrics,
            settings=task.recorded(),
            inputs=evidence.inputs,
            regions=evidence.regions,
            region_source=evidence.region_source,
            similarity=evidence.similarity,
            oracle=evidence.oracle,
            exemplars=exemplars,
            targets=targets,
            losses=learned.losses,
            layers=None if task.layer_choice is None else task.layer_choice.recorded(),
            notes=_notes(task, metrics, found.lacking),
            use=[
                rewritten_command(task.edits, REWRITE_FILE, "images", task.images),
                rewritten_command(task.edits, f"{REWRITE_FILE}:0.5", "half", task.images),
            ],
        )
        path = write_report(folder, report)
    metrics = {**metrics, "seconds": watch.seconds(), "peak_memory_mb": peak_memory_mb()}
    write_json(folder / METRICS_FILE, to_json(metrics))
    return metrics, path


@torch.no_grad()
def _views(
    task: Task, learned: Learned, became: Targets
) -> tuple[list[ExemplarView], list[TargetView]]:
    """Exemplars with their projections, and targets before, as wanted, and after."""
    decoded = None
    if task.has_values:
        decoded = as_shown(decode_wanted(task.split, learned.rule))
    only_values = task.settings.fit.recall == "value"
    inputs = shown_inputs(task.generator, [example.latent for example in task.examples])
    exemplars, targets = [], []
    for i, example in enumerate(task.examples):
        exemplar, composite = example.shown[0].float().cpu(), became.wanted[i]
        region = example.exemplar_region.mask(*exemplar.shape[1:])[0]
        exemplars.append(
            ExemplarView(
                example.exemplar_label,
                exemplar,
                composite,
                None if decoded is None else decoded[i],
                region,
            )
        )
        wanted = decoded[i] if only_values and decoded is not None else composite
        shown = None if inputs is None else inputs[i]
        images = became.before[i], wanted, became.after[i], shown, became.regions[i]
        targets.append(TargetView(example.target_label, *images))
    return exemplars, targets


def _title(task: Task) -> str:
    name = task.generator.source_name
    if task.edits.oracle_pattern:
        return f"{Path(name).name} with {task.edits.oracle_pattern.replace('_', ' ')}"
    return f"{Path(name).stem} rewritten after {Path(task.examples[0].exemplar_label).name}"


def _notes(task: Task, metrics: dict[str, Any], reason: str | None) -> list[str]:
    notes = []
    if task.projector is None:
        notes.append(
            "The generator has no projector for this value layer: "
            + (
                "the values were found by gradient steps, and what is shown as decoded is the best "
                "that they reached."
                if task.has_values
                else "the rule was learned from images alone."
            )
        )
    if metrics["region_source"] == "paste":
        notes.append(
            "The oracle is a pseudo-oracle: the exemplar pasted into every sample at the mean "
            "place of the targets' regions. It holds as far as the samples are aligned, and "
            "nothing in it is adapted to a sample's light or pose."
        )
    if metrics["region_source"] == "similarity":
        notes.append(
            "The true region is unknown for unseen samples; the similarity map stands in for it "
            "in all numbers for inside and outside, so they do not show where the map itself is "
            'wrong. Where samples are aligned, as faces are, "oracle": {"paste": true} in the '
            "edits file measures them beside the exemplar pasted into each."
        )
    if reason is not None:
        notes.append(f"LPIPS could not be measured: {reason}")
    return notes
