"""The result of trying value layers: the cuts that were tried, and which of them was chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from regen.rewriting.precedence import PartialSettings


@dataclass(frozen=True)
class Trial:
    """One cut, and the result of a short fit with it.

    Attributes:
        value_layer: Convolution whose output is the value.
        memory_layers: Convolutions of the memory.
        projector: File of its projector, or None without one.
        inside: Error left in the held-out region, as a share.
        outside: Change outside of the region on unseen seeds, as a share.
        score: Weighted sum of both; 0 is perfect, 1 is a rewrite without effect.
        spilled: Whether unseen samples change outside of the region by more than a rewrite should,
            see `regen.metrics.verdict.SPILLED_ABOVE`.
        seconds: Time spent on it.
    """

    value_layer: int
    memory_layers: int
    projector: str | None
    inside: float
    outside: float
    score: float
    spilled: bool
    seconds: float

    @property
    def rank(self) -> tuple[bool, float]:
        """What is smallest for the best: no score makes up for samples that are not the same."""
        return self.spilled, self.score


class TrialWatcher:
    """Is told how far the trials are; this one does nothing with it."""

    def begin(self, count: int, seconds: float | None) -> None:
        """So many cuts will be tried, in about so many seconds, if that can be said."""

    def trial(self, number: int, count: int, value_layer: int, memory_layers: int) -> None:
        """The next trial begins, the first with number 1."""

    def step(self, done: int, steps: int) -> None:
        """So many steps of it are done."""


@dataclass(frozen=True)
class LayerChoice:
    """Which cut was chosen, and from which others.

    Attributes:
        trials: The best first.
        held_out: Label of the target that was held out, or None for a single target.
        without_projector: Layers that have none.
    """

    trials: list[Trial]
    held_out: str | None
    without_projector: list[int]

    @property
    def best(self) -> Trial:
        """The cut that is chosen."""
        return self.trials[0]

    def recorded(self) -> dict[str, Any]:
        """The entry of settings.json and the report; JSON values only."""
        rounded = [
            {k: round(v, 4) if isinstance(v, float) else v for k, v in vars(trial).items()}
            for trial in self.trials
        ]
        return {
            "trials": rounded,
            "held_out": self.held_out,
            "without_projector": self.without_projector,
        }

    def chosen_settings(self) -> PartialSettings:
        """The settings that follow from the best cut."""
        best = self.best
        values = {"value_layer": best.value_layer, "memory_layers": best.memory_layers}
        return PartialSettings("trials of value layers", values)
