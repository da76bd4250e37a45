"""A report without its optional parts, and one with all of them."""

from __future__ import annotations

import dataclasses

import torch

from regen.report import ExemplarView, RewriteReport, TargetView


def small_report(n: int = 3, side: int = 16) -> RewriteReport:
    before = torch.rand(n, 3, side, side) * 2 - 1
    return RewriteReport(
        title="Cat eyes",
        command="regen rewrite --edits eyes.json -o out",
        labels=[f"seed {seed}" for seed in range(100, 100 + n)],
        before=before,
        after=before * 0.5,
        metrics={"seeds": n, "inside": {"lpips": None, "l1": 0.25}},
        settings={"steps": 300},
    )


def full_report(n: int = 12) -> RewriteReport:
    report = small_report(n)
    one, two = report.before[0], report.after[0]
    return dataclasses.replace(
        report,
        regions=torch.ones(n, 1, 16, 16),
        region_source="oracle",
        similarity=torch.rand(n, 1, 4, 4),
        oracle=report.before * 0.4,
        exemplars=[
            ExemplarView("cat.jpg", torch.zeros(3, 40, 30), one, two, torch.ones(1, 40, 30))
        ],
        targets=[
            TargetView("seed 3", one, two, two),
            TargetView("seed 4", one, two, two, region=torch.zeros(1, 16, 16)),
        ],
        losses={"recall": [(0, 1.0), (10, 0.01)], "empty": []},
        use=["regen generate --rewrite rewrite.safetensors:0.5 --images <in> -o half"],
        notes=["Only 2 <b>targets</b>."],
    )
