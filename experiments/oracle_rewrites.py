"""Rewrites that are compared with an oracle: learned from an edits file, measured, and shown."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from regen.generators.protocol import Generator, Sample
from regen.images import grid, save_image
from regen.images.regions import Region
from regen.rewriting.composite import compose
from regen.rewriting.learn import learn
from regen.rewriting.resolve import resolve
from regen.rewriting.rewrite import Rewrite, rewritten
from regen.rewriting.task import Task

EXAMPLES = Path(__file__).parents[1] / "examples"

Measured = tuple[dict[str, Any], Tensor]


def learned(path: Path, generator: Generator) -> tuple[Task, Rewrite, dict[str, float]]:
    """The task of an edits file, its rewrite, and the seconds it took: wall and processor."""
    began, used = time.perf_counter(), time.process_time()
    task = resolve(path, generator)
    rewrite = learn(task).rewrite
    seconds = {"wall": time.perf_counter() - began, "processor": time.process_time() - used}
    return task, rewrite, seconds


def composites(task: Task, images: Tensor, masks: Tensor) -> Tensor:
    """The first exemplar pasted into each image at its own region: the best a rule can ask for.

    Args:
        task: Has the exemplar.
        images: Without a rewrite, ``[N, 3, H, W]`` in [-1, 1].
        masks: Where to paste, ``[N, 1, H, W]``.
    """
    pasted = [
        compose(task.examples[0], image[None], task.settings.rule, Region.from_mask(mask[None]))
        for image, mask in zip(images, masks, strict=True)
    ]
    return torch.cat([image for image, _ in pasted])


@torch.no_grad()
def sheet(task: Task, generator: Generator, rewrite: Rewrite, samples: Sequence[Sample]) -> Tensor:
    """What was given, before, after, and the oracle, a sample each column."""
    given, before = generator.shown_input(generator.latents(samples)), generator.images(samples)
    with rewritten(generator, rewrite):
        after = generator.images(samples)
    assert generator.oracle is not None and given is not None
    wanted = generator.oracle.wanted(samples, str(task.edits.oracle))
    return grid(torch.cat([given, before, after, wanted]), len(samples))


def measure_all(
    edits: Iterable[Path], run: Callable[[Path], Measured], output: Path
) -> dict[str, dict[str, Any]]:
    """What `run` measures of each edits file, by its name; prints it, and writes the sheets."""
    rows = {}
    for path in edits:
        rows[path.stem], image = run(path)
        save_image(output / f"{path.stem}.png", image)
        print(json.dumps({path.stem: rows[path.stem]}, indent=1), flush=True)
    return rows
