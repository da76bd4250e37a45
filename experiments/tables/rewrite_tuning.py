"""Weights and step size of the paper's rows, chosen for each number of convolutions.

The grid is tried on tuning seeds, which no row of the table is measured on, and on two scenes: a
small pattern that resembles what it replaces, and a large one that does not. What is chosen has
the smallest mean `score`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

from experiments.tables.rewrite_measures import score
from experiments.tables.rewrite_rows import Method, Table2Settings, Tuned, methods
from experiments.tables.rewrite_scenes import Scene
from experiments.tables.rows import TABLE2_METRICS, Measured, json_row

TUNED_ON = ("cat_eyes", "sunglasses")
WEIGHTED = {1: "memory1_weighted", 2: "memory2_weighted", 3: "memory3_weighted"}


def tuning_scenes(scenes: Sequence[Scene]) -> list[Scene]:
    """Those of `TUNED_ON` with most targets, or else the first; only scenes with an oracle.

    A pseudo-oracle counts as one.
    """
    judged = [scene for scene in scenes if scene.edits.oracle is not None]
    most = max((scene.targets for scene in judged), default=0)
    found = [scene for scene in judged if scene.pattern in TUNED_ON and scene.targets == most]
    return found or judged[:1]


def grid_methods(settings: Table2Settings, layers: int) -> list[tuple[Tuned, Method]]:
    """The weighted row of as many convolutions, at each point of the grid."""
    found = []
    for weight, lr in product(settings.grid, settings.step_sizes):
        point = Tuned(weight, lr)
        named = {method.row: method for method in methods(settings, {layers: point})}
        row = f"grid{layers}_p{weight:g}_lr{lr:g}"
        found.append((point, replace(named[WEIGHTED[layers]], row=row)))
    return found


def grid_size(settings: Table2Settings, scenes: Sequence[Scene]) -> int:
    """How many fits `tune` makes."""
    return len(WEIGHTED) * len(settings.grid) * len(settings.step_sizes) * len(scenes)


def tune(
    settings: Table2Settings, scenes: Sequence[Scene], measure: Callable[[Method, Scene], Measured]
) -> tuple[dict[int, Tuned], list[dict[str, Any]]]:
    """Try the grid.

    Args:
        settings: Of the table.
        scenes: To try it on; without any, nothing is chosen.
        measure: Carries out a row on a scene and measures it on the tuning seeds.

    Returns:
        What is chosen by number of convolutions, and a row for every fit that was tried: its
        point of the grid, numbers, score, and whether the point was chosen.
    """
    chosen: dict[int, Tuned] = {}
    rows: list[dict[str, Any]] = []
    for layers in WEIGHTED if scenes else ():
        means: dict[Tuned, float] = {}
        for point, method in grid_methods(settings, layers):
            scores = []
            for scene in scenes:
                measured = measure(method, scene)
                value = score(measured)
                scores.append(float("inf") if value is None else value)
                head: dict[str, str | float | None] = {
                    "layers": layers,
                    "p": point.weight_new,
                    "q": settings.weight_old,
                    "lr": point.lr,
                    "scene": scene.name,
                    "score": value,
                }
                rows.append({**json_row(head, measured, TABLE2_METRICS), "chosen": False})
            means[point] = sum(scores) / len(scores)
        best = chosen[layers] = min(means, key=means.__getitem__)
        for row in rows:
            if row["layers"] == layers:
                row["chosen"] = (row["p"], row["lr"]) == (best.weight_new, best.lr)
    return chosen, rows


def tuning_note(settings: Table2Settings, chosen: dict[int, Tuned], scenes: Sequence[Scene]) -> str:
    """What was chosen, in a sentence or two."""
    own = f"p : q = {Tuned().weight_new:g} : {settings.weight_old:g}, step size {Tuned().lr:g}"
    if not settings.tune:
        return f"The paper's rows have {own}, too; nothing was chosen on tuning seeds."
    if not chosen:
        return f"All rows have {own}; there is no oracle to choose by."
    found = "; ".join(
        f"{layers}: {point.weight_new:g} : {settings.weight_old:g} and {point.lr:g}"
        for layers, point in chosen.items()
    )
    return (
        f"Weights p : q and step size of the paper's rows by number of convolutions ({found}) are "
        f"the best of {len(settings.grid) * len(settings.step_sizes)} on tuning seeds, by LPIPS "
        f"inside to the oracle plus locality, mean over {' and '.join(s.name for s in scenes)}; "
        f"`finetune_all` and the closed form take those of 2. The other rows have {own}."
    )
