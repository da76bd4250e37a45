"""Settings that belong together: by the name of a preset, and those that an edits file gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from regen.rewriting.checks import check_choice
from regen.rewriting.settings import RewriteSettings

if TYPE_CHECKING:
    from regen.edits.schema import Edits

PRESETS: dict[str, dict[str, object]] = {
    "default": {},
    "paper": {
        "rule.align": "feature",
        "rule.paste": "features",
        "rule.feather_px": 0.0,
        "fit.solver": "adam",
        "fit.recall": "value",
        "fit.image_weight": 0.0,
        "fit.structure_weight": 0.0,
        "fit.preserve": 0,
        "fit.preserve_outside_match": False,
        "fit.border": 0.0,
        "fit.crops": False,
        "fit.precision": "fp32",
        "memory_layers": 2,
        "value_layer": 10,
    },
}


def values_of(edits: Edits) -> dict[str, object]:
    """The settings that an edits file gives, by dotted name."""
    given = {
        "rule.align": edits.align,
        "rule.scale": edits.scale,
        "rule.shape": edits.shape,
        "rule.blend": edits.blend,
        "rule.feather_px": edits.feather,
        "fit.weight_new": edits.weights.new,
        "fit.weight_old": edits.weights.old,
        "memory_layers": edits.memory_layers,
        "value_layer": edits.value_layer,
    }
    return {name: value for name, value in given.items() if value is not None}


def preset(name: str) -> RewriteSettings:
    """Settings by name.

    "default" is what measured best on the portraits.

    "paper" is the method of "Rewriting a Generative Model with Out-of-Domain Patterns" (Electronics
    2025, 14(4), 675), section 4.2: the exemplar is projected and its features are pasted into the
    target's value; Eq. (11), the L1 of recalled values weighted p in the region and q elsewhere, is
    the whole loss; no samples are preserved; two convolutions learn it, by Adam, at value layer 10.
    That is the paper's layer for its generator of 1024x1024 pixels. It is a requirement, so a
    generator or a projector without it is an error; `regen rewrite --preset paper` uses it only
    where the generator has a bundled projector for it, and otherwise takes the projector's layer,
    which is ``value_layer=None``.

    Where the paper is silent, regen's own values are used: the step size and its decline, the
    number of steps, the numbers p and q, the precision (float32, which gives the same result on
    every processor), how an exemplar is resized to the target's region (`scale`), and how its
    resampled features meet the target's at the edge (no feather).

    Raises:
        RewriteError: If the preset is unknown.
    """
    check_choice("preset", name, tuple(PRESETS))
    return RewriteSettings().changed(PRESETS[name])
