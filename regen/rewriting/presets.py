"""Settings that belong together, by the name of a preset."""

from __future__ import annotations

from regen.rewriting.checks import check_choice
from regen.rewriting.settings import RewriteSettings

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
