"""`regen rewrite`: the whole second stage, from an edits file to a rewrite with its report."""

from __future__ import annotations

import shlex
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from regen.cli.common import (
    BACKBONES,
    LARGEST_SEED,
    Setting,
    computing,
    file_type,
    folder_option,
    given,
)

if TYPE_CHECKING:
    from regen.edits.schema import Edits
    from regen.rewriting.settings import RewriteSettings
    from regen.runs.rewrite.run import Outcome


def _defaults() -> RewriteSettings:
    from regen.rewriting.settings import preset

    return preset("default")


_run = partial(click.option, cls=Setting, default_from=_defaults)
_fit = partial(click.option, cls=Setting, default_from=lambda: _defaults().fit)
_rule = partial(click.option, cls=Setting, default_from=lambda: _defaults().rule)
_WEIGHT = click.FloatRange(0)
_ABOVE_0 = click.FloatRange(0, min_open=True)


class _Layer(click.IntRange):
    """A convolution from 1, or "auto"."""

    def __init__(self) -> None:
        super().__init__(1)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number, or "auto"."""
        if value == "auto":
            return value
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter as error:
            self.fail(f"{error.message.rstrip('.')}, or auto.", param, ctx)


@click.command("rewrite")
@click.option(
    "--edits", metavar="FILE", type=file_type(), required=True, help="What to change, as JSON."
)
@folder_option(help="Folder for the results.  [default: out/ and the name of the edits file]")
@click.option(
    "--preset",
    type=click.Choice(["default", "paper"]),
    default="default",
    show_default=True,
    help="Where settings that are not given come from; the defaults shown are those of 'default'.",
)
@click.option("--generator", metavar="G", help="Name or file, in place of the edits file's.")
@click.option(
    "--projector",
    "projectors",
    metavar="P",
    type=file_type(),
    multiple=True,
    help="File, in place of the edits file's; with --value-layer auto one for each layer to try.",
)
@click.option(
    "--value-layer",
    metavar="L|auto",
    type=_Layer(),
    help="Convolution whose output is the value, by default the projector's; auto tries those "
    "that have a projector.",
)
@click.option("--memory-layers", type=click.IntRange(1), help="Convolutions that learn the rule.")
@_fit("--weights-new", "weight_new", type=_ABOVE_0, help="Weight p inside the region.")
@_fit("--weights-old", "weight_old", type=_WEIGHT, help="Weight q outside of it.")
@_rule("--align", type=click.Choice(["image", "feature"]), help="What is laid on the target.")
@_rule("--scale", type=click.Choice(["uniform", "stretch"]), help="How it comes to its size.")
@_rule("--feather", "feather_px", metavar="PX", type=_WEIGHT, help="Softness of pasted edges.")
@_rule("--paste", type=click.Choice(["difference", "features"]), help="What of B is pasted.")
@_fit(
    "--solver",
    type=click.Choice(["adam", "closed-form", "both"]),
    help="Gradient steps, a closed form, or steps that start from it: a third as many do.",
)
@_fit("--steps", type=click.IntRange(1), help="Gradient steps.")
@_fit("--lr", type=_ABOVE_0, help="Adam's first step size.")
@_fit("--recall", type=click.Choice(["value", "image", "both"]), help="Where recall is measured.")
@_fit("--image-weight", type=_WEIGHT, help="Weight of the image beside the values.")
@_fit("--structure-weight", type=_WEIGHT, help="Weight of the region's 1 - SSIM in the image.")
@_fit("--border", type=click.FloatRange(0, 1), help="Part of q for the band around the region.")
@_fit("--preserve", metavar="N", type=click.IntRange(0), help="Samples that must stay.")
@_fit("--preserve-weight", type=_WEIGHT, help="Their weight.")
@_fit(
    "--preserve-outside-match/--no-preserve-outside-match",
    default=None,
    help="Preserve them only where the rule will not act.",
)
@_fit("--match-area", type=_ABOVE_0, help="Area it may act on, over that of the region.")
@_fit("--precision", type=click.Choice(["auto", "bf16", "fp32"]), help="What the fit computes in.")
@_fit("--seed", type=click.IntRange(0, LARGEST_SEED), help="Of the order of preserved samples.")
@_run(
    "--seeds",
    "measured_seeds",
    metavar="N",
    type=click.IntRange(1),
    help="Unseen seeds to measure on.",
)
@_run("--lpips", type=click.Choice(BACKBONES), help="Backbone of LPIPS.")
@computing
def command(edits: Path, output: Path | None, preset: str, device: str, **options: Any) -> None:
    """Teach a generator the rule of an edits file.

    Options that are given take the place of what preset and edits file say. Writes
    rewrite.safetensors, report.html, before_after.png, metrics.json, settings.json and TensorBoard
    events; the report shows what was changed.
    """
    from regen.edits.schema import read_edits
    from regen.runs.rewrite.run import run_rewrite

    try_layers, projectors = _layer_options(options)
    changed = _with_options(read_edits(edits), options)
    outcome = run_rewrite(
        changed,
        output or Path("out") / edits.stem,
        _settings(preset, options),
        device=device,
        command=shlex.join(["regen", *sys.argv[1:]]),
        try_layers=try_layers,
        projectors=projectors,
    )
    _summarise(outcome, changed.generator)


def _layer_options(options: dict[str, Any]) -> tuple[bool, list[str]]:
    """Whether to try layers and with which projectors; `options` gets what is left to say."""
    projectors = [str(path) for path in options.pop("projectors")]
    try_layers = options["value_layer"] == "auto"
    if try_layers:
        options["value_layer"] = None
    elif len(projectors) > 1:
        raise click.UsageError("Several --projector want --value-layer auto, to choose from them.")
    options["projector"] = projectors[0] if projectors and not try_layers else None
    return try_layers, projectors if try_layers else []


def _with_options(edits: Edits, options: dict[str, Any]) -> Edits:
    """The edits with those options that an edits file can say as well."""
    from regen.edits.schema import Weights

    changes = given({**options, "feather": options["feather_px"]}, type(edits))
    new, old = options["weight_new"], options["weight_old"]
    weights = Weights(
        edits.weights.new if new is None else new, edits.weights.old if old is None else old
    )
    return replace(edits, weights=weights, **changes)


def _settings(name: str, options: dict[str, Any]) -> RewriteSettings:
    """A preset with the other options."""
    from regen.rewriting.settings import FitSettings, RewriteSettings, RuleSettings, preset

    settings = preset("paper" if name == "paper" else "default")
    return replace(
        settings,
        rule=replace(settings.rule, **given(options, RuleSettings)),
        fit=replace(settings.fit, **given(options, FitSettings)),
        **given(options, RewriteSettings),
    )


def _summarise(outcome: Outcome, generator: str) -> None:
    metrics = outcome.metrics
    click.echo(f"Report: {outcome.report}")
    if outcome.layers is not None:
        best = outcome.layers.best
        click.echo(
            f"Value layer {best.value_layer} with a memory of {best.memory_layers}, "
            f"the best of {len(outcome.layers.trials)} tried"
        )
    for place in ("inside", "outside"):
        click.echo(f"Changed {place} the region: {_distance(metrics[place])}")
        if metrics.get("oracle"):
            before, after = (metrics["oracle"][f"{place}_{time}"] for time in ("before", "after"))
            click.echo(f"  to the oracle: {_distance(before)} before, {_distance(after)} after")
    peak = metrics["peak_memory_mb"]
    memory = "" if peak is None else f", at most {peak:.0f} MB of memory"
    click.echo(f"Took {metrics['seconds']['total']:.0f} s{memory}")
    words = ["regen", "generate"] + ([] if generator == "portraits" else ["--generator", generator])
    folder = outcome.report.parent
    words += ["--rewrite", str(folder / "rewrite.safetensors"), "--seeds", "0-63"]
    click.echo(f"Use it: {shlex.join([*words, '-o', str(folder / 'sheet')])}")


def _distance(distance: dict[str, float | None]) -> str:
    lpips = "LPIPS unknown" if distance["lpips"] is None else f"LPIPS {distance['lpips']:.4f}"
    return f"{lpips}, L1 {distance['l1']:.4f}"
