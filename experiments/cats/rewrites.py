"""Rewrites of portraits-cats against the oracle, on people and styles that nothing was tuned on.

    python -m experiments.cats.rewrites -o experiments/results

For each edits file: L1 and LPIPS to the oracle in the region, before and after, over 64 people in
each of 8 styles, and by style; the floor, which is how far the untouched generator is from the cat
without the pattern; how well the exemplar fits; and how much changes elsewhere. Writes
cats_rewrites.json and a sheet of each.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import torch

from experiments.oracle_rewrites import (
    EXAMPLES,
    Measured,
    composites,
    learned,
    measure_all,
    sheet,
)
from regen.generators.protocol import Generator, Sample
from regen.generators.registry import open_generator
from regen.metrics import Lpips, masked_distance, try_lpips
from regen.rewriting.rewrite import Rewrite, rewritten
from regen.rewriting.task import Task
from regen.seeds import HELD_OUT

COUNT, STYLES, COLUMNS = 64, 8, 12
FIRST_STYLE = HELD_OUT.first + 5_000  # beyond those of the people themselves


def in_style(generator: Generator, style: int, count: int) -> list[Sample]:
    """Held-out people, all in one held-out style."""
    seeds, seed = HELD_OUT.take(count), FIRST_STYLE + style
    return [generator.sample({"seed": person, "style": seed}) for person in seeds]


@torch.no_grad()
def measured(
    task: Task, generator: Generator, rewrite: Rewrite, count: int, styles: int
) -> dict[str, Any]:
    """Everything that the table says of one rewrite: means over styles, and the ratio of each."""
    lpips = try_lpips("squeeze", generator.image_size)[0]
    rows = []
    for style in range(styles):
        samples = in_style(generator, style, count)
        rows.append(_in_one_style(task, generator, rewrite, samples, lpips))
    means = {
        name: {kind: _mean(row[name][kind] for row in rows) for kind in rows[0][name]}
        for name in rows[0]
    }
    ratios = [row["after"]["l1"] / row["before"]["l1"] for row in rows]
    ratio = means["after"]["l1"] / means["before"]["l1"]
    return {**means, "ratio": ratio, "ratio by style": ratios}


def _mean(values: Any) -> float:
    return float(torch.tensor(list(values)).mean())


def _in_one_style(
    task: Task,
    generator: Generator,
    rewrite: Rewrite,
    samples: Sequence[Sample],
    lpips: Lpips | None,
) -> dict[str, Any]:
    oracle, pattern = generator.oracle, str(task.edits.oracle)
    assert oracle is not None
    before = generator.images(samples)
    with rewritten(generator, rewrite):
        after = generator.images(samples)
    wanted, region = oracle.wanted(samples, pattern), oracle.changed(samples, pattern)
    return {
        "before": masked_distance(before, wanted, region, lpips),
        "after": masked_distance(after, wanted, region, lpips),
        "floor": masked_distance(before, oracle.plain(samples), region, lpips),
        "exemplar": masked_distance(composites(task, before, region), wanted, region, lpips),
        "elsewhere": masked_distance(after, before, 1 - region, lpips),
    }


def run(path: Path, generator: Generator, count: int, styles: int) -> Measured:
    """Learn the rewrite of an edits file; its measures, and people, each in another style."""
    task, rewrite, seconds = learned(path, generator)
    row = {"seconds": seconds, **measured(task, generator, rewrite, count, styles)}
    shown = [in_style(generator, n, COLUMNS)[n] for n in range(COLUMNS)]
    return row, sheet(task, generator, rewrite, shown)


@click.command()
@click.option("-o", "--output", type=click.Path(path_type=Path), default="experiments/results")
@click.option("--count", type=int, default=COUNT, show_default=True, help="Of people.")
@click.option("--styles", type=int, default=STYLES, show_default=True, help="Of each person.")
@click.argument("edits", nargs=-1, type=click.Path(exists=True, path_type=Path))
def main(output: Path, count: int, styles: int, edits: tuple[Path, ...]) -> None:
    """Measure the rewrites of EDITS, by default the bundled examples."""
    generator = open_generator("portraits-cats")
    edits = edits or tuple(sorted(EXAMPLES.glob("translate_*.json")))
    rows = measure_all(edits, lambda path: run(path, generator, count, styles), output)
    content = {
        "people": f"{HELD_OUT.first}-{HELD_OUT.first + count - 1}",
        "styles": f"{FIRST_STYLE}-{FIRST_STYLE + styles - 1}",
        "rewrites": rows,
    }
    (output / "cats_rewrites.json").write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
