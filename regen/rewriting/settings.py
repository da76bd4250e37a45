"""Every setting of a rewrite, checked when it is made; nothing here imports torch.

Settings have dotted names, ``fit.steps`` for instance. `regen.rewriting.precedence` decides between
several sources of the same setting.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal

from regen.edits.checked_json import did_you_mean
from regen.errors import RewriteError
from regen.files.limits import MAX_FEATHER, MAX_WEIGHT, MIN_WEIGHT
from regen.rewriting.checks import check_range, check_types
from regen.rewriting.usual_steps import usual_solver, usual_steps

Recall = Literal["value", "image", "both"]


@dataclass(frozen=True)
class RuleSettings:
    """How targets and exemplar become a rule.

    Attributes:
        align: "image" pastes the exemplar into the target before projecting; "feature" projects
            first and resamples features.
        scale: "uniform" covers the target's region without distortion, "stretch" fits it exactly.
        paste: "difference" adds B(composite) - B(target) to the target's value, which cancels the
            projector's error on the target; "features" replaces the value by
            B(composite), the paper's wording, and is what ``align="feature"`` always does.
        feather_px: Radius of the soft edge of the pasted region, in pixels of the image.
        shape: Whose outline is pasted: "exemplar", the pattern's own inside the target's region;
            "target", that region; "auto", the exemplar's where its opacity or a mask gives one.
        blend: How the pattern's light is fitted to the image around it, see
            `regen.images.blending`; where features are aligned, it is not.
    """

    align: Literal["image", "feature"] = "image"
    scale: Literal["uniform", "stretch"] = "uniform"
    paste: Literal["difference", "features"] = "features"
    feather_px: float = 1.0
    shape: Literal["auto", "exemplar", "target"] = "auto"
    blend: Literal["none", "gain", "poisson"] = "none"

    def __post_init__(self) -> None:
        check_types(self)
        if not 0 <= self.feather_px <= MAX_FEATHER:
            expected = f"0 to {MAX_FEATHER:g} pixels"
            raise RewriteError("feather", got=self.feather_px, expected=expected)


@dataclass(frozen=True)
class FitSettings:
    """How the memory is fitted.

    Attributes:
        solver: "adam" takes gradient steps on the weights. "closed-form" solves for one
            convolution after the other (see `regen.rewriting.closed_form`) and takes none. "keys"
            takes steps along the rule's own keys, and "both" from the closed form on, along all
            keys (see `regen.rewriting.coordinates`): far fewer suffice. "auto" is "adam" where the
            family has no closed form, elsewhere "keys", or "both" for a region of more than 4 % of
            the image: its colours are farther away, and its keys are hardly its own.
        steps: Gradient steps, at least 1; 300 on the weights. For a memory of L convolutions by
            default 16 L E along the rule's keys and 40 L E / 3 from the closed form, 26 L E for
            more than three. E is 1 for a region of up to 4 % of the image, and grows
            with it to 3: a large pattern has more to learn.
        lr: Adam's largest step size, above 0, in units of weight, and along keys in shares of a
            weight's root mean square; steps fall to a tenth on a cosine, and along keys they rise
            until nearly half way before. By default 0.04 / sqrt(L) along the rule's keys,
            0.03 / sqrt(L) from the closed form, 0.02 on the weights.
        recall: Where the rule is compared: "value" (the paper), "image" or "both".
        image_weight: Weight of the image's recall beside the values'.
        structure_weight: Weight of the region's 1 - SSIM where recall is measured on the image.
        preserve: Random samples of the generator that must stay unchanged; 0 for none (the paper).
        preserve_weight: Their weight beside the rule's; by default L / E along the rule's keys and
            2 L / (3 E) from the closed form, 6 / E and 8 / E for more than three convolutions, and
            1 on the weights. The more convolutions change, the more changes elsewhere; the more
            steps are taken, the better it is kept.
        preserve_batch: Number of them that take part in one step; by default 4, or 8 / E, but
            at least 4, along keys for more than three convolutions.
        preserve_outside_match: Preserve only where the rule will not act, see
            `regen.rewriting.key_similarity`.
        match_area: Area that the rule may act on, as a multiple of the targets' region.
        weight_new: p, the share of the region in the loss; not 0, nor what float32 takes for 0.
        weight_old: q, the share of everything else in the targets.
        border: Share of q that goes to the band around the region; see `region_weights`.
        crops: Compute only windows of the images, where the family can: the targets' region with a
            border, and windows of the preserved samples. Several times faster on a processor; where
            steps are recorded, on a GPU, images are whole nevertheless.
        precision: Number format of the network while fitting, "bf16" or "fp32"; weights and their
            changes are always float32. "auto" is bf16 where it is quicker, see `regen.precision`.
        report_every: Steps between reports.
        seed: Of the order in which preserved samples take part.
    """

    solver: Literal["auto", "adam", "closed-form", "keys", "both"] = "auto"
    steps: int | None = None
    lr: float | None = None
    recall: Recall = "both"
    image_weight: float = 6.0
    structure_weight: float = 0.2
    preserve: int = 16
    preserve_weight: float | None = None
    preserve_batch: int | None = None
    preserve_outside_match: bool = True
    match_area: float = 1.7
    weight_new: float = 10.0
    weight_old: float = 4.0
    border: float = 0.5
    crops: bool = True
    precision: Literal["auto", "bf16", "fp32"] = "auto"
    report_every: int = 10
    seed: int = 0

    def __post_init__(self) -> None:
        check_types(self)
        counts = [name for name in ("steps", "preserve_batch") if getattr(self, name) is not None]
        check_range(self, (*counts, "report_every"), least=1)
        weight = () if self.preserve_weight is None else ("preserve_weight",)
        check_range(self, ("preserve", "match_area", "seed"))
        check_range(self, (*weight, "image_weight", "structure_weight"), most=MAX_WEIGHT)
        if not 0 <= self.border <= 1:
            raise RewriteError("border", got=self.border, expected="0 to 1")
        if self.lr is not None and not 0 < self.lr < math.inf:
            raise RewriteError("lr", got=self.lr, expected="a number above 0")
        new, old = self.weight_new, self.weight_old
        if not (MIN_WEIGHT <= new <= MAX_WEIGHT and 0 <= old <= MAX_WEIGHT):
            raise RewriteError(
                "weights",
                got=f"new {new:g}, old {old:g}",
                expected=f"new from {MIN_WEIGHT:g} and old from 0, both to {MAX_WEIGHT:g}",
            )

    def resolved(self, *, keyed: bool, layers: int, area: float = 0.0) -> FitSettings:
        """These settings with the solver, the steps and the step size that are used.

        Args:
            keyed: Whether the family has a closed form.
            layers: Number of convolutions of the memory.
            area: Of the targets' regions, as a share of the image.

        Example:
            >>> FitSettings().resolved(keyed=False, layers=3).steps
            300
            >>> [FitSettings().resolved(keyed=True, layers=3, area=a).steps for a in (0.02, 0.1)]
            [48, 100]
            >>> longer = FitSettings().resolved(keyed=True, layers=4)
            >>> longer.steps, longer.lr, longer.preserve_weight
            (64, 0.02, 6.0)
            >>> FitSettings().resolved(keyed=True, layers=4).preserve_batch
            8
        """
        solver = self.solver
        if solver == "auto":
            solver = usual_solver(keyed=keyed, area=area)
        usual = asdict(usual_steps(solver, layers, area))
        unset = {name: value for name, value in usual.items() if getattr(self, name) is None}
        return replace(self, solver=solver, **unset)

    @property
    def schedule(self) -> tuple[int, float]:
        """Steps and step size of settings that are resolved."""
        assert self.steps is not None and self.lr is not None, "not resolved"
        return self.steps, self.lr


@dataclass(frozen=True)
class RewriteSettings:
    """Everything that determines a rewrite beside the edits file.

    Attributes:
        rule: How exemplar and targets become a rule.
        fit: How the memory is fitted.
        memory_layers: Number of convolutions of the memory, at least 1.
        value_layer: Convolution whose output is the value, from 1; None for the projector's.
        measured_seeds: Unseen seeds that the result is measured on, at least 1; None for as few as
            settle the verdict, of 16, 32 and 64.
        lpips: Backbone of LPIPS.

    Raises:
        RewriteError: If a setting is of another type, or out of its range.
    """

    rule: RuleSettings = field(default_factory=RuleSettings)
    fit: FitSettings = field(default_factory=FitSettings)
    memory_layers: int = 3
    value_layer: int | None = None
    measured_seeds: int | None = None
    lpips: Literal["squeeze", "alex", "vgg"] = "squeeze"

    def __post_init__(self) -> None:
        check_types(self)
        optional = ("value_layer", "measured_seeds")
        given = [name for name in optional if getattr(self, name) is not None]
        check_range(self, ("memory_layers", *given), least=1)

    def changed(self, values: Mapping[str, object]) -> RewriteSettings:
        """These settings with others by dotted name.

        Raises:
            RewriteError: If a setting is unknown ("did you mean"), or its value is not valid.

        Example:
            >>> RewriteSettings().changed({"fit.steps": 20}).fit.steps
            20
        """
        parts: dict[str, dict[str, Any]] = {"": {}, "rule": {}, "fit": {}}
        for name, value in values.items():
            if name not in NAMES:
                remedy = did_you_mean(name, NAMES) or f"known are {', '.join(NAMES)}"
                raise RewriteError(f"unknown setting {name!r}", remedy=remedy)
            part, _, last = name.rpartition(".")
            parts[part][last] = value
        rule, fit = replace(self.rule, **parts["rule"]), replace(self.fit, **parts["fit"])
        return replace(self, rule=rule, fit=fit, **parts[""])


NAMES = (
    *(f"rule.{one.name}" for one in fields(RuleSettings)),
    *(f"fit.{one.name}" for one in fields(FitSettings)),
    *(one.name for one in fields(RewriteSettings) if one.name not in ("rule", "fit")),
)
