"""Rows of Table 2: ways of making a rewrite, each from the same exemplars, targets and projector.

The paper's rows measure recall on values and preserve nothing else; p : q and the step size are
chosen for each number of convolutions on tuning seeds (`rewrite_tuning`). The rows of regen's own
method take the weights and step size of `regen rewrite` and add one thing after the other: recall
on the image, on both, preserved samples, and preserving only where the rule will not act.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from experiments.baselines.rdgm import RdgmConfig
from regen.edits.schema import Edits
from regen.rewriting.precedence import settings_of_edits
from regen.rewriting.presets import preset
from regen.rewriting.settings import FitSettings, RewriteSettings

ALL_CONVOLUTIONS = 0


@dataclass(frozen=True)
class Table2Settings:
    """What all rows of Table 2 have in common.

    Attributes:
        steps: Adam steps of every fit but `default`, which takes its own in a full run.
        closed_form_steps: Adam steps after the closed form.
        precision: Of all these fits.
        preserve: Samples of the rows that preserve some, `default` among them.
        full: Whether `default` is what `regen rewrite` does with the edits as they were given:
            value layer, projector, memory and settings are its own. Otherwise it is cut as the
            other rows are, and takes `steps`.
        tune: Whether the weights of the paper's rows are chosen on tuning seeds; otherwise they
            are those of `regen rewrite`.
        rdgm: Of the RDGM rows, save their rank.
        seeds: Unseen seeds that are measured.
        first_seed: The first of them.
        tuning_seeds: Seeds that the weights are chosen on.
        first_tuning_seed: The first of them.
        grid: Weights p of the region to choose from; q is `weight_old`. Only p : q matters.
        step_sizes: Adam's first step sizes to choose from.
        weight_old: q.
        shown: Images of each scene in the sheet.
        lpips: Backbone of LPIPS.
    """

    steps: int = 150
    closed_form_steps: int = 30
    precision: Literal["auto", "bf16", "fp32"] = "auto"
    preserve: int = FitSettings.preserve
    full: bool = True
    tune: bool = True
    rdgm: RdgmConfig = RdgmConfig()
    seeds: int = 256
    first_seed: int = 60_000
    tuning_seeds: int = 64
    first_tuning_seed: int = 12_000
    grid: tuple[float, ...] = (1.0, 4.0, 40.0)
    step_sizes: tuple[float, ...] = (0.02, 0.005, 0.001)
    weight_old: float = 4.0
    shown: int = 3
    lpips: str = "squeeze"

    def quick(self) -> Table2Settings:
        """A run that checks the machinery; its numbers are not meaningful."""
        rdgm = replace(self.rdgm, iterations=21, samples=32)
        return replace(
            self,
            steps=3,
            closed_form_steps=1,
            preserve=4,
            full=False,
            rdgm=rdgm,
            grid=(10.0, 40.0),
            step_sizes=(0.02,),
            seeds=16,
            tuning_seeds=4,
            shown=2,
        )


@dataclass(frozen=True)
class Tuned:
    """What is chosen on tuning seeds; by default that of `regen rewrite`.

    Attributes:
        weight_new: p, the weight of the region.
        lr: Adam's largest step size.
    """

    weight_new: float = FitSettings.weight_new
    lr: float = 0.02


@dataclass(frozen=True)
class Method:
    """A row.

    Attributes:
        row: Its name.
        kind: "fit" the memory, "rdgm", "patch_transfer", or "rewrite": what `regen rewrite` does
            with the edits as they were given, whose task decides value layer, projector, memory
            and settings.
        settings: Of rule and fit; of "rewrite" those that its task starts from.
        memory_layers: Convolutions that are fitted; `ALL_CONVOLUTIONS` for all up to the value.
        weighted: Whether the region counts p : q; otherwise every position counts alike.
        rank: Of RDGM's change.
        direct: Whether RDGM's change is optimised directly; see `RdgmConfig`.
        edits_decide: Whether weights, alignment and memory are the edits file's where it names
            them, as for `regen rewrite`.
    """

    row: str
    kind: Literal["fit", "rdgm", "patch_transfer", "rewrite"]
    settings: RewriteSettings
    memory_layers: int = 2
    weighted: bool = True
    rank: int = 0
    direct: bool = False
    edits_decide: bool = False


def methods(settings: Table2Settings, tuned: Mapping[int, Tuned]) -> list[Method]:
    """The rows, in order.

    Args:
        settings: Of the table.
        tuned: By number of convolutions, for the paper's rows; `Tuned()` for a missing one.
    """
    base = _paper()

    def fit(layers: int = 0) -> FitSettings:
        chosen = tuned.get(layers, Tuned())
        return replace(
            base.fit,
            steps=settings.steps,
            precision=settings.precision,
            weight_new=chosen.weight_new,
            weight_old=settings.weight_old,
            lr=chosen.lr,
        )

    def fitted(row: str, change: FitSettings, layers: int = 2, *, weighted: bool = True) -> Method:
        return Method(row, "fit", replace(base, fit=change), layers, weighted)

    both = replace(fit(), recall="both")
    kept = replace(both, preserve=settings.preserve)
    return [
        fitted("memory1_unweighted", fit(1), 1, weighted=False),
        fitted("memory1_weighted", fit(1), 1),
        fitted("memory2_unweighted", fit(2), weighted=False),
        fitted("memory2_weighted", fit(2)),
        fitted("memory3_weighted", fit(3), 3),
        Method("rdgm_rank1", "rdgm", base, 1, rank=1),
        Method("rdgm_rank10", "rdgm", base, 1, rank=10),
        Method("rdgm_rank1_direct", "rdgm", base, 1, rank=1, direct=True),
        Method("rdgm_rank10_direct", "rdgm", base, 1, rank=10, direct=True),
        fitted("finetune_all", fit(2), ALL_CONVOLUTIONS),
        Method("patch_transfer", "patch_transfer", base),
        fitted("memory2_image_recall", replace(fit(), recall="image")),
        fitted("memory2_both_recall", both),
        fitted("memory2_preserve", kept),
        fitted("memory2_preserve_where_similar", replace(kept, preserve_outside_match=True)),
        *_closed_form(settings, fit(2), base),
        Method(
            "default",
            "rewrite" if settings.full else "fit",
            _default(settings),
            preset("default").memory_layers,
            edits_decide=True,
        ),
    ]


def _paper() -> RewriteSettings:
    """The paper's method, with exemplars laid on as images: rows differ in what they fit, not in
    what they are asked for. Rows that recall the image weigh it as `regen rewrite` does.
    """
    paper, usual = preset("paper"), FitSettings()
    fit = replace(
        paper.fit,
        image_weight=usual.image_weight,
        structure_weight=usual.structure_weight,
    )
    return replace(paper, rule=replace(paper.rule, align="image"), fit=fit)


def _default(settings: Table2Settings) -> RewriteSettings:
    """What `regen rewrite` does, or a short imitation of it in a run that is not full."""
    default = preset("default")
    if settings.full:
        return default
    short = replace(default.fit, steps=settings.steps, preserve=settings.preserve)
    return replace(default, fit=short)


def _closed_form(settings: Table2Settings, fit: FitSettings, base: RewriteSettings) -> list[Method]:
    """`memory2_weighted` from the closed form: with a fifth of the steps, and with none."""
    started = replace(fit, solver="both", steps=settings.closed_form_steps)
    alone = replace(fit, solver="closed-form")
    return [
        Method("memory2_closed_form", "fit", replace(base, fit=started)),
        Method("memory2_closed_form_alone", "fit", replace(base, fit=alone)),
    ]


def even_weights(settings: RewriteSettings, share: float) -> RewriteSettings:
    """The same with every position alike: p and q as the region's share of the area and the rest.

    Args:
        settings: Of a weighted row.
        share: Part of the images that the region covers, in (0, 1).
    """
    fit = replace(settings.fit, weight_new=share, weight_old=1 - share, border=0.0)
    return replace(settings, fit=fit)


def with_edits(method: Method, edits: Edits) -> Method:
    """The row with what an edits file decides: the scale, and the rest only if it may."""
    settings = method.settings.changed(settings_of_edits(edits).values)
    if method.edits_decide:
        layers = edits.memory_layers or method.memory_layers
        return replace(method, settings=settings, memory_layers=layers)
    rule = replace(method.settings.rule, scale=settings.rule.scale)
    return replace(method, settings=replace(method.settings, rule=rule))
