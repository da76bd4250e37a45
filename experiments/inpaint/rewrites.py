"""Rewrites of portraits-inpaint against the oracle, on people that nothing was tuned on.

    python -m experiments.inpaint.rewrites -o experiments/results

For each edits file: L1 and LPIPS to the oracle in the region, before and after; the floor, which is
how far the untouched generator is from the person; how well the exemplar fits; and how much holes
of other parts change. Writes inpaint_rewrites.json and a sheet of each.
"""

from __future__ import annotations

import json
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
from regen.edits.schema import NamedRegion
from regen.generators.protocol import Generator, Sample
from regen.generators.registry import open_generator
from regen.metrics import masked_distance, try_lpips
from regen.rewriting.rewrite import rewritten
from regen.rewriting.task import Task
from regen.seeds import HELD_OUT

PARTS = {"red_nose": "nose", "cat_eyes": "eyes", "anime_eyes": "eyes", "sunglasses": "glasses"}
OTHERS = ("eyes", "nose", "mouth", "glasses", "mask")
OVERLAP = {"eyes": {"glasses"}, "glasses": {"eyes"}, "nose": {"mask"}}  # parts that hide each other
COUNT, GROW, COLUMNS = 64, 2, 12


def hidden(generator: Generator, part: str, count: int) -> list[Sample]:
    """Held-out people with a part hidden."""
    request = {"hole": NamedRegion(part), "grow": GROW}
    return [generator.sample({"seed": seed, **request}) for seed in HELD_OUT.take(count)]


@torch.no_grad()
def measured(task: Task, generator: Generator, rewrite: Any, count: int) -> dict[str, Any]:
    """Everything that the table says of one rewrite."""
    oracle, pattern = generator.oracle, str(task.edits.oracle)
    assert oracle is not None
    samples, lpips = hidden(generator, PARTS[pattern], count), try_lpips("squeeze", (64, 64))[0]
    before = generator.images(samples)
    with rewritten(generator, rewrite):
        after = generator.images(samples)
    wanted, plain = oracle.wanted(samples, pattern), oracle.plain(samples)
    region = oracle.changed(samples, pattern)
    pairs = {"before": (before, wanted), "after": (after, wanted), "floor": (before, plain)}
    places = oracle.region(PARTS[pattern], samples)
    pairs["exemplar"] = (composites(task, before, places), wanted)
    found: dict[str, Any] = {
        name: masked_distance(*pair, region, lpips) for name, pair in pairs.items()
    }
    found["ratio"] = found["after"]["l1"] / found["before"]["l1"]
    holes = generator.changeable(generator.latents(samples))
    assert holes is not None
    found["rest of the hole"] = masked_distance(after, before, holes * (1 - region), None)["l1"]
    found["other holes"] = _others(generator, rewrite, PARTS[pattern], count)
    return found


def _others(generator: Generator, rewrite: Any, own: str, count: int) -> dict[str, float]:
    """Change of what holes of other parts are filled with, by part."""
    changes = {}
    for part in OTHERS:
        if part == own or part in OVERLAP.get(own, ()):
            continue
        samples = hidden(generator, part, count)
        before = generator.images(samples)
        with rewritten(generator, rewrite):
            after = generator.images(samples)
        holes = generator.changeable(generator.latents(samples))
        assert holes is not None
        changes[part] = float(masked_distance(after, before, holes, None)["l1"] or 0)
    return changes


def run(path: Path, generator: Generator, count: int) -> Measured:
    """Learn the rewrite of an edits file; its measures and sheet."""
    task, rewrite, seconds = learned(path, generator)
    row = {"seconds": seconds, **measured(task, generator, rewrite, count)}
    shown = hidden(generator, PARTS[str(task.edits.oracle)], COLUMNS)
    return row, sheet(task, generator, rewrite, shown)


@click.command()
@click.option("-o", "--output", type=click.Path(path_type=Path), default="experiments/results")
@click.option("--count", type=int, default=COUNT, show_default=True, help="Of people.")
@click.argument("edits", nargs=-1, type=click.Path(exists=True, path_type=Path))
def main(output: Path, count: int, edits: tuple[Path, ...]) -> None:
    """Measure the rewrites of EDITS, by default the bundled examples."""
    generator = open_generator("portraits-inpaint")
    edits = edits or tuple(sorted(EXAMPLES.glob("inpaint_*.json")))
    rows = measure_all(edits, lambda path: run(path, generator, count), output)
    people = f"{HELD_OUT.first}-{HELD_OUT.first + count - 1}"
    content = {"people": people, "grow": GROW, "rewrites": rows}
    (output / "inpaint_rewrites.json").write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
