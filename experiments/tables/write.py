"""A table as Markdown for people, CSV for spreadsheets and JSON for programs.

All three are made from the content of the JSON file: ``rows`` as `json_row` gives them, and
``provenance``. Files are written whole or not at all.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from regen.files.as_json import to_json
from regen.files.atomic import ensure_folder, write_json, write_text

Row = Mapping[str, Any]

_HEADINGS = {
    "lpips_in_domain": "LPIPS, in domain",
    "lpips_out_of_domain": "LPIPS, out of domain",
    "psnr": "PSNR, dB",
    "ssim": "SSIM",
    "wasserstein": "Wasserstein",
    "sliced_wasserstein": "sliced W.",
    "locality_lpips": "locality, LPIPS",
    "inside_lpips_before": "inside LPIPS before",
    "inside_lpips_after": "after",
    "inside_l1_before": "inside L1 before",
    "inside_l1_after": "after",
    "outside_l1": "outside L1",
    "frechet": "Frechet",
    "seconds": "seconds",
    "peak_memory_mb": "MB",
}
_DECIMALS = {
    "psnr": 2,
    "ssim": 3,
    "wasserstein": 2,
    "frechet": 0,
    "seconds": 1,
    "peak_memory_mb": 0,
}
_USUAL_DECIMALS = 4


def write_tables(
    folder: Path | str,
    name: str,
    document: Mapping[str, Any],
    metrics: Sequence[str],
    *,
    title: str,
    notes: Sequence[str],
    group: Sequence[str] = (),
) -> None:
    """Write NAME.json, NAME.csv and NAME.md.

    Args:
        folder: Made if there is none.
        name: "table1" or "table2".
        document: The content of the JSON file, with ``rows`` and ``provenance``.
        metrics: The columns, in order.
        title: Heading of the Markdown file.
        notes: Paragraphs under the tables of the Markdown file.
        group: Keys of a row that tell one sub-table of the Markdown file from the next.

    Raises:
        StoreError: If a file cannot be written.
    """
    folder = ensure_folder(folder)
    rows = document["rows"]
    write_text(folder / f"{name}.csv", to_csv(rows, metrics, ("row", *group)))
    write_text(folder / f"{name}.md", to_markdown(document, metrics, title, notes, group))
    write_json(folder / f"{name}.json", to_json(document))


def to_csv(rows: Sequence[Row], metrics: Sequence[str], keys: Sequence[str]) -> str:
    """One line a row; a metric with an interval has NAME_low and NAME_high beside it."""
    with_interval = {m for row in rows for m in metrics if row["intervals"].get(m)}
    header = list(keys)
    for metric in metrics:
        header += [metric] + [
            f"{metric}_{end}" for end in ("low", "high") if metric in with_interval
        ]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    for row in rows:
        cells = [row[key] for key in keys]
        for metric in metrics:
            low_high = row["intervals"].get(metric) or ("", "")
            cells += [_plain(row[metric])]
            cells += [_plain(end) for end in low_high] if metric in with_interval else []
        writer.writerow(cells)
    return text.getvalue()


def to_markdown(
    document: Mapping[str, Any],
    metrics: Sequence[str],
    title: str,
    notes: Sequence[str],
    group: Sequence[str],
) -> str:
    """The tables, one for each value of `group`, then notes and provenance."""
    parts = [f"# {title}", ""]
    for heading, rows in _groups(document["rows"], group):
        parts += ([f"## {heading}", ""] if heading else []) + [*_table(rows, metrics), ""]
    for note in notes:
        parts += [note, ""]
    return "\n".join(parts + _provenance_lines(document["provenance"])) + "\n"


def _groups(rows: Sequence[Row], keys: Sequence[str]) -> list[tuple[str, list[Row]]]:
    groups: dict[str, list[Row]] = {}
    for row in rows:
        heading = ", ".join(_describe(key, row[key]) for key in keys)
        groups.setdefault(heading, []).append(row)
    return list(groups.items())


def _describe(key: str, value: object) -> str:
    if key == "targets":
        return f"{value} target" if value == 1 else f"{value} targets"
    return str(value).replace("_", " ")


def _table(rows: Sequence[Row], metrics: Sequence[str]) -> list[str]:
    headings = ["row", *(_HEADINGS.get(metric, metric) for metric in metrics)]
    lines = [f"| {' | '.join(headings)} |", f"| --- |{' ---: |' * len(metrics)}"]
    for row in rows:
        cells = [_cell(row[m], row["intervals"].get(m), m) for m in metrics]
        lines.append(f"| {row['row']} | {' | '.join(cells)} |")
    return lines


def _cell(value: float | None, interval: Sequence[float] | None, metric: str) -> str:
    """A number with the half width of its interval, or a dash.

    Example:
        >>> _cell(0.25, (0.2, 0.3), "ssim"), _cell(None, None, "ssim")
        ('0.250 ±0.050', '–')
    """
    if value is None:
        return "–"
    digits = _DECIMALS.get(metric, _USUAL_DECIMALS)
    text = f"{value:.{digits}f}"
    return text if interval is None else f"{text} ±{(interval[1] - interval[0]) / 2:.{digits}f}"


def _provenance_lines(provenance: Mapping[str, Any]) -> list[str]:
    lpips, machine = provenance["lpips"], provenance["hardware"]
    perceived = f"LPIPS: {lpips['backbone']}, version {lpips['version']}"
    if lpips["backbone"] is None:
        perceived = f"LPIPS could not be measured ({lpips.get('unavailable')})"
    return [
        f"- Command: `{provenance['command']}`, commit `{provenance['commit']}`",
        f"- {perceived}, at {lpips['resolution']} pixels",
        f"- {machine['processor']}, {machine['cores']} cores, {machine['threads']} threads; "
        f"torch {provenance['software']['torch']}",
        "- Settings and seeds are in the JSON file. ± is half of the 95 % bootstrap interval.",
    ]


def _plain(value: object) -> str:
    return "" if value is None or value == "" else f"{value:.6g}"
