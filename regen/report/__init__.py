"""What a finished rewrite did, for people.

report.html is self-contained: its images are inside, nothing is fetched, it has a light and a dark
theme. before_after.png shows the same rows of images, where HTML cannot be shown.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from regen.files.atomic import ensure_folder, write_text
from regen.files.run_files import BEFORE_AFTER_FILE, REPORT_FILE
from regen.images.sheets import draw_sheet, save_sheet
from regen.report.content import ExemplarView, RewriteReport, TargetView, image_rows
from regen.report.page import render_page

__all__ = ["ExemplarView", "RewriteReport", "TargetView", "write_report"]

SHEET_COLUMNS = 10


def write_report(folder: Path | str, report: RewriteReport) -> Path:
    """Write report.html and before_after.png into `folder`, each whole or not at all.

    Args:
        folder: The run folder; made if it does not exist.
        report: What to show.

    Returns:
        Path of report.html.

    Raises:
        StoreError: If the folder cannot be written to.
    """
    folder = ensure_folder(folder)
    with ThreadPoolExecutor(1) as beside:  # most of the time goes into compressing images
        page = beside.submit(render_page, report)
        rows = [(row.title, row.images) for row in image_rows(report, SHEET_COLUMNS)]
        sheet = draw_sheet(rows, report.labels[:SHEET_COLUMNS])
        save_sheet(folder / BEFORE_AFTER_FILE, sheet)
        write_text(folder / REPORT_FILE, page.result())
    return folder / REPORT_FILE
