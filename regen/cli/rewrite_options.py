"""The options of `regen rewrite` that are settings, and what was given by them."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from regen.cli.help import Setting
from regen.cli.options import BACKBONES, Command, given
from regen.cli.values import ABOVE_0, SHARE, Count, Layer, Number
from regen.files.limits import MAX_FEATHER, MAX_WEIGHT, MIN_WEIGHT
from regen.seeds import LARGEST_SEED

if TYPE_CHECKING:
    from regen.edits.schema import Edits
    from regen.rewriting.precedence import Merged
    from regen.rewriting.settings import RewriteSettings


def _defaults() -> RewriteSettings:
    from regen.rewriting.presets import preset

    return preset("default")


_run = partial(click.option, cls=Setting, default_from=_defaults)
_fit = partial(click.option, cls=Setting, default_from=lambda: _defaults().fit)
_rule = partial(click.option, cls=Setting, default_from=lambda: _defaults().rule)
_WEIGHT = Number(0, MAX_WEIGHT)

_OPTIONS = (
    click.option(
        "--value-layer",
        metavar="L|auto",
        type=Layer(),
        help="Convolution, counted from 1, whose output is the value, by default that of the "
        "projector; auto tries every layer that has a projector; where there is none, it tries "
        "several lengths of the memory.",
    ),
    click.option(
        "--memory-layers",
        metavar="N",
        type=Count(1),
        help="Number of convolutions that learn the rule; the last of them is the value layer.",
    ),
    _fit(
        "--weights-new",
        "weight_new",
        metavar="P",
        type=Number(MIN_WEIGHT, MAX_WEIGHT),
        help="Weight p of the region in the loss.",
    ),
    _fit(
        "--weights-old",
        "weight_old",
        metavar="Q",
        type=_WEIGHT,
        help="Weight q of everything outside the region in the loss.",
    ),
    _rule(
        "--align",
        type=click.Choice(["image", "feature"]),
        help="Whether the exemplar is pasted into the target as an image, before projection, or as "
        "features, after it.",
    ),
    _rule(
        "--scale",
        type=click.Choice(["uniform", "stretch"]),
        help="How the exemplar is resized to the target's region: uniform keeps its proportions, "
        "stretch fits it exactly.",
    ),
    _rule(
        "--shape",
        type=click.Choice(["auto", "exemplar", "target"]),
        help="Whose outline is pasted: the exemplar's own, inside the target's region, or that of "
        "the target's region; auto takes the exemplar's where it is transparent in places or has "
        "a mask.",
    ),
    _rule(
        "--blend",
        type=click.Choice(["none", "gain", "poisson"]),
        help="How the pattern's light is fitted to the image around it: gain brightens or darkens "
        "all of it, poisson shifts its colours so that they agree at the seam.",
    ),
    _rule(
        "--feather",
        "feather_px",
        metavar="PX",
        type=Number(0, MAX_FEATHER),
        help="Radius of the soft edge of the pasted region, in pixels of the image.",
    ),
    _fit(
        "--solver",
        type=click.Choice(["auto", "adam", "closed-form", "keys", "both"]),
        help="Way of fitting: adam takes gradient steps on the weights, closed-form none; keys "
        "takes steps along the rule's keys, of which far fewer suffice, and both from the closed "
        "form on. auto: keys, or both for a large region; adam where the family has no closed "
        "form.",
    ),
    _fit(
        "--steps",
        metavar="N",
        type=Count(1),
        help="Number of gradient steps: by default 300 on the weights, and for a memory of L "
        "convolutions 16 L along the rule's keys, 40 L / 3 from the closed form on, 26 L for more "
        "than three; up to three times as many for a large region.",
    ),
    _rule(
        "--paste",
        type=click.Choice(["difference", "features"]),
        help="Which projected features are pasted: those of the composite, or their difference "
        "from the target's, added to the target's value.",
    ),
    _fit(
        "--lr",
        metavar="X",
        type=ABOVE_0,
        help="Largest step size of Adam, in units of weight, along keys in shares of its root "
        "mean square: by default 0.04 / sqrt(L) along the rule's keys, 0.03 / sqrt(L) from the "
        "closed form, 0.02 on the weights.",
    ),
    _fit(
        "--recall",
        type=click.Choice(["value", "image", "both"]),
        help="Whether the loss compares values, images or both.",
    ),
    _fit(
        "--image-weight",
        metavar="X",
        type=_WEIGHT,
        help="Weight of the image in the loss, relative to the values.",
    ),
    _fit(
        "--structure-weight",
        metavar="X",
        type=_WEIGHT,
        help="Weight in the loss of 1 - SSIM of the region's image.",
    ),
    _fit(
        "--border",
        metavar="SHARE",
        type=SHARE,
        help="Share of q that goes to the band around the region.",
    ),
    _fit(
        "--preserve",
        metavar="N",
        type=Count(0),
        help="Number of random samples of the generator that must stay unchanged; 0 for none.",
    ),
    _fit(
        "--preserve-weight",
        metavar="X",
        type=_WEIGHT,
        help="Weight of these samples in the loss, relative to the rule: by default L along the "
        "rule's keys, more for a long memory, less from the closed form or where more steps are "
        "taken; 1 on the weights.",
    ),
    _fit(
        "--preserve-outside-match/--no-preserve-outside-match",
        default=None,
        help="Preserve these samples only where the rule will not act.",
    ),
    _fit(
        "--match-area",
        metavar="X",
        type=ABOVE_0,
        help="Area on which the rule may act, as a multiple of the area of the region.",
    ),
    _fit(
        "--seed",
        metavar="N",
        type=click.IntRange(0, LARGEST_SEED),
        help="Seed of the order in which preserved samples take part.",
    ),
    _run(
        "--seeds",
        "measured_seeds",
        metavar="N",
        type=Count(1),
        help="Number of unseen seeds to measure the result on: by default as few of 16, 32 and 64 "
        "as settle the verdict.",
    ),
    _run("--lpips", type=click.Choice(BACKBONES), help="Backbone of the LPIPS metric."),
    _fit(
        "--precision",
        type=click.Choice(["auto", "bf16", "fp32"]),
        help="Number format of the fit; auto is bf16 where it is quicker, and fp32 otherwise.",
    ),
)


def setting_options(command: Command) -> Command:
    """Every option of a rewrite that is a setting, in the order of the help."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def with_options(edits: Edits, options: dict[str, Any]) -> Edits:
    """The edits with those options that an edits file can hold too, to repeat the run."""
    from regen.edits.schema import Weights

    changes = given({**options, "feather": options["feather_px"]}, type(edits))
    new, old = options["weight_new"], options["weight_old"]
    weights = Weights(
        edits.weights.new if new is None else new, edits.weights.old if old is None else old
    )
    return replace(edits, weights=weights, **changes)


def merged_settings(
    written: Edits, config: Path | None, preset: str, options: dict[str, Any]
) -> Merged:
    """All settings: from the options, the edits as read, the config, the preset, the default."""
    from regen.rewriting.precedence import COMMAND_LINE, PartialSettings, merge_sources

    given = PartialSettings(COMMAND_LINE, _given_settings(options))
    return merge_sources(given, written, config, preset)


def _given_settings(options: dict[str, Any]) -> dict[str, object]:
    """The settings among the options that were given, by dotted name."""
    from regen.rewriting.settings import FitSettings, RewriteSettings, RuleSettings

    parts = {"rule.": RuleSettings, "fit.": FitSettings, "": RewriteSettings}
    return {
        prefix + name: value
        for prefix, part in parts.items()
        for name, value in given(options, part).items()
    }
