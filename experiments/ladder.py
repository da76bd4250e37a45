"""Where a pattern is lost on the way from an exemplar to unseen samples of the London faces.

    python -m experiments.ladder -o experiments/results [--patterns cat_eyes sunglasses]

For each pattern the distance to the target, or sample, with the exemplar's pixels pasted, inside
the region, rung by rung; outside it the distance to the image before. What one rung adds to the
rung before it is what is lost there.

before     the targets without a rewrite
paste      the exemplar's pixels pasted into the targets: 0, since all others are compared with it
values     the best values, found by gradient steps: what the tail can draw at all
targets    the targets after a fit that preserves nothing else
preserved  the targets after the fit as it is done
unseen     samples that the fit never saw, with it, beside the exemplar pasted into them

A projector's values are a rung as well where the generator has a projector. Unseen samples are
seeds from 20,100, by which no setting was chosen: some were by 20,000 to 20,019, others by seeds
from 10,000.
"""

from __future__ import annotations

import argparse
import json
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from experiments.tables.provenance import provenance
from regen.files.atomic import write_json, write_text
from regen.generators.samples import reserved_samples
from regen.images import as_shown, grid, save_image
from regen.metrics import describe_lpips, load_lpips, masked_distance
from regen.metrics.perceptual import Lpips
from regen.rewriting.direct_values import DirectSettings, direct_values
from regen.rewriting.learn import Prepared, fit, moments_for, prepare
from regen.rewriting.pasted import pasted
from regen.rewriting.resolve import NoProjectorWarning, resolve
from regen.rewriting.rewrite import Rewrite, rewritten
from regen.rewriting.rule import build_rule, decode_wanted, region_weights
from regen.rewriting.task import Task
from regen.seeds import HELD_OUT

PATTERNS = ("cat_eyes", "sunglasses", "red_nose", "medical_mask")
SAMPLES, SHOWN = 64, 32
_TRUNCATION = 0.8
_TUNED = range(20_000, 20_100)
_BEST = DirectSettings(steps=150)

Rung = dict[str, Any]


def ladder(pattern: str, folder: Path, samples: int) -> list[Rung]:
    """The rungs of one pattern; writes the sheet of the last."""
    lpips = load_lpips("squeeze")
    task = resolve(f"examples/faces_{pattern}.json")
    prepared, moments = prepare(task), moments_for(task)
    measure = _Measure(lpips, prepared)
    rungs = [measure("before", prepared.rule.images), measure("paste", prepared.rule.composites)]
    rungs.append(measure("values", _best_values(task, prepared)))
    if task.projector is not None:
        rule = build_rule(task.split, task.projector, task.examples, task.settings.rule)
        rungs.append(measure("projector", decode_wanted(task.split, rule)))
    alone = fit(task, Prepared(prepared.rule, None, prepared.matcher), moments).rewrite
    rungs.append(measure("targets", _targets(task, alone)))
    rewrite = fit(task, prepared, moments).rewrite
    rungs.append(measure("preserved", _targets(task, rewrite)))
    return rungs + list(_unseen(task, rewrite, lpips, folder / f"ladder_{pattern}.jpg", samples))


class _Measure:
    """Compares images of the targets with the composites, and with the targets outside."""

    def __init__(self, lpips: Lpips, prepared: Prepared) -> None:
        self.lpips, self.rule = lpips, prepared.rule

    def __call__(self, name: str, images: Tensor) -> Rung:
        images, before, composites = (
            as_shown(t) for t in (images, self.rule.images, self.rule.composites)
        )
        return _rung(name, images, composites, before, self.rule.image_mask, self.lpips)


def _rung(
    name: str, images: Tensor, wanted: Tensor, before: Tensor, mask: Tensor, lpips: Lpips
) -> Rung:
    inside = masked_distance(images, wanted, mask, lpips)
    outside = masked_distance(images, before, 1 - mask, lpips)
    return {"rung": name, "inside": inside, "outside": outside}


@torch.no_grad()
def _best_values(task: Task, prepared: Prepared) -> Tensor:
    rule, fit_settings = prepared.rule, task.settings.fit
    weights = region_weights(rule.image_mask, fit_settings.weight_new, fit_settings.weight_old)
    values = direct_values(
        task.split, rule.before, rule.composites, weights, rule.mask, rule.image_mask, _BEST
    )
    return decode_wanted(task.split, replace(rule, wanted=values))


@torch.no_grad()
def _targets(task: Task, rewrite: Rewrite) -> Tensor:
    with rewritten(task.generator, rewrite):
        return torch.cat([task.generator(example.latent) for example in task.examples])


@torch.no_grad()
def _unseen(task: Task, rewrite: Rewrite, lpips: Lpips, sheet: Path, count: int) -> Iterator[Rung]:
    taken = {*task.taken, *_TUNED}
    indices = [s.index for s in reserved_samples(task.source, HELD_OUT, count, taken)]
    requests = ({"seed": index, "truncation": _TRUNCATION} for index in indices)
    samples = [task.generator.sample(request) for request in requests]
    before = task.generator.images(samples)
    with rewritten(task.generator, rewrite):
        after = task.generator.images(samples)
    wanted, mask = pasted(task.examples, before, task.settings.rule)
    yield _rung("unseen, before", before, wanted, before, mask, lpips)
    yield _rung("unseen", after, wanted, before, mask, lpips)
    rows = [part[i : i + 8] for i in range(0, min(SHOWN, count), 8) for part in (before, after)]
    save_image(sheet, grid(torch.cat(rows), 8))


def table(patterns: dict[str, list[Rung]]) -> str:
    """The ladders as Markdown."""
    lines = [
        "| pattern | rung | LPIPS inside | L1 inside | LPIPS outside |",
        "|---|---|---|---|---|",
    ]
    for pattern, rungs in patterns.items():
        for rung in rungs:
            inside, outside = rung["inside"], rung["outside"]
            lines.append(
                f"| {pattern} | {rung['rung']} | {inside['lpips']:.4f} | {inside['l1']:.3f} | "
                f"{outside['lpips']:.4f} |"
            )
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> None:
    """Climb the ladders of the patterns that the command line names."""
    parser = argparse.ArgumentParser(description="Where a pattern is lost, rung by rung.")
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--patterns", nargs="+", default=PATTERNS, choices=PATTERNS)
    parser.add_argument("--samples", type=int, default=SAMPLES)
    given = parser.parse_args(arguments)
    given.output.mkdir(parents=True, exist_ok=True)
    path = given.output / "ladder.json"
    found = json.loads(path.read_text())["patterns"] if path.exists() else {}
    settings = {"samples": given.samples, "truncation": _TRUNCATION}
    for pattern in given.patterns:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NoProjectorWarning)
            found[pattern] = ladder(pattern, given.output, given.samples)
        network = describe_lpips(load_lpips("squeeze"), None, 256)
        told = provenance("experiments.ladder", settings, network)
        write_json(path, {"patterns": found, "provenance": told})
        write_text(given.output / "ladder.md", table(found))
        print(table({pattern: found[pattern]}), flush=True)


if __name__ == "__main__":
    main()
