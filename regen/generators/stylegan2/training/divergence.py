"""Detect that a training has failed: D has long been separating real from fake without errors.

The mean sign of D's logits of real images is 0 for a D that guesses and 1 for one that never errs
(Karras et al. 2020, "Training Generative Adversarial Networks with Limited Data", section 3). That
alone does no harm as long as the generator still improves. With a persistently high loss of the
generator it does: the gradient then carries almost no information.
"""

from __future__ import annotations

import math
from collections import deque

from regen.errors import TrainingError
from regen.generators.stylegan2.training.settings import TrainingSettings

_SAVED = (
    "if there is a checkpoint, --resume with --length-kimg 0.001 saves its generator, and "
    "--init-from starts from that in a new folder"
)


class DivergenceMonitor:
    """Checks the losses of each step. Training itself does not depend on it.

    Args:
        settings: The three that start with ``stop``, and the augmentation, are used.
    """

    def __init__(self, settings: TrainingSettings) -> None:
        self.settings = settings
        self._window = settings.steps_of(settings.stop_window_kimg)
        self._signs: deque[float] = deque(maxlen=self._window)
        self._losses: deque[float] = deque(maxlen=self._window)

    def update(self, metrics: dict[str, float], step: int) -> None:
        """Add a step.

        Args:
            metrics: Of the step; all must be finite, "generator" and "real_sign" are monitored.
            step: Number of the step, for the message.

        Raises:
            TrainingError: If one is not finite, or training has failed.
        """
        for name, value in metrics.items():
            if not math.isfinite(value):
                raise TrainingError(
                    f"training stopped in step {step}: {name}",
                    got=value,
                    expected="a finite loss",
                    remedy=f"lower the step sizes or use precision fp32; {_SAVED}",
                )
        if "generator" not in metrics:
            return
        self._signs.append(metrics["real_sign"])
        self._losses.append(metrics["generator"])
        if len(self._signs) == self._window:
            self._check(step)

    def _check(self, step: int) -> None:
        sign = sum(self._signs) / self._window
        loss = sum(self._losses) / self._window
        limit, most = self.settings.stop_sign, self.settings.stop_generator_loss
        if sign <= limit or loss <= most:
            return
        raise TrainingError(
            f"training stopped in step {step}, the discriminator wins: over the last "
            f"{self.settings.stop_window_kimg:g} kimg the mean sign of its logits of real "
            f"images is {sign:.2f} (limit {limit:g}) and the generator's loss {loss:.1f} (limit "
            f"{most:g})",
            remedy=self._advice(),
        )

    def _advice(self) -> str:
        augmentation = self.settings.augmentation
        advice = []
        if augmentation == type(augmentation).none():
            advice.append("use augmentation")
        advice.append(f"raise r1_gamma (now {self.settings.r1_gamma:g})")
        advice.append(f"lower discriminator_lr (now {self.settings.discriminator_lr:g})")
        advice.append("start from a trained generator with --init-from, or add images")
        return f"{', '.join(advice)}; {_SAVED}"
