"""The whole second stage: an edits file becomes a rewrite, a report and figures.

read edits -> project exemplars -> rule -> where it will act -> fit memory -> measure -> report
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from regen.atomic import ensure_folder, write_json
from regen.logbook import Logbook
from regen.rewriting.edits import Edits
from regen.rewriting.rewrite import Rewrite
from regen.workflow.conclude import conclude
from regen.workflow.learn import REWRITE_FILE, learn
from regen.workflow.settings import RewriteSettings
from regen.workflow.task import load_task
from regen.workflow.timing import Stopwatch


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
    edits: Edits | Path | str,
    folder: Path | str,
    settings: RewriteSettings,
    *,
    device: str = "cpu",
    command: str = "",
) -> Outcome:
    """Carry out an edits file.

    Args:
        edits: An edits file, or what one says; see `regen.rewriting.edits`.
        folder: Run folder; gets rewrite.safetensors, report.html, before_after.png, metrics.json,
            settings.json, edits.json (with its pictures inside) and TensorBoard events.
        settings: Everything the edits file does not say.
        device: Where to compute.
        command: Command line that the report shows for repeating the run.

    Returns:
        The rewrite, its figures and where the report is.

    Raises:
        RegenError: On bad input of any kind; nothing in `folder` is half-written.
        KeyboardInterrupt: On Ctrl-C, saying what was kept: during the fit what was learned until
            then, in rewrite.partial.safetensors; after it the whole rewrite.
    """
    watch = Stopwatch()
    with watch.stage("load"):
        task = load_task(edits, settings, device)
        folder = ensure_folder(folder)
    with Logbook(folder) as book:
        book.settings(task.recorded())
        write_json(folder / "edits.json", task.edits.to_json(embed=True))
        learned = learn(task, book, watch)
    try:
        metrics, report = conclude(task, learned, folder, watch, command)
    except KeyboardInterrupt as interrupt:
        kept = f"the rewrite is in {folder / REWRITE_FILE}, without its report"
        raise KeyboardInterrupt(kept) from interrupt
    return Outcome(learned.rewrite, metrics, report)
