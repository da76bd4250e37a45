"""`regen rewrite`: the whole second stage, from an edits file to a rewrite and its report."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from regen.cli.help import Grouped
from regen.cli.messages import say
from regen.cli.options import computing, file_type, folder_option, images_option, projector_type
from regen.cli.rewrite_options import merged_settings, setting_options, with_options

if TYPE_CHECKING:
    from regen.edits.schema import Edits
    from regen.rewriting.precedence import Merged
    from regen.runs.rewrite.run import Outcome


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
@setting_options
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
    changed, folder = with_options(written, options), output or Path("out", edits.stem)
    settings = merged_settings(written, config, preset, options)
    named: dict[str, Any] = {"generator": generator, "projectors": projectors, "images": images}
    if preview:
        if try_layers:
            raise click.UsageError("--preview shows one value layer: give its number, not auto.")
        return _preview(changed, folder, settings, device=device, **named)
    from regen.runs.rewrite.run import run_rewrite

    outcome = run_rewrite(
        changed,
        folder,
        settings,
        device=device,
        command=shlex.join(["regen", *sys.argv[1:]]),
        try_layers=try_layers,
        log=say,
        **named,
    )
    _summarise(outcome)


def _preview(edits: Edits, folder: Path, settings: Merged, **named: Any) -> None:
    """Show what would be learned."""
    from regen.runs.rewrite.preview import run_preview
    from regen.runs.timing import roughly

    shown, path, seconds = run_preview(edits, folder, settings, **named)
    say(f"Preview: {path}")
    for caution in shown.cautions:
        say(f"Look at it ({caution.kind}): {caution.text}")
    if not shown.cautions:
        say("Nothing looks wrong")
    if seconds is not None:
        say(f"To learn it takes about {roughly(seconds)} here, by a rough estimate")


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
