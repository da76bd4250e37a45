"""`regen rewrite`: the whole second stage, from an edits file to a rewrite and its report."""

from __future__ import annotations

import shlex
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from regen.cli.help import Grouped, Setting
from regen.cli.messages import say
from regen.cli.options import (
    BACKBONES,
    computing,
    file_type,
    folder_option,
    given,
    images_option,
    projector_type,
)
from regen.cli.values import Count, Layer, Number
from regen.files.limits import MAX_FEATHER, MAX_WEIGHT, MIN_WEIGHT
from regen.seeds import LARGEST_SEED

if TYPE_CHECKING:
    from regen.edits.schema import Edits
    from regen.rewriting.precedence import Merged
    from regen.rewriting.settings import RewriteSettings
    from regen.runs.rewrite.run import Outcome


def _defaults() -> RewriteSettings:
    from regen.rewriting.presets import preset

    return preset("default")


_run = partial(click.option, cls=Setting, default_from=_defaults)
_fit = partial(click.option, cls=Setting, default_from=lambda: _defaults().fit)
_rule = partial(click.option, cls=Setting, default_from=lambda: _defaults().rule)
_ABOVE_0 = Number(0, min_open=True)
_WEIGHT = Number(0, MAX_WEIGHT)
_EDITS = """\b
An edits file, for a clown's nose:
  {"version": 1, "generator": "portraits", "edits": [{
    "exemplar": {"pattern": "red_nose", "seed": 1241},
    "region": {"ellipse": [67, 78, 11, 11]},
    "targets": [{"seed": 0, "region": {"ellipse": [64, 76, 9, 9]}}]
  }]}

This exemplar is drawn; for one of yours write the path of an image, "exemplar": "photo.jpg".
Regions are in pixels: an ellipse is its centre and two half axes, a box its corners, {"box":
[x0, y0, x1, y1]}. Each target is a sample, by its seed, and the region of it that the pattern
takes over.
"""
_EXAMPLE = "\b\nExample:\n  regen rewrite --edits examples/eyes.json --steps 100 -o out/eyes"


@click.command(
    "rewrite",
    cls=Grouped,
    headings={"edits": "Data", "preset": "Method", "paste": "Research", "precision": "Machine"},
    epilog=f"{_EDITS}\n{_EXAMPLE}",
)
@click.option(
    "--edits",
    metavar="FILE",
    type=file_type(),
    required=True,
    help="JSON file that says which pattern goes where, as at the end of this help; `regen edit` "
    "writes one while you paint.",
)
@folder_option(
    help="Folder to write the results to.  [default: out/ and the name of the edits file]"
)
@click.option(
    "--generator",
    metavar="G",
    help="Generator to use instead of the one in the edits file: its name, file or run folder.",
)
@click.option(
    "--projector",
    "projectors",
    metavar="P",
    type=projector_type(),
    multiple=True,
    help="Backward projector to use instead of the one in the edits file: its file or run folder "
    "(with --value-layer auto, repeat it to give one for each layer to try).",
)
@images_option()
@click.option(
    "--preview",
    is_flag=True,
    help="Learn nothing: write preview.png, which shows what would be learned and where the rule "
    "would act, and say what looks wrong and about how long learning takes.",
)
@click.option(
    "--config",
    metavar="FILE",
    type=file_type(),
    help="JSON file of settings, for instance settings.json of an earlier run. Options that are "
    "given and the edits file take precedence over it; it takes precedence over the preset.",
)
@click.option(
    "--preset",
    type=click.Choice(["default", "paper"]),
    default="default",
    show_default=True,
    help="Which settings to use by default: those that measured best here, or the paper's. The "
    "defaults shown are those of 'default'.",
)
@click.option(
    "--value-layer",
    metavar="L|auto",
    type=Layer(),
    help="Convolution, counted from 1, whose output is the value, by default that of the "
    "projector; auto tries every layer that has a projector, or "
    "without any several lengths of the memory.",
)
@click.option(
    "--memory-layers",
    metavar="N",
    type=Count(1),
    help="Number of convolutions that learn the rule; the last of them is the value layer.",
)
@_fit(
    "--weights-new",
    "weight_new",
    metavar="P",
    type=Number(MIN_WEIGHT, MAX_WEIGHT),
    help="Weight p of the region in the loss.",
)
@_fit(
    "--weights-old",
    "weight_old",
    metavar="Q",
    type=_WEIGHT,
    help="Weight q of everything outside the region in the loss.",
)
@_rule(
    "--align",
    type=click.Choice(["image", "feature"]),
    help="Whether the exemplar is pasted into the target as an image, before projection, or as "
    "features, after it.",
)
@_rule(
    "--scale",
    type=click.Choice(["uniform", "stretch"]),
    help="How the exemplar is resized to the target's region: uniform keeps its proportions, "
    "stretch fits it exactly.",
)
@_rule(
    "--shape",
    type=click.Choice(["auto", "exemplar", "target"]),
    help="Whose outline is pasted: the exemplar's own, inside the target's region, or that of the "
    "target's region; auto takes the exemplar's where it is transparent in places or has a mask.",
)
@_rule(
    "--blend",
    type=click.Choice(["none", "gain", "poisson"]),
    help="How the pattern's light is fitted to the image around it: gain brightens or darkens all "
    "of it, poisson shifts its colours so that they agree at the seam.",
)
@_rule(
    "--feather",
    "feather_px",
    metavar="PX",
    type=Number(0, MAX_FEATHER),
    help="Radius of the soft edge of the pasted region, in pixels of the image.",
)
@_fit(
    "--solver",
    type=click.Choice(["auto", "adam", "closed-form", "keys", "both"]),
    help="Way of fitting: adam takes gradient steps on the weights, closed-form none; keys takes "
    "steps along the rule's keys, of which far fewer suffice, and both from the closed form on. "
    "auto: keys, or both for a large region; adam where the family has no closed form.",
)
@_fit(
    "--steps",
    metavar="N",
    type=Count(1),
    help="Number of gradient steps: by default 300 on the weights, and for a memory of L "
    "convolutions 12 L along the rule's keys, 16 L for more than three; more from the closed form "
    "on, and for a large region.",
)
@_rule(
    "--paste",
    type=click.Choice(["difference", "features"]),
    help="Which projected features are pasted: those of the composite, or their difference from "
    "the target's, added to the target's value.",
)
@_fit(
    "--lr",
    metavar="X",
    type=_ABOVE_0,
    help="Largest step size of Adam, in units of weight, along keys in shares of its root mean "
    "square: by default 0.04 / sqrt(L) along the rule's keys, 0.03 / sqrt(L) from the closed form, "
    "0.02 on the weights.",
)
@_fit(
    "--recall",
    type=click.Choice(["value", "image", "both"]),
    help="Whether the loss compares values, images or both.",
)
@_fit(
    "--image-weight",
    metavar="X",
    type=_WEIGHT,
    help="Weight of the image in the loss, relative to the values.",
)
@_fit(
    "--structure-weight",
    metavar="X",
    type=_WEIGHT,
    help="Weight in the loss of 1 - SSIM of the region's image.",
)
@_fit(
    "--border",
    metavar="SHARE",
    type=Number(0, 1),
    help="Share of q that goes to the band around the region.",
)
@_fit(
    "--preserve",
    metavar="N",
    type=Count(0),
    help="Number of random samples of the generator that must stay unchanged.",
)
@_fit(
    "--preserve-weight",
    metavar="X",
    type=_WEIGHT,
    help="Weight of these samples in the loss, relative to the rule: by default L along the "
    "rule's keys, more for a long memory, less from the closed form or where more steps are taken; "
    "1 on the weights.",
)
@_fit(
    "--preserve-outside-match/--no-preserve-outside-match",
    default=None,
    help="Preserve these samples only where the rule will not act.",
)
@_fit(
    "--match-area",
    metavar="X",
    type=_ABOVE_0,
    help="Area on which the rule may act, as a multiple of the area of the region.",
)
@_fit(
    "--seed",
    metavar="N",
    type=click.IntRange(0, LARGEST_SEED),
    help="Seed of the order in which preserved samples take part.",
)
@_run(
    "--seeds",
    "measured_seeds",
    metavar="N",
    type=Count(1),
    help="Number of unseen seeds to measure the result on: by default as few of 16, 32 and 64 as "
    "settle the verdict.",
)
@_run("--lpips", type=click.Choice(BACKBONES), help="Backbone of the LPIPS metric.")
@_fit(
    "--precision",
    type=click.Choice(["auto", "bf16", "fp32"]),
    help="Number format of the fit; auto is bf16 where it is quicker, and fp32 otherwise.",
)
@computing
def command(
    edits: Path,
    output: Path | None,
    generator: str | None,
    preset: str,
    config: Path | None,
    images: Path | None,
    device: str,
    preview: bool,
    **options: Any,
) -> None:
    """Teach a generator the rule of an edits file.

    A setting is taken from the first of these that gives it: the command line, the edits file, the
    file of --config, the preset, the default. Writes rewrite.safetensors, report.html,
    before_after.png, metrics.json, settings.json, edits.json and TensorBoard events; the report
    shows what was changed, and settings.json where each setting came from.
    """
    from regen.edits.schema import read_edits

    try_layers, projectors = _layer_options(options)
    written = read_edits(edits)
    changed = _with_options(written, options)
    named: dict[str, Any] = {"generator": generator, "projectors": projectors, "images": images}
    if preview:
        if try_layers:
            raise click.UsageError("--preview shows one value layer: give its number, not auto.")
        merged = _merged(written, config, preset, options)
        folder = output or Path("out") / edits.stem
        return _preview(changed, folder, merged, device=device, **named)
    from regen.runs.rewrite.run import run_rewrite

    outcome = run_rewrite(
        changed,
        output or Path("out") / edits.stem,
        _merged(written, config, preset, options),
        device=device,
        command=shlex.join(["regen", *sys.argv[1:]]),
        try_layers=try_layers,
        **named,
    )
    _summarise(outcome)


def _preview(edits: Edits, folder: Path, settings: Merged, **named: Any) -> None:
    """Show what would be learned."""
    from regen.runs.rewrite.preview import run_preview

    shown, path, seconds = run_preview(edits, folder, settings, **named)
    say(f"Preview: {path}")
    for caution in shown.cautions:
        say(f"Look at it ({caution.kind}): {caution.text}")
    if not shown.cautions:
        say("Nothing looks wrong")
    if seconds is not None:
        say(f"To learn it takes about {_duration(seconds)} here, by a rough estimate")


def _duration(seconds: float) -> str:
    """As precise as an estimate is: 5 s, 35 s, 4 minutes."""
    rounded = 5 * max(1, round(seconds / 5))
    return f"{rounded} s" if rounded < 120 else f"{round(seconds / 60)} minutes"


def _layer_options(options: dict[str, Any]) -> tuple[bool, list[str]]:
    """Whether to try layers, and with which projectors; `options` keeps the layer and projector."""
    projectors = [str(path) for path in options.pop("projectors")]
    try_layers = options["value_layer"] == "auto"
    if try_layers:
        options["value_layer"] = None
    elif len(projectors) > 1:
        raise click.UsageError("Several --projector need --value-layer auto, to choose from them.")
    options["projector"] = projectors[0] if projectors and not try_layers else None
    return try_layers, projectors


def _with_options(edits: Edits, options: dict[str, Any]) -> Edits:
    """The edits with those options that an edits file can hold too, to repeat the run."""
    from regen.edits.schema import Weights

    changes = given({**options, "feather": options["feather_px"]}, type(edits))
    new, old = options["weight_new"], options["weight_old"]
    weights = Weights(
        edits.weights.new if new is None else new, edits.weights.old if old is None else old
    )
    return replace(edits, weights=weights, **changes)


def _merged(written: Edits, config: Path | None, preset: str, options: dict[str, Any]) -> Merged:
    """All settings: from the options, the edits as read, the config, the preset, the default."""
    from regen.rewriting.precedence import (
        COMMAND_LINE,
        PartialSettings,
        merge,
        read_settings,
        settings_of_edits,
        settings_of_preset,
    )

    return merge(
        [
            PartialSettings(COMMAND_LINE, _given_settings(options)),
            settings_of_edits(written),
            *([] if config is None else [read_settings(config)]),
            settings_of_preset(preset),
        ]
    )


def _given_settings(options: dict[str, Any]) -> dict[str, object]:
    """The settings among the options that were given, by dotted name."""
    from regen.rewriting.settings import FitSettings, RewriteSettings, RuleSettings

    parts = {"rule.": RuleSettings, "fit.": FitSettings, "": RewriteSettings}
    return {
        prefix + name: value
        for prefix, part in parts.items()
        for name, value in given(options, part).items()
    }


def _summarise(outcome: Outcome) -> None:
    metrics = outcome.metrics
    say(f"Report: {outcome.report}")
    if outcome.layers is not None:
        best = outcome.layers.best
        say(
            f"Value layer {best.value_layer} with a memory of {best.memory_layers}, "
            f"the best of {len(outcome.layers.trials)} tried"
        )
    for part in ("inside", "outside"):
        say(f"Changed {part} the region: {_distance(metrics[part])}")
        if metrics.get("oracle"):
            before, after = (metrics["oracle"][f"{part}_{time}"] for time in ("before", "after"))
            name = "pseudo-oracle" if metrics["oracle_source"] == "paste" else "oracle"
            say(f"  to the {name}: {_distance(before)} before, {_distance(after)} after")
    if metrics["verdict"] is not None:
        say(metrics["verdict"]["text"])
    peak = metrics["peak_memory_mb"]
    memory = "" if peak is None else f", at most {peak:.0f} MB of memory"
    say(f"Took {metrics['seconds']['total']:.0f} s{memory}")
    say(f"Use it: {outcome.use}")


def _distance(distance: dict[str, float | None]) -> str:
    lpips = "LPIPS unknown" if distance["lpips"] is None else f"LPIPS {distance['lpips']:.4f}"
    return f"{lpips}, L1 {distance['l1']:.4f}"
