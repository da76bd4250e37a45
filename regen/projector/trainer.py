"""One training step of the backward projector, and the state that a resumed training needs.

Shapes: N images of a batch; R side of an image; C, h channels and side of the value.
"""

from __future__ import annotations

import copy
import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from regen.errors import ProjectorError
from regen.projector.losses import (
    adversarial_loss,
    discriminator_loss,
    dissimilarity,
    r1_penalty,
    weighted_l1,
)
from regen.projector.network import BackwardProjector, FeatureDiscriminator, ProjectorConfig
from regen.projector.sampling import Batch, Sampler
from regen.projector.settings import ProjectorTrainingSettings
from regen.training.distributed import Workers

State = dict[str, Any]
_RAMP = 0.05  # early on, the half-life of the moving average is this share of what was seen


def step_size(config: ProjectorTrainingSettings, step: int) -> float:
    """Adam's step size for B in step `step`, counted from 0."""
    warmup = config.warmup_kimg * 1000 / config.batch
    factor = min(1.0, (step + 1) / max(warmup, 1.0))
    if config.schedule == "cosine":
        factor *= 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * step / config.steps))
    return config.lr * factor


class Trainer:
    """B, its moving average, the discriminator and their optimisers.

    Args:
        config: Settings of the training.
        architecture: Of B.
        sampler: Source of batches, on the generator's device.
        workers: The processes that train together.
        device: The generator's.
    """

    def __init__(
        self,
        config: ProjectorTrainingSettings,
        architecture: ProjectorConfig,
        sampler: Sampler,
        workers: Workers,
        device: torch.device,
    ) -> None:
        self.config, self.sampler, self.workers = config, sampler, workers
        self.dtype = torch.bfloat16 if config.precision == "bf16" else torch.float32
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            self.projector = BackwardProjector(architecture).to(device)
            self.discriminator = FeatureDiscriminator(
                architecture.value_channels, min(architecture.value_shape[1:])
            ).to(device)
        self.average = copy.deepcopy(self.projector).requires_grad_(False).eval()
        self.projector.precision = self.discriminator.precision = self.dtype
        self.optimizer = torch.optim.Adam(
            self.projector.parameters(), lr=config.lr, betas=(0.9, 0.99)
        )
        self.discriminator_optimizer = torch.optim.Adam(
            self.discriminator.parameters(), lr=config.discriminator_lr, betas=(0.0, 0.99)
        )
        self.done = 0

    def measure_values(self) -> None:
        """Take the means and deviations of the value's channels; before the first step."""
        for network in (self.projector, self.average):
            mean, std = self.sampler.statistics()
            network.value_mean.copy_(mean)
            network.value_std.copy_(std)

    def step(self) -> tuple[dict[str, float], Batch, Tensor | None]:
        """One step.

        Returns:
            The losses without their weights, the batch, and what B's answer to it decodes to,
            ``[N, 3, R, R]``, where the semi-cycle has a weight.

        Raises:
            ProjectorError: If a loss is not finite. The weights are those before the step.
        """
        for group in self.optimizer.param_groups:
            group["lr"] = step_size(self.config, self.done)
        batch = self.sampler.draw()
        answer = self.projector.normalised(batch.image)
        losses, decoded = self._losses(answer, batch)
        self.optimizer.zero_grad(set_to_none=True)
        torch.stack([self._weight(name) * loss for name, loss in losses.items()]).sum().backward()
        figures = self._checked(losses)
        self.workers.average_gradients(self.projector.parameters())
        self.optimizer.step()
        if self.config.adversarial:
            figures.update(self._discriminator_step(answer.detach(), batch))
        self._follow()
        self.done += 1
        return figures, batch, None if decoded is None else decoded.detach()

    def _weight(self, name: str) -> float:
        return float(getattr(self.config, name))

    def _losses(self, answer: Tensor, batch: Batch) -> tuple[dict[str, Tensor], Tensor | None]:
        """The losses of B's `answer` in normalised units, those without a weight left out."""
        config, losses, decoded = self.config, {}, None
        if config.feature_l1:
            true = self.projector.normalise(batch.value.features.float())
            losses["feature_l1"] = weighted_l1(answer, true, batch.kept)
        if config.adversarial:
            self.discriminator.requires_grad_(False)
            logits = self.discriminator(answer)
            self.discriminator.requires_grad_(True)
            losses["adversarial"] = adversarial_loss(logits, _cells(batch.kept, logits))
        if config.semi_cycle_l1 or config.semi_cycle_ssim:
            decoded = self._decode(answer, batch)
        if decoded is not None and config.semi_cycle_l1:
            emphasis = 1 + config.paste_weight * batch.pasted
            losses["semi_cycle_l1"] = weighted_l1(decoded, batch.image, emphasis)
        if decoded is not None and config.semi_cycle_ssim:
            losses["semi_cycle_ssim"] = dissimilarity(decoded, batch.image)
        return losses, decoded

    def _decode(self, answer: Tensor, batch: Batch) -> Tensor:
        """Images ``[N, 3, R, R]`` of normalised features, through the tail."""
        features = self.projector.denormalise(answer).to(batch.value.features.dtype)
        context = self.sampler.decoding_context(batch.value)
        return self.sampler.split.tail(context.with_features(features)).float()

    def _discriminator_step(self, answer: Tensor, batch: Batch) -> dict[str, float]:
        true = self.projector.normalise(batch.value.features.float())
        logits = self.discriminator(answer)
        losses = {
            "discriminator": discriminator_loss(
                self.discriminator(true), logits, _cells(batch.kept, logits)
            )
        }
        total, every = losses["discriminator"], self.config.r1_every_steps
        if self.config.r1_gamma and self.done % every == 0:
            losses["r1"] = self._r1(true)
            total = total + self.config.r1_gamma * every * losses["r1"]
        self.discriminator_optimizer.zero_grad(set_to_none=True)
        total.backward()
        figures = self._checked(losses)
        self.workers.average_gradients(self.discriminator.parameters())
        self.discriminator_optimizer.step()
        return figures

    def _r1(self, true: Tensor) -> Tensor:
        """The penalty in float32: its second derivatives are too coarse in half precision."""
        self.discriminator.precision = torch.float32
        try:
            return r1_penalty(self.discriminator, true)
        finally:
            self.discriminator.precision = self.dtype

    def _checked(self, losses: dict[str, Tensor]) -> dict[str, float]:
        """The losses as numbers, their means over all processes, if they are finite."""
        numbers = self.workers.average(torch.stack(list(losses.values())).detach().float())
        figures = dict(zip(losses, numbers.tolist(), strict=True))
        for name, number in figures.items():
            if not math.isfinite(number):
                raise ProjectorError(
                    f"training stopped in step {self.done}: {name}",
                    got=number,
                    expected="a finite loss",
                    remedy=f"lower lr (now {self.config.lr:g}) or use precision fp32, and go "
                    "on from the last checkpoint",
                )
        return figures

    @torch.no_grad()
    def _follow(self) -> None:
        """Move the moving average towards B."""
        seen = (self.done + 1) * self.config.batch
        halflife = min(self.config.ema_halflife_kimg * 1000, _RAMP * seen)
        share = 1 - 0.5 ** (self.config.batch / max(halflife, 1e-8))
        torch._foreach_lerp_(
            list(self.average.parameters()), list(self.projector.parameters()), share
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
        """Everything that decides how training goes on; all processes must call this."""
        state: State = {name: part.state_dict() for name, part in self._parts().items()}
        states = self.workers.gather(self.sampler.random.get_state())
        return {**state, "random": torch.stack(states), "done": self.done}

    def load(self, state: State) -> None:
        """Go on from `state`, in place."""
        for name, part in self._parts().items():
            part.load_state_dict(state[name])
        # A copy: torch reads a state from the start of its storage, whatever the offset.
        self.sampler.random.set_state(state["random"][self.workers.rank].clone())
        self.done = int(state["done"])


def _cells(kept: Tensor, logits: Tensor) -> Tensor:
    """Cells of the discriminator's logits ``[N, 1, h', h']`` that hold no paste, 1 or 0."""
    return 1 - F.adaptive_max_pool2d(1 - kept, logits.shape[-2:])
