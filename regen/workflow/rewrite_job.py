"""The whole second stage: an edits file becomes a rewrite, a report and figures.

read edits -> project exemplars -> rule -> where it will act -> fit memory -> measure -> report
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from regen.atomic import ensure_folder
from regen.generators import AnyGenerator, open_generator
from regen.generators.protocol import Split, concatenate
from regen.logbook import Logbook, Progress, to_json
from regen.metrics import try_lpips
from regen.projector.files import open_projector
from regen.report import ExemplarView, RewriteReport, TargetView, write_report
from regen.rewriting.edits import Edits, read_edits
from regen.rewriting.memory import Preserved, fit_memory
from regen.rewriting.rewrite import Rewrite, rewritten
from regen.rewriting.rule import Rule, build_rule, decode_wanted
from regen.rewriting.where import KeyMatcher, match_keys
from regen.workflow.examples import LabelledExample, load_examples
from regen.workflow.measure import gather_evidence, metrics_of, unseen_seeds
from regen.workflow.settings import RewriteSettings
from regen.workflow.timing import Stopwatch, peak_memory_mb

FIRST_PRESERVED = 1_000_000
_BATCH = 16


@dataclass(frozen=True)
class Outcome:
    """What a finished job left in its folder.

    Attributes:
        rewrite: The weight change, also in ``rewrite.safetensors``.
        metrics: As in ``metrics.json``.
        report: Path of ``report.html``.
    """

    rewrite: Rewrite
    metrics: dict[str, Any]
    report: Path


def rewrite_generator(
    edits_file: Path | str,
    folder: Path | str,
    settings: RewriteSettings,
    *,
    device: str = "cpu",
    command: str = "",
) -> Outcome:
    """Carry out an edits file.

    Args:
        edits_file: See `regen.rewriting.edits`.
        folder: Run folder; gets rewrite.safetensors, report.html, before_after.png, metrics.json,
            settings.json, edits.json (with its pictures inside) and TensorBoard events.
        settings: Everything the edits file does not say.
        device: Where to compute.
        command: Command line that the report shows for repeating the run.

    Returns:
        The rewrite, its figures and where the report is.

    Raises:
        RegenError: On bad input of any kind; nothing in `folder` is half-written.
    """
    watch = Stopwatch()
    with watch.stage("load"):
        edits = read_edits(edits_file)
        settings = settings.with_edits(edits)
        generator = open_generator(edits.generator, device=device)
        projector = open_projector(edits.projector, edits.generator, generator)
        layer, depth = edits.value_layer or projector.value_layer, edits.memory_layers or 2
        projector.check_layer(layer)
        split = generator.split(layer, depth)
        labelled = load_examples(edits, generator)
        folder = ensure_folder(folder)
    with Logbook(folder) as book:
        recorded = {
            **asdict(settings),
            "edits": edits.to_json(),
            "value_layer": layer,
            "memory_layers": depth,
        }
        book.settings(recorded)
        with watch.stage("project"):
            examples = [item.example for item in labelled]
            rule = build_rule(split, projector, examples, settings.rule)
            preserved, matcher = preserve(generator, split, rule, settings)
        losses: dict[str, list[tuple[int, float]]] = {}
        with watch.stage("fit"):
            rewrite = _fit(generator, split, rule, preserved, settings, book, losses)
            rewrite.save(folder / "rewrite.safetensors")
    seeds = unseen_seeds(settings.measured_seeds, [item.seed for item in labelled])
    with watch.stage("measure"):
        lpips, reason = try_lpips(settings.lpips)
        evidence = gather_evidence(generator, split, rewrite, matcher, edits, seeds)
        metrics = metrics_of(evidence, lpips, reason, {}, None)
    with watch.stage("report"):
        views = _views(generator, split, rewrite, rule, labelled)
    metrics["seconds"], metrics["peak_memory_mb"] = watch.seconds(), peak_memory_mb()
    report = RewriteReport(
        title=_title(edits, labelled),
        command=command,
        seeds=seeds,
        before=evidence.before,
        after=evidence.after,
        metrics=metrics,
        settings=recorded,
        regions=evidence.regions,
        region_source=evidence.region_source,
        similarity=evidence.similarity,
        oracle=evidence.oracle,
        exemplars=views[0],
        targets=views[1],
        losses=losses,
        notes=_notes(metrics, reason),
    )
    return Outcome(rewrite, metrics, write_report(folder, report))


@torch.no_grad()
def preserve(
    generator: AnyGenerator, split: Split[Any], rule: Rule, settings: RewriteSettings
) -> tuple[Preserved | None, KeyMatcher]:
    """Samples of the generator at large, and the matcher that knows where the rule will act."""
    count = max(settings.fit.preserve, _BATCH)
    seeds = range(FIRST_PRESERVED, FIRST_PRESERVED + count)
    batches = [seeds[i : i + _BATCH] for i in range(0, count, _BATCH)]
    keys = concatenate([split.head(generator.latents(list(b))) for b in batches])
    matcher = match_keys(keys.features, rule.keys.features, rule.mask)
    if not settings.fit.preserve:
        return None, matcher
    value = split.memory(keys)
    pictures = torch.cat(
        [
            split.tail(value.select(range(i, min(i + _BATCH, count))))
            for i in range(0, count, _BATCH)
        ]
    )
    sizes = split.value_size, (int(pictures.shape[2]), int(pictures.shape[3]))
    keep, picture_keep = (_keep(matcher, keys.features, size, settings) for size in sizes)
    return Preserved(keys, value.features, pictures, keep, picture_keep), matcher


def _keep(
    matcher: KeyMatcher, keys: Tensor, size: tuple[int, int], settings: RewriteSettings
) -> Tensor:
    if settings.fit.where_similar:
        return 1 - matcher.mask(keys, size)
    return torch.ones(len(keys), 1, *size, device=keys.device)


def _fit(
    generator: AnyGenerator,
    split: Split[Any],
    rule: Rule,
    preserved: Preserved | None,
    settings: RewriteSettings,
    book: Logbook,
    losses: dict[str, list[tuple[int, float]]],
) -> Rewrite:
    with Progress(settings.fit.steps, "fitting the memory") as progress:

        def report(step: int, terms: dict[str, float]) -> None:
            progress.advance(step + 1 - progress.done, f"loss {terms['total']:.4f}")
            book.scalars({f"fit/{name}": value for name, value in terms.items()}, step)
            for name, value in terms.items():
                losses.setdefault(name, []).append((step, value))

        deltas = fit_memory(split, rule, settings.fit, preserved, report)
    made = to_json(asdict(settings))
    assert isinstance(made, dict)
    return Rewrite(deltas, generator.digest(), generator.family, made)


@torch.no_grad()
def _views(
    generator: AnyGenerator,
    split: Split[Any],
    rewrite: Rewrite,
    rule: Rule,
    labelled: Sequence[LabelledExample],
) -> tuple[list[ExemplarView], list[TargetView]]:
    """Exemplars on their way in, and targets before, as wanted, and after."""
    decoded = decode_wanted(split, rule).float().cpu().clamp(-1, 1)
    with rewritten(generator, rewrite):
        after = torch.cat([generator(item.example.latent) for item in labelled])
    exemplars, targets = [], []
    for i, item in enumerate(labelled):
        composite = rule.composites[i : i + 1].float().cpu().clamp(-1, 1)
        picture = rule.pictures[i : i + 1].float().cpu().clamp(-1, 1)
        final = after[i : i + 1].float().cpu().clamp(-1, 1)
        exemplars.append(
            ExemplarView(item.label, item.example.exemplar, composite, decoded[i : i + 1])
        )
        targets.append(TargetView(f"seed {item.seed}", picture, decoded[i : i + 1], final))
    return exemplars, targets


def _title(edits: Edits, labelled: Sequence[LabelledExample]) -> str:
    if edits.oracle:
        return f"{edits.generator} with {edits.oracle.replace('_', ' ')}"
    return f"{Path(edits.generator).stem} rewritten after {Path(labelled[0].label).name}"


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
