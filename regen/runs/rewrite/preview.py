"""`regen rewrite --preview`: what would be learned, as an image and in words; nothing is fitted."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from regen.edits.schema import Edits
from regen.files.run_files import PREVIEW_FILE
from regen.images.sheets import save_sheet
from regen.report.preview import draw_preview
from regen.rewriting.duration import seconds_of_fit
from regen.rewriting.precedence import Merged
from regen.rewriting.preview import Preview, preview
from regen.rewriting.resolve import resolve
from regen.rewriting.settings import RewriteSettings
from regen.runs.folder import run_folder

BESIDE_FIT = 3
"""What a rewrite takes beside its gradient steps, in times of its preview: it projects and compares
keys as well, takes up to 64 samples before and after instead of 8, and compares them."""


def run_preview(
    edits: Edits | Path | str,
    folder: Path | str,
    settings: RewriteSettings | Merged,
    *,
    generator: Path | str | None = None,
    device: str = "cpu",
    projectors: Sequence[Path | str] = (),
    images: Path | None = None,
) -> tuple[Preview, Path, float | None]:
    """Write preview.png of an edits file, and nothing else; results of a rewrite stay.

    Args:
        edits: An edits file, or its content.
        folder: Run folder.
        settings: As for `run_rewrite`.
        generator: Used instead of the one that the edits name.
        device: Where to compute.
        projectors: A file used instead of the edits' projector.
        images: Folder that a generator takes its samples from, if it needs images.

    Returns:
        The preview, the path of the image, and about how many seconds the rewrite would take; None
        where `seconds_of_fit` gives none.

    Raises:
        RegenError: On bad input of any kind, or if another run fills the folder.
    """
    task = resolve(
        edits, generator, settings=settings, projectors=projectors, images=images, device=device
    )
    began = time.perf_counter()
    rule = task.rule()
    shown = preview(task, rule=rule)
    took = time.perf_counter() - began
    fit = seconds_of_fit(task.split, rule, task.settings.fit)
    with run_folder(folder) as place:
        path = place / PREVIEW_FILE
        save_sheet(path, draw_preview(shown))
    return shown, path, None if fit is None else fit + BESIDE_FIT * took
