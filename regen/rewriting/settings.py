"""Every setting of a rewrite, checked when it is made; nothing here imports torch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from regen.errors import RewriteError

if TYPE_CHECKING:
    from regen.edits.schema import Edits

Preset = Literal["default", "paper"]


@dataclass(frozen=True)
class RuleSettings:
    """How targets and exemplar become a rule.

    Attributes:
        align: "image" carries the exemplar onto the target before projecting; "feature" projects
            first and resamples features.
        scale: "uniform" covers the target's region without distortion, "stretch" fits it exactly.
        paste: "difference" adds B(composite) - B(target) to the target's value, which cancels what
            the projector gets wrong about the target; "features" replaces the value by
            B(composite), the paper's wording, and is what ``align="feature"`` always does.
        feather_px: Radius of the soft edge of the pasted region, in pixels of the image.
    """

    align: Literal["image", "feature"] = "image"
    scale: Literal["uniform", "stretch"] = "uniform"
    paste: Literal["difference", "features"] = "features"
    feather_px: float = 1.0

    def __post_init__(self) -> None:
        check_choice("align", self.align, ("image", "feature"))
        check_choice("scale", self.scale, ("uniform", "stretch"))
        check_choice("paste", self.paste, ("difference", "features"))
        if not 0 <= self.feather_px < math.inf:
            raise RewriteError("feather", got=self.feather_px, expected="0 pixels or more")


@dataclass(frozen=True)
class FitSettings:
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
        image_weight: Weight of the image's recall beside the values'.
        structure_weight: Weight of the region's 1 - SSIM where recall is measured on the image.
        preserve: Samples of the generator at large that must stay; 0 for none (the paper).
        preserve_weight: Their weight beside the rule's.
        preserve_batch: How many of them take part in one step.
        preserve_outside_match: Preserve only where the rule will not act, see
            `regen.rewriting.key_similarity`.
        match_area: Area that the rule may act on, as a multiple of the targets' region.
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
    preserve_outside_match: bool = True
    match_area: float = 1.7
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
        for name in ("image_weight", "structure_weight", "preserve_weight", "match_area"):
            if not 0 <= getattr(self, name) < math.inf:
                raise RewriteError(name, got=getattr(self, name), expected="0 or more")


@dataclass(frozen=True)
class ClosedFormSettings:
    """How the closed form is regularised; defaults are the measured best on the portraits.

    Attributes:
        rounds: How often the memory is walked through, at least 1.
        mu: Weight of C beside the rule's own keys, whose weights sum to 1; at least 0.
        ridge: Added to the diagonal, relative to its mean, above 0. A large one trusts the
            linear model less: it shortens the step along rare directions of the keys.
    """

    rounds: int = 2
    mu: float = 0.1
    ridge: float = 1.0

    def __post_init__(self) -> None:
        if self.rounds < 1:
            raise RewriteError("closed form: rounds", got=self.rounds, expected="1 or more")
        if not (self.mu >= 0 and self.ridge > 0):
            raise RewriteError(
                "closed form",
                got=f"mu {self.mu:g}, ridge {self.ridge:g}",
                expected="mu 0 or more, ridge above 0",
            )


@dataclass(frozen=True)
class RewriteSettings:
    """Everything that decides a rewrite beside the edits file.

    Attributes:
        rule: How exemplar and targets become a rule.
        fit: How the memory is fitted.
        memory_layers: How many convolutions the memory has, where the edits file does not say.
        measured_seeds: Unseen seeds that the result is measured on, at least 1.
        lpips: Backbone of LPIPS: squeeze, alex or vgg.
    """

    rule: RuleSettings = field(default_factory=RuleSettings)
    fit: FitSettings = field(default_factory=FitSettings)
    memory_layers: int = 3
    value_layer: int | None = None
    measured_seeds: int = 64
    lpips: str = "squeeze"

    def __post_init__(self) -> None:
        for name in ("measured_seeds", "memory_layers"):
            if getattr(self, name) < 1:
                raise RewriteError(name, got=getattr(self, name), expected="1 or more")

    def with_edits(self, edits: Edits) -> RewriteSettings:
        """These settings with what an edits file says about weights, alignment and feather."""
        rule = replace(self.rule, align=edits.align, scale=edits.scale)
        if edits.feather is not None:
            rule = replace(rule, feather_px=edits.feather)
        fit = replace(self.fit, weight_new=edits.weights.new, weight_old=edits.weights.old)
        return replace(self, rule=rule, fit=fit)


def preset(name: Preset) -> RewriteSettings:
    """Settings by name.

    "paper" is Re-Generator as published: B's features replace the value, recall is measured on
    values only, and nothing but the targets' own surroundings is preserved. "default" is what
    measured best on the portraits.
    """
    if name == "default":
        return RewriteSettings()
    return RewriteSettings(
        rule=RuleSettings(feather_px=0.0),
        fit=FitSettings(
            recall="value", preserve=0, preserve_outside_match=False, border=0.0, precision="fp32"
        ),
        memory_layers=2,
    )


def check_choice(name: str, value: str, choices: Sequence[str]) -> None:
    """Raise RewriteError if the setting `name` is none of its choices."""
    if value not in choices:
        raise RewriteError(name, got=repr(value), expected=" or ".join(choices))
