"""Samples on which a rule hardly acted, by what became of their images."""

from __future__ import annotations

from torch import Tensor

from regen.evaluation.evidence import Targets
from regen.losses import weighted_l1
from regen.metrics.verdict import CHANGED_ABOVE, MISSED_BELOW


def missed(before: Tensor, after: Tensor, targets: Targets) -> float:
    """Share of N samples on which much less of the image changed than on the targets.

    The map of similar keys cannot say it: a rule often acts where keys are less alike than the
    map's edge asks, and some keys that are alike do nothing.

    Args:
        before: ``[N, 3, H, W]`` without the rewrite.
        after: ``[N, 3, H, W]`` with it.
        targets: What was asked of them, and what became of them.

    Returns:
        From 0 to 1; 0 where the targets did not change.
    """
    asked = weighted_l1(targets.before, targets.wanted, targets.regions)
    least = CHANGED_ABOVE * float(asked)
    own = _changed_area(targets.before, targets.after, least).mean()
    return float((_changed_area(before, after, least) < MISSED_BELOW * own).float().mean())


def _changed_area(before: Tensor, after: Tensor, least: float) -> Tensor:
    """The share of each image that changed by more than this, ``[N]``."""
    return ((before - after).abs().mean(dim=1) > least).float().mean(dim=(1, 2))
