"""The evaluation of a rewrite: what `regen rewrite` measures before it writes its report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from regen.evaluation.enough import enough_evidence
from regen.evaluation.evidence import Evidence
from regen.evaluation.measure import metrics_of
from regen.metrics import try_lpips
from regen.rewriting.learn import Learned
from regen.rewriting.task import Task


@dataclass(frozen=True, repr=False)
class Evaluation:
    """How well a rewrite took, on samples that it was not learned from.

    Attributes:
        metrics: As in metrics.json, see `regen.evaluation.measure.metrics_of`; the distances
            ``inside`` and ``outside`` of the regions for instance, and the ``verdict``.
        evidence: The images that were measured, before and after, and the regions.
        lacking: Why there is no LPIPS, or None.
    """

    metrics: dict[str, Any]
    evidence: Evidence
    lacking: str | None = None

    @property
    def verdict(self) -> str | None:
        """In words, whether the rule took and the rest was kept; None if it cannot be said."""
        found = self.metrics["verdict"]
        return None if found is None else str(found["text"])

    def __repr__(self) -> str:
        seeds, verdict = self.metrics["seeds"], self.verdict or "no verdict"
        return f"<Evaluation on {seeds} samples: {verdict}>"


def evaluate(task: Task, learned: Learned) -> Evaluation:
    """Measure what was learned on as many unseen samples as the settings ask for.

    Args:
        task: What should be learned.
        learned: What was learned.
    """
    generator = task.generator
    lpips, lacking = try_lpips(task.settings.lpips, generator.image_size, generator.device)
    evidence = enough_evidence(task, learned, lpips)
    return Evaluation(metrics_of(evidence, lpips, lacking), evidence, lacking)
