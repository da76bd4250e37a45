"""How a memory is fitted: every setting of a fit, checked when it is made."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from regen.errors import RewriteError
from regen.rewriting.rule import check_choice


@dataclass(frozen=True)
class FitConfig:
    """How the memory is fitted.

    Attributes:
        solver: "adam" takes gradient steps on the weights. "closed-form" solves for one
            convolution after the other (see `regen.rewriting.closed_form`) and takes none. "both"
            starts from the closed form and takes steps in the coordinates of the keys (see
            `regen.rewriting.coordinates`): a fifth as many come as far where recall is measured
            on values, a third where it is measured on both.
        steps: Gradient steps, at least 1.
        lr: Adam's first step size in units of weight, above 0; falls to a tenth on a cosine.
        recall: Where the rule is compared: "value" (the paper), "image" or "both".
        image_weight: Weight of the picture's recall beside the values'.
        structure_weight: Weight of the region's 1 - SSIM where recall is measured on the picture.
        preserve: Samples of the generator at large that must stay; 0 for none (the paper).
        preserve_weight: Their weight beside the rule's.
        preserve_batch: How many of them take part in one step.
        where_similar: Preserve only where the rule will not act (see `regen.rewriting.where`).
        where_slack: Area that the rule may act on, as a multiple of the targets' region.
        weight_new: p, the share of the region in the loss.
        weight_old: q, the share of everything else in the targets.
        border: Part of q that goes to the band around the region; see `region_weights`.
        precision: What the network computes in while fitting, "bf16" or "fp32"; weights and their
            changes are always float32. "auto" is bf16 where the processor has it, which halves
            the time, and fp32 elsewhere.
        report_every: Steps between reports.
        seed: Of the order in which preserved samples take part.
    """

    solver: Literal["adam", "closed-form", "both"] = "adam"
    steps: int = 300
    lr: float = 0.02
    recall: Literal["value", "image", "both"] = "both"
    image_weight: float = 6.0
    structure_weight: float = 0.2
    preserve: int = 64
    preserve_weight: float = 1.0
    preserve_batch: int = 4
    where_similar: bool = True
    where_slack: float = 1.7
    weight_new: float = 10.0
    weight_old: float = 4.0
    border: float = 0.5
    precision: Literal["auto", "bf16", "fp32"] = "auto"
    report_every: int = 10
    seed: int = 0

    def __post_init__(self) -> None:
        lowest = {"steps": 1, "report_every": 1, "preserve": 0, "preserve_batch": 1}
        for name, low in lowest.items():
            if getattr(self, name) < low:
                raise RewriteError(name, got=getattr(self, name), expected=f"{low} or more")
        if not 0 <= self.border <= 1:
            raise RewriteError("border", got=self.border, expected="0 to 1")
        check_choice("solver", self.solver, ("adam", "closed-form", "both"))
        check_choice("recall", self.recall, ("value", "image", "both"))
        check_choice("precision", self.precision, ("auto", "bf16", "fp32"))
        if not 0 < self.lr < math.inf:
            raise RewriteError("lr", got=self.lr, expected="a number above 0")
        if not (0 < self.weight_new < math.inf and 0 <= self.weight_old < math.inf):
            raise RewriteError(
                "weights",
                got=f"new {self.weight_new:g}, old {self.weight_old:g}",
                expected="new above 0 and old 0 or more",
            )
        for name in ("image_weight", "structure_weight", "preserve_weight", "where_slack"):
            if not 0 <= getattr(self, name) < math.inf:
                raise RewriteError(name, got=getattr(self, name), expected="0 or more")
