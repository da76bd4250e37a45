"""One training step of the backward projector, and the state that a resumed training needs.

A step minimises the total loss of section 4.1.2 of the paper in B, then the loss of the feature
discriminator (section 4.1.1) on the same predictions.

Shapes: N images of a batch; H, W their height and width; C, h, w channels, height and width of the
value.
"""

from __future__ import annotations

import copy
import math
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from regen.errors import ProjectorError
from regen.losses import discriminator_loss, r1_penalty
from regen.precision import compute_dtype
from regen.projector.config import ProjectorConfig
from regen.projector.losses import kept_cells, total_loss
from regen.projector.network import BackwardProjector, FeatureDiscriminator
from regen.projector.sampling import Batch, Sampler
from regen.projector.settings import ProjectorTrainingSettings
from regen.training.distributed import Workers
from regen.training.frozen import computing_in, frozen
from regen.training.moving_average import update_average

State = dict[str, Any]


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
    ) -> None:
        self.settings, self.sampler, self.workers = settings, sampler, workers
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            self.projector = BackwardProjector(architecture).to(device)
            self.discriminator = FeatureDiscriminator(
                architecture.value_channels, min(architecture.value_shape[1:])
            ).to(device)
        self.average = copy.deepcopy(self.projector).requires_grad_(False).eval()
        dtype = compute_dtype(settings.precision, device)
        self.projector.precision = self.discriminator.precision = dtype
        self.optimizer = torch.optim.Adam(
            self.projector.parameters(), lr=settings.lr, betas=(0.9, 0.99)
        )
        self.discriminator_optimizer = torch.optim.Adam(
            self.discriminator.parameters(), lr=settings.discriminator_lr, betas=(0.0, 0.99)
        )
        self.done = 0

    def measure_values(self) -> None:
        """Measure means and deviations of the value's channels; call before the first step."""
        for network in (self.projector, self.average):
            mean, std = self.sampler.statistics()
            network.value_mean.copy_(mean)
            network.value_std.copy_(std)

    def step(self) -> tuple[dict[str, float], Batch, Tensor | None]:
        """One step.

        Returns:
            The losses before they are weighted, means over all processes; the batch; and what B's
            prediction decodes to, ``[N, 3, H, W]``, where the semi-cycle has a weight.

        Raises:
            ProjectorError: If a loss is not finite. The weights are those before the step.
        """
        for group in self.optimizer.param_groups:
            group["lr"] = step_size(self.settings, self.done)
        batch = self.sampler.next_batch()
        prediction = self.projector.windowed(batch.seen)
        value = self.projector.normalise(batch.wanted.float())
        loss = total_loss(
            prediction,
            value,
            batch,
            self.settings,
            discriminator=self._judge,
            tail=partial(self._decode, batch),
        )
        self.optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss.total)
        losses = self._checked(loss.terms)
        self.workers.average_gradients(self.projector.parameters())
        self.optimizer.step()
        if self.settings.adversarial:
            losses |= self._discriminator_step(prediction.detach(), value, batch)
        self.done += 1
        self._follow()
        return losses, batch, None if loss.decoded is None else loss.decoded.detach()

    def _judge(self, prediction: Tensor) -> Tensor:
        """The discriminator's logits, through which a gradient reaches B alone."""
        with frozen(self.discriminator):
            logits: Tensor = self.discriminator(prediction)
        return logits

    def _decode(self, batch: Batch, prediction: Tensor) -> Tensor:
        """Images ``[N, 3, H, W]`` of normalised features, through the tail."""
        features = self.projector.denormalise(prediction).to(batch.value.features.dtype)
        context = self.sampler.decoding_context(batch.value)
        return self.sampler.split.tail(context.with_features(batch.completed(features))).float()

    def _discriminator_step(
        self, prediction: Tensor, value: Tensor, batch: Batch
    ) -> dict[str, float]:
        """The discriminator's own step: real values against predictions, and at times R1."""
        settings = self.settings
        fake_logits = self.discriminator(prediction)
        losses = {
            "discriminator": discriminator_loss(
                self.discriminator(value), fake_logits, kept_cells(batch.kept, fake_logits)
            )
        }
        total, every = losses["discriminator"], settings.r1_every_steps
        if settings.r1_gamma and self.done % every == 0:
            losses["r1"] = self._r1(value)
            total = total + settings.r1_gamma * every * losses["r1"]
        self.discriminator_optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(total)
        numbers = self._checked(losses)
        self.workers.average_gradients(self.discriminator.parameters())
        self.discriminator_optimizer.step()
        return numbers

    def _r1(self, value: Tensor) -> Tensor:
        """The penalty in float32: its second derivatives are too coarse in half precision."""
        real = value.detach().requires_grad_()
        with computing_in(self.discriminator, torch.float32):
            return r1_penalty(self.discriminator(real), real)

    def _checked(self, losses: dict[str, Tensor]) -> dict[str, float]:
        """The losses as numbers, their means over all processes, if they are finite."""
        numbers = self.workers.average(torch.stack(list(losses.values())).detach().float())
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

    def _parts(self) -> dict[str, nn.Module | torch.optim.Optimizer]:
        return {
            "projector": self.projector,
            "average": self.average,
            "discriminator": self.discriminator,
            "optimizer": self.optimizer,
            "discriminator_optimizer": self.discriminator_optimizer,
        }

    def state(self) -> State:
        """Everything that decides how training continues; all processes must call this."""
        state: State = {name: part.state_dict() for name, part in self._parts().items()}
        states = self.workers.gather(self.sampler.random.get_state())
        return {**state, "random": torch.stack(states), "done": self.done}

    def load(self, state: State) -> None:
        """Continue from `state`, in place."""
        for name, part in self._parts().items():
            part.load_state_dict(state[name])
        # A copy: torch reads a state from the start of its storage, whatever the offset.
        self.sampler.random.set_state(state["random"][self.workers.rank].clone())
        self.done = int(state["done"])
