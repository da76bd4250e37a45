"""`regen rewrite` (section 5.2 of the paper): from an edits file to a rewrite in a run folder.

resolve (edits, generator, projector, examples) -> prepare (project, paste, where it will act)
-> fit the memory -> measure -> report
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from regen.edits.schema import Edits
from regen.files.run_files import (
    BEFORE_AFTER_FILE,
    EDITS_FILE,
    METRICS_FILE,
    PARTIAL_FILE,
    REPORT_FILE,
    REWRITE_FILE,
)
from regen.generators.samples import check_reserved
from regen.rewriting.layer_trials import LayerChoice
from regen.rewriting.learn import Learned, fit, moments_for, prepare
from regen.rewriting.precedence import Merged
from regen.rewriting.resolve import resolve
from regen.rewriting.rewrite import Rewrite
from regen.rewriting.settings import RewriteSettings
from regen.rewriting.task import Task
from regen.runs.folder import events_of, refuse_busy, remove_results, run_folder
from regen.runs.logbook import Logbook
from regen.runs.progress import Progress
from regen.runs.rewrite.conclude import conclude
from regen.runs.rewrite.trials import ShownTrials
from regen.runs.timing import Stopwatch
from regen.runs.use import rewritten_command
from regen.seeds import PRESERVED, UNSEEN
from regen.training.interrupt import deferred_interrupt

Log = Callable[[str], None]

_RESULTS = (  # of an earlier run; settings.json and edits.json are replaced as they stand
    REPORT_FILE,
    BEFORE_AFTER_FILE,
    METRICS_FILE,
    events_of("rewrite"),
    PARTIAL_FILE,
    REWRITE_FILE,
)


@dataclass(frozen=True)
class Outcome:
    """The results of a finished run.

    Attributes:
        rewrite: The weight change, also in ``rewrite.safetensors``.
        metrics: As in ``metrics.json``.
        report: Path of ``report.html``.
        use: Command line that generates with the rewrite.
        layers: How the value layer was chosen, or None if it was given.
    """

    rewrite: Rewrite
    metrics: dict[str, Any]
    report: Path
    use: str
    layers: LayerChoice | None = None


def _quiet(_: str) -> None:
    pass


def run_rewrite(
    edits: Edits | Path | str,
    folder: Path | str,
    settings: RewriteSettings | Merged,
    *,
    generator: Path | str | None = None,
    device: str = "cpu",
    command: str = "",
    try_layers: bool = False,
    projectors: Sequence[Path | str] = (),
    images: Path | None = None,
    log: Log = _quiet,
) -> Outcome:
    """Learn, save, measure and report the rewrite of an edits file.

    Args:
        edits: An edits file, or its content; see `regen.edits`.
        folder: Run folder; gets rewrite.safetensors, report.html, before_after.png, metrics.json,
            settings.json, edits.json (with its images inside) and TensorBoard events. Those of an
            earlier run are removed once the input has been found good.
        settings: Settings that the edits file does not give; or all settings, merged, which are
            used unchanged.
        generator: Used instead of the one that the edits name.
        device: Where to compute.
        command: Command line that the report shows for repeating the run.
        try_layers: Choose value layer, memory and projector by trying, see `choose_layer`.
        projectors: Files used instead of the edits' projector; several to choose from.
        images: Folder that a generator takes its samples from, if it needs images.
        log: Called with what is worth knowing before a long wait, in one line.

    Returns:
        The rewrite, its metrics and where the report is.

    Raises:
        RegenError: On bad input of any kind, or if another run fills the folder; nothing in
            `folder` is half-written.
        KeyboardInterrupt: On Ctrl-C, saying what was kept: during the fit what was learned until
            then, in rewrite.partial.safetensors; after it the whole rewrite.
    """
    watch = Stopwatch()
    refuse_busy(folder)
    with watch.stage("load"), ShownTrials(log) as trials:
        task = resolve(
            edits,
            generator,
            settings=settings,
            projectors=projectors,
            images=images,
            device=device,
            try_layers=try_layers,
            watcher=trials,
        )
    _check_counts(task)
    with run_folder(folder) as place:
        return _fill(place, task, watch, command)


def _check_counts(task: Task) -> None:
    """Check that there are as many samples to preserve and to measure on as are asked for."""
    merged, counts = Merged(task.settings, task.said_by), task.settings
    for name, band, count in (
        ("fit.preserve", PRESERVED, counts.fit.preserve),
        ("measured_seeds", UNSEEN, counts.measured_seeds or 1),
    ):
        with merged.naming(name, task.edits):
            check_reserved(task.source, band, count, task.taken)


def _fill(folder: Path, task: Task, watch: Stopwatch, command: str) -> Outcome:
    """Learn a task's rule and write everything into the run folder."""
    remove_results(folder, _RESULTS)
    with Logbook(folder, "rewrite") as book:
        book.settings(task.recorded())
        task.edits.save(folder / EDITS_FILE)
        learned = _learn(task, book, watch)
    try:
        metrics, report = conclude(task, learned, folder, watch, command)
    except KeyboardInterrupt as interrupt:
        kept = f"the rewrite is in {folder / REWRITE_FILE}, without its report"
        raise KeyboardInterrupt(kept) from interrupt
    use = rewritten_command(
        task.edits, str(folder / REWRITE_FILE), str(folder / "sheet"), task.images
    )
    return Outcome(learned.rewrite, metrics, report, use, task.layer_choice)


def _learn(task: Task, book: Logbook, watch: Stopwatch) -> Learned:
    """Learn a task's rule, and save the rewrite in the run folder."""
    with watch.stage("project"):
        prepared = prepare(task)
    settings, moments = task.settings.fit, None
    if settings.solver != "adam":
        with watch.stage("key moments"):  # depend only on the generator, and are cached
            moments = moments_for(task)
    count, _ = settings.schedule
    steps = 2 if settings.solver == "closed-form" else count
    with (
        watch.stage("fit"),
        Progress(steps, "fitting the memory") as progress,
        deferred_interrupt() as interrupt,
    ):

        def on_step(step: int, terms: Mapping[str, float]) -> None:
            progress.advance(step + 1 - progress.done, f"loss {terms['total']:.4f}")
            book.scalars({f"fit/{name}": value for name, value in terms.items()}, step)

        learned = fit(
            task, prepared, moments, on_step=on_step, should_stop=lambda: interrupt.pressed
        )
    if learned.stopped_after is not None:
        partial = book.folder / PARTIAL_FILE
        learned.rewrite.save(partial)
        done = f"{learned.stopped_after} of {count} steps"
        raise KeyboardInterrupt(f"the rewrite after {done} is in {partial}")
    learned.rewrite.save(book.folder / REWRITE_FILE)
    if interrupt.pressed:
        kept = f"the rewrite is in {book.folder / REWRITE_FILE}, without its report"
        raise KeyboardInterrupt(kept)
    return learned
