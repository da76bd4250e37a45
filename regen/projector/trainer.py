"""One training step of the backward projector, and the state that a resumed training needs.

A step minimises the total loss of section 4.1.2 of the paper in B, and the loss of the feature
discriminator (section 4.1.1) on the same predictions. Both gradients are taken with the weights
before the step; numbers are asked of the device once, when both are there.

Shapes: N images of a batch; H, W their height and width; C, h, w channels, height and width of the
value.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from regen.errors import ProjectorError
from regen.generators.split import Activation, Context
from regen.losses import discriminator_loss, r1_penalty
from regen.precision import compute_dtype
from regen.projector.config import ProjectorConfig
from regen.projector.losses import kept_cells, total_loss
from regen.projector.network import BackwardProjector, FeatureDiscriminator
from regen.projector.sampling import Batch, Sampler
from regen.projector.settings import ProjectorTrainingSettings
from regen.training.adam import adam
from regen.training.distributed import Workers
from regen.training.frozen import computing_in, frozen
from regen.training.graphs import Graphs, Outputs, gradients
from regen.training.moving_average import update_average
from regen.training.parts import Parts, descend, load_states, states_of

State = dict[str, Any]


@dataclass(frozen=True)
class _Part:
    """What one network learns from a batch.

    Attributes:
        terms: Its losses before they are weighted.
        gradients: By each of its parameters.
    """

    terms: dict[str, Tensor]
    gradients: Outputs


@dataclass(frozen=True)
class _ProjectorPart(_Part):
    """What B learns from a batch.

    Attributes:
        prediction: In normalised units, ``[N, C, h, w]``.
        value: The sample's own, as `prediction`.
        decoded: Images ``[N, 3, H, W]`` of the prediction; None without a semi-cycle.
    """

    prediction: Tensor
    value: Tensor
    decoded: Tensor | None


def step_size(settings: ProjectorTrainingSettings, step: int) -> float:
    """Adam's step size for B in step `step`, counted from 0."""
    warmup = settings.warmup_kimg * 1000 / settings.batch
    factor = min(1.0, (step + 1) / max(warmup, 1.0))
    if settings.schedule == "cosine":
        factor *= 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * step / settings.steps))
    return settings.lr * factor


class Trainer:
    """B, its moving average, the feature discriminator and their optimisers.

    Args:
        settings: Of the training.
        architecture: Of B.
        sampler: Source of batches, on the generator's device.
        workers: The processes that train together.
        device: The generator's.
        graphs: How the parts of a step run; by default as the sampler's batches do.

    Attributes:
        average: The moving average of B, which is the result.
        done: Steps taken.
    """

    def __init__(
        self,
        settings: ProjectorTrainingSettings,
        architecture: ProjectorConfig,
        sampler: Sampler,
        workers: Workers,
        device: torch.device,
        graphs: Graphs | None = None,
    ) -> None:
        self.settings, self.sampler, self.workers = settings, sampler, workers
        self.graphs = graphs or sampler.graphs
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            self.projector = BackwardProjector(architecture).to(device)
            self.discriminator = FeatureDiscriminator(
                architecture.value_channels, min(architecture.value_shape[1:])
            ).to(device)
        self.average = copy.deepcopy(self.projector).requires_grad_(False).eval()
        dtype = compute_dtype(settings.precision, device)
        self.projector.precision = self.discriminator.precision = dtype
        self.optimizer = adam(self.projector.parameters(), settings.lr, (0.9, 0.99))
        self.discriminator_optimizer = adam(
            self.discriminator.parameters(), settings.discriminator_lr, (0.0, 0.99)
        )
        self.done = 0

    def measure_values(self) -> None:
        """Measure means and deviations of the value's channels; call before the first step.

        Both networks get the same: of windows each measurement gives others, and processes see
        different ones.
        """
        mean, std = map(self.workers.average, self.sampler.statistics())
        for network in (self.projector, self.average):
            network.value_mean.copy_(mean)
            network.value_std.copy_(std)

    def step(self) -> tuple[dict[str, float], Batch, Tensor | None]:
        """One step.

        Returns:
            The losses before they are weighted, means over all processes; the batch; and what B's
            prediction decodes to, ``[N, 3, H, W]``, where the semi-cycle has a weight. Batch and
            images may hold until the next step only.

        Raises:
            ProjectorError: If a loss is not finite. The weights are those before the step.
        """
        for group in self.optimizer.param_groups:
            group["lr"] = step_size(self.settings, self.done)
        batch = self.sampler.next_batch()
        context = self.sampler.decoding_context(batch.value).context
        found = self.graphs.run("projector", self._projector_part, batch, context)
        terms, judged = dict(found.terms), None
        if self.settings.adversarial:
            judged = self.graphs.run(
                "discriminator",
                self._discriminator_part,
                found.prediction,
                found.value,
                batch.kept,
                self._penalty_is_due(),
            )
            terms |= judged.terms
        losses = self._checked(terms)
        descend(self.workers, found.gradients, self.projector, self.optimizer)
        if judged is not None:
            descend(
                self.workers, judged.gradients, self.discriminator, self.discriminator_optimizer
            )
        self.done += 1
        self._follow()
        return losses, batch, found.decoded

    def _penalty_is_due(self) -> bool:
        settings = self.settings
        return settings.r1_gamma > 0 and self.done % settings.r1_every_steps == 0

    # The two parts are pure functions of tensors, which `Graphs` may record.

    def _projector_part(self, batch: Batch, context: Context) -> _ProjectorPart:
        """B's losses for a batch, decoded in a context."""
        prediction = self.projector.windowed(batch.seen)
        value = self.projector.normalise(batch.wanted.float())
        loss = total_loss(
            prediction,
            value,
            batch,
            self.settings,
            discriminator=self._judge,
            tail=partial(self._decode, batch, context),
        )
        return _ProjectorPart(
            _detached(loss.terms),
            gradients(loss.total, self.projector.parameters()),
            prediction.detach(),
            value,
            None if loss.decoded is None else loss.decoded.detach(),
        )

    def _judge(self, prediction: Tensor) -> Tensor:
        """The discriminator's logits, through which a gradient reaches B alone."""
        with frozen(self.discriminator):
            logits: Tensor = self.discriminator(prediction)
        return logits

    def _decode(self, batch: Batch, context: Context, prediction: Tensor) -> Tensor:
        """Images ``[N, 3, H, W]`` of normalised features, through the tail."""
        features = self.projector.denormalise(prediction).to(batch.value.features.dtype)
        return self.sampler.split.tail(Activation(batch.completed(features), context)).float()

    def _discriminator_part(
        self, prediction: Tensor, value: Tensor, kept: Tensor, with_penalty: bool
    ) -> _Part:
        """The discriminator's losses: real values against predictions, and at times R1."""
        settings = self.settings
        fake_logits = self.discriminator(prediction)
        total = discriminator_loss(
            self.discriminator(value), fake_logits, kept_cells(kept, fake_logits)
        )
        losses = {"discriminator": total}
        if with_penalty:
            losses["r1"] = self._r1(value)
            total = total + settings.r1_gamma * settings.r1_every_steps * losses["r1"]
        return _Part(_detached(losses), gradients(total, self.discriminator.parameters()))

    def _r1(self, value: Tensor) -> Tensor:
        """The penalty in float32: its second derivatives are too coarse in half precision."""
        real = value.detach().requires_grad_()
        with computing_in(self.discriminator, torch.float32):
            return r1_penalty(self.discriminator(real), real)

    def _checked(self, losses: dict[str, Tensor]) -> dict[str, float]:
        """The losses as numbers, their means over all processes, if they are finite."""
        numbers = self.workers.average(torch.stack(list(losses.values())).float())
        named = dict(zip(losses, numbers.tolist(), strict=True))
        for name, number in named.items():
            if not math.isfinite(number):
                raise ProjectorError(
                    f"training stopped in step {self.done}: {name}",
                    got=number,
                    expected="a finite loss",
                    remedy=f"lower lr (now {self.settings.lr:g}) or use precision fp32, and "
                    "resume from the last checkpoint",
                )
        return named

    def _follow(self) -> None:
        """Move the moving average towards B."""
        settings = self.settings
        update_average(
            self.average,
            self.projector,
            seen_images=self.done * settings.batch,
            batch_images=settings.batch,
            halflife_kimg=settings.ema_halflife_kimg,
        )

    def _parts(self) -> Parts:
        return {
            "projector": self.projector,
            "average": self.average,
            "discriminator": self.discriminator,
            "optimizer": self.optimizer,
            "discriminator_optimizer": self.discriminator_optimizer,
        }

    def state(self) -> State:
        """Everything that decides how training continues; all processes must call this."""
        states = self.workers.gather(self.sampler.random.get_state())
        return {**states_of(self._parts()), "random": torch.stack(states), "done": self.done}

    def load(self, state: State) -> None:
        """Continue from `state`, in place."""
        load_states(self._parts(), state)
        # A copy: torch reads a state from the start of its storage, whatever the offset.
        self.sampler.random.set_state(state["random"][self.workers.rank].clone())
        self.done = int(state["done"])


def _detached(losses: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: loss.detach() for name, loss in losses.items()}
