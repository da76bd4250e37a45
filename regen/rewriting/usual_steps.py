"""The solver and the steps of a fit for which nobody chose them; nothing here imports torch.

They depend on how many convolutions the memory has, and on how large the pattern is: the more
convolutions change, the more changes elsewhere, and a large pattern has more to learn.
`regen.rewriting.settings.FitSettings` says the same in formulas.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SMALL_AREA = 0.04  # of a pattern, as a share of the image; eyes and noses cover less
_FEW_LAYERS = 3  # of a memory; more change more elsewhere
_MOST_EXTENT = 3.0  # times the usual number of steps


@dataclass(frozen=True)
class _Along:
    """Usual settings of steps along keys; of many convolutions there are more than `_FEW_LAYERS`.

    Attributes:
        lr: Largest step size for a memory of one convolution.
        steps_of_each: Steps for each of a few convolutions.
        steps_of_each_of_many: Steps for each of many.
        preserve_weight_of_each: Weight of preserved samples, for each of a few convolutions.
        preserve_weight_of_many: The same for many, in all.
    """

    lr: float
    steps_of_each: float
    steps_of_each_of_many: float
    preserve_weight_of_each: float
    preserve_weight_of_many: float


_ALONG_THE_RULES_KEYS = _Along(
    lr=0.04,
    steps_of_each=16,
    steps_of_each_of_many=16,
    preserve_weight_of_each=1,
    preserve_weight_of_many=6,
)
_FROM_THE_CLOSED_FORM = _Along(
    lr=0.03,
    steps_of_each=40 / 3,
    steps_of_each_of_many=26,
    preserve_weight_of_each=2 / 3,
    preserve_weight_of_many=8,
)


@dataclass(frozen=True)
class UsualSteps:
    """Settings of `FitSettings` by their names there.

    Attributes:
        steps: Gradient steps.
        lr: Largest step size.
        preserve_weight: Weight of preserved samples.
        preserve_batch: Number of them in one step.
    """

    steps: int = 300
    lr: float = 0.02
    preserve_weight: float = 1.0
    preserve_batch: int = 4


def usual_solver(*, keyed: bool, area: float) -> Literal["adam", "keys", "both"]:
    """The solver that "auto" stands for.

    Args:
        keyed: Whether the family has a closed form.
        area: Of the targets' regions, as a share of the image.
    """
    if not keyed:
        return "adam"
    return "keys" if area <= SMALL_AREA else "both"


def usual_steps(solver: str, layers: int, area: float) -> UsualSteps:
    """The steps of a solver.

    Args:
        solver: Any but "auto".
        layers: Number of convolutions of the memory.
        area: Of the targets' regions, as a share of the image.

    Example:
        >>> usual_steps("adam", 3, 0.02).steps, usual_steps("keys", 3, 0.02).steps
        (300, 48)
    """
    if solver == "adam":
        return UsualSteps()
    extent = min(max(area / SMALL_AREA, 1.0), _MOST_EXTENT)
    along = _ALONG_THE_RULES_KEYS if solver == "keys" else _FROM_THE_CLOSED_FORM
    lr = along.lr / layers**0.5
    if layers <= _FEW_LAYERS:
        steps, weight = along.steps_of_each, along.preserve_weight_of_each * layers
        return UsualSteps(round(steps * layers * extent), lr, weight / extent)
    steps, weight = along.steps_of_each_of_many, along.preserve_weight_of_many
    batch = max(4, round(8 / extent))
    return UsualSteps(round(steps * layers * extent), lr, weight / extent, batch)
