"""The whole second stage: an edits file becomes a rewrite, a report and figures.

read edits (-> choose the value layer) -> project exemplars -> rule -> where it will act
-> fit memory -> measure -> report
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from regen.edits.schema import Edits, read_edits
from regen.files.atomic import ensure_folder, write_json
from regen.rewriting.precedence import Merged, resolve
from regen.rewriting.rewrite import Rewrite
from regen.rewriting.settings import RewriteSettings
from regen.runs.logbook import Logbook
from regen.runs.rewrite.conclude import conclude
from regen.runs.rewrite.layer_choice import choose_layer
from regen.runs.rewrite.layer_trials import LayerChoice
from regen.runs.rewrite.learn import REWRITE_FILE, learn
from regen.runs.rewrite.task import load_task
from regen.runs.timing import Stopwatch


@dataclass(frozen=True)
class Outcome:
    """What a finished job left in its folder.

    Attributes:
        rewrite: The weight change, also in ``rewrite.safetensors``.
        metrics: As in ``metrics.json``.
        report: Path of ``report.html``.
        layers: How the value layer was chosen, or None if it was given.
    """

    rewrite: Rewrite
    metrics: dict[str, Any]
    report: Path
    layers: LayerChoice | None = None


def rewrite_generator(
    edits: Edits | Path | str,
    folder: Path | str,
    settings: RewriteSettings | Merged,
    *,
    device: str = "cpu",
    command: str = "",
    try_layers: bool = False,
    projectors: Sequence[Path | str] = (),
) -> Outcome:
    """Carry out an edits file.

    Args:
        edits: An edits file, or what one says; see `regen.edits.schema`.
        folder: Run folder; gets rewrite.safetensors, report.html, before_after.png, metrics.json,
            settings.json, edits.json (with its images inside) and TensorBoard events.
        settings: Everything the edits file does not say; or all settings, merged, which count as
            they are.
        device: Where to compute.
        command: Command line that the report shows for repeating the run.
        try_layers: Choose value layer, memory and projector by trying, see `choose_layer`.
        projectors: Files to choose from then; by default those of `choose_layer`.

    Returns:
        The rewrite, its figures and where the report is.

    Raises:
        RegenError: On bad input of any kind; nothing in `folder` is half-written.
        KeyboardInterrupt: On Ctrl-C, saying what was kept: during the fit what was learned until
            then, in rewrite.partial.safetensors; after it the whole rewrite.
    """
    watch = Stopwatch()
    folder = Path(folder)
    choice = None
    edits = edits if isinstance(edits, Edits) else read_edits(edits)
    merged = resolve(settings, edits)
    if try_layers:
        ensure_folder(folder)
        with watch.stage("try layers"):
            choice = choose_layer(edits, merged.settings, projectors=projectors, device=device)
        edits, merged = choice.chosen(edits), merged.overridden(choice.said())
    with watch.stage("load"):
        task = replace(load_task(edits, merged, device), layer_choice=choice)
        ensure_folder(folder)
    with Logbook(folder) as book:
        book.settings(task.recorded())
        write_json(folder / "edits.json", task.edits.to_json(embed=True))
        learned = learn(task, book, watch)
    try:
        metrics, report = conclude(task, learned, folder, watch, command)
    except KeyboardInterrupt as interrupt:
        kept = f"the rewrite is in {folder / REWRITE_FILE}, without its report"
        raise KeyboardInterrupt(kept) from interrupt
    return Outcome(learned.rewrite, metrics, report, choice)
