"""One training step of a generator and its discriminator D, and the state that resuming needs.

A step generates fake images once and uses them for both networks: the generator learns from D's
logits for them, then D learns from the same images and real ones. Regularisers are *lazy*: they
have separate, rarer steps with proportionally more weight (Karras et al. 2020, section 3.1).

Shapes: N images of this process in one step; R their side.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from regen.generators.stylegan2.generator import StyleGAN2
from regen.generators.stylegan2.latent import StyleLatent
from regen.generators.stylegan2.training.augmentation import augment
from regen.generators.stylegan2.training.dataset import Dataset
from regen.generators.stylegan2.training.discriminator import Discriminator
from regen.generators.stylegan2.training.losses import (
    path_length_penalty,
    path_lengths,
    updated_mean,
)
from regen.generators.stylegan2.training.precision import zero_nonfinite_gradients_
from regen.generators.stylegan2.training.settings import TrainingSettings
from regen.generators.stylegan2.training.streams import FAKE, REAL, Latents, Streams
from regen.losses import discriminator_loss, generator_loss, r1_penalty
from regen.training.distributed import Workers
from regen.training.frozen import computing_in, frozen
from regen.training.moving_average import update_average

State = dict[str, Any]


def lazy_adam(
    parameters: Iterable[nn.Parameter], lr: float, interval_steps: int | None
) -> torch.optim.Adam:
    """Adam with betas 0 and 0.99, corrected for one regularising step in so many.

    With k ordinary steps to one of the regulariser, step size and betas are those of a share
    ``k / (k + 1)`` of a step, so that a round of k + 1 steps equals k uncorrected ones
    (appendix B).
    """
    share = 1.0 if interval_steps is None else interval_steps / (interval_steps + 1)
    return torch.optim.Adam(parameters, lr=lr * share, betas=(0.0, 0.99**share), eps=1e-8)


class Trainer:
    """Generator, its moving average, D, and their optimisers.

    Args:
        generator: Before its first step, on the device to train on; trained in place.
        discriminator: D before its first step, for images of the same size.
        dataset: Real images of that size.
        settings: Of the training; its precision is `dtype` instead.
        workers: The processes that train together.
        dtype: What both networks compute in.

    Attributes:
        wait_steps: First steps, in which D trains alone.
        done: Steps taken.
    """

    def __init__(
        self,
        generator: StyleGAN2,
        discriminator: Discriminator,
        dataset: Dataset,
        settings: TrainingSettings,
        workers: Workers,
        dtype: torch.dtype,
    ) -> None:
        self.settings, self.dataset, self.workers = settings, dataset, workers
        self.device = generator.device
        self.generator = generator.train().requires_grad_(True)
        self.discriminator = discriminator.train().requires_grad_(True).to(self.device)
        self.average = copy.deepcopy(generator).requires_grad_(False).eval()
        self.average.precision = torch.float32
        self.generator.precision = self.discriminator.precision = dtype
        self._zeroes_nonfinite = dtype == torch.float16
        self.wait_steps = round(settings.generator_wait_kimg * 1000 / settings.batch_images)
        self.streams = Streams(settings.seed, generator.config, self.device)
        self.generator_optimizer = lazy_adam(
            self.generator.parameters(),
            settings.generator_lr,
            settings.path_length_interval_steps if settings.path_length_weight else None,
        )
        self.discriminator_optimizer = lazy_adam(
            self.discriminator.parameters(),
            settings.discriminator_lr,
            settings.r1_interval_steps if settings.r1_gamma else None,
        )
        self.mean_length = torch.zeros([], device=self.device)
        self.done = 0

    @property
    def numbers(self) -> range:
        """Numbers of this process's images in the next step."""
        count = self.settings.batch_images // self.workers.count
        first = self.done * self.settings.batch_images + self.workers.rank * count
        return range(first, first + count)

    def step(self) -> dict[str, float]:
        """One step.

        Returns:
            Losses without their weights, those of regularisers only in steps that have them, and
            the mean signs of D's logits; means over all processes.
        """
        settings, numbers = self.settings, self.numbers
        latents = self.streams.latents(numbers, settings.style_mixing_probability)
        learns = self.done >= self.wait_steps
        metrics: dict[str, Tensor] = {}
        with torch.set_grad_enabled(learns):
            fake = self._augmented(self._generate(latents)[0], FAKE)
        if learns:
            metrics |= self._generator_step(fake)
            if self._is_due(settings.path_length_weight, settings.path_length_interval_steps):
                metrics |= self._path_length_step(latents)
        real = self.dataset.batch(numbers)
        metrics |= self._discriminator_step(self._augmented(real, REAL), fake.detach())
        if self._is_due(settings.r1_gamma, settings.r1_interval_steps):
            metrics |= self._r1_step(real)
        self.done += 1
        self._follow()
        return self._means(metrics)

    def _is_due(self, weight: float, interval_steps: int) -> bool:
        return weight > 0 and self.done % interval_steps == 0

    def _generate(self, latents: Latents, every: int = 1) -> tuple[Tensor, Tensor]:
        """Images ``[N, 3, R, R]`` and the styles ``[N, L + 1, W]`` that they come from."""
        first, other = latents.z[::every], latents.other_z[::every]
        ws = self.generator.style_codes(first)
        if self.settings.style_mixing_probability:
            layers = torch.arange(ws.shape[1], device=ws.device)
            mixed = layers[None, :] >= latents.crossover[::every, None]  # [N, L + 1]
            ws = torch.where(mixed[:, :, None], self.generator.style_codes(other), ws)
        noise = tuple(part[::every] for part in latents.noise)
        return self.generator(StyleLatent(ws, noise)), ws

    def _augmented(self, images: Tensor, purpose: str) -> Tensor:
        random = self.streams.augmentation(self.numbers, purpose)
        return augment(images, random, self.settings.augmentation)

    def _generator_step(self, fake: Tensor) -> dict[str, Tensor]:
        with frozen(self.discriminator):
            logits = self.discriminator(fake)
        loss = generator_loss(logits)
        self._descend(loss, self.generator, self.generator_optimizer)
        return {"generator": loss}

    def _path_length_step(self, latents: Latents) -> dict[str, Tensor]:
        settings, every = self.settings, self.settings.path_length_batch_shrink
        with computing_in(self.generator, torch.float32):
            images, ws = self._generate(latents, every)
            direction = self.streams.direction(self.numbers[::every], images.shape[3])
            lengths = path_lengths(images, ws, direction)
        mean = updated_mean(self.mean_length, lengths, settings.path_length_decay)
        self.mean_length = self.workers.average(mean)
        penalty = path_length_penalty(lengths, self.mean_length)
        weight = settings.path_length_weight * settings.path_length_interval_steps
        self._descend(weight * penalty, self.generator, self.generator_optimizer)
        return {"path_length_penalty": penalty, "path_length": lengths.mean()}

    def _discriminator_step(self, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        both = self.discriminator(torch.cat([real, fake]), batches=2)
        logits_real, logits_fake = both.chunk(2)
        loss = discriminator_loss(logits_real, logits_fake)
        self._descend(loss, self.discriminator, self.discriminator_optimizer)
        return {
            "discriminator": loss,
            "real_sign": logits_real.sign().mean(),
            "fake_sign": logits_fake.sign().mean(),
        }

    def _r1_step(self, real: Tensor) -> dict[str, Tensor]:
        real = real.detach().requires_grad_()
        with computing_in(self.discriminator, torch.float32):
            penalty = r1_penalty(self.discriminator(self._augmented(real, REAL)), real)
        weight = self.settings.r1_gamma * self.settings.r1_interval_steps
        self._descend(weight * penalty, self.discriminator, self.discriminator_optimizer)
        return {"r1": penalty}

    def _descend(self, loss: Tensor, network: nn.Module, optimizer: torch.optim.Adam) -> None:
        """One step of `optimizer` along the gradient, its mean over all processes."""
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        if self._zeroes_nonfinite:
            zero_nonfinite_gradients_(network.parameters())
        self.workers.average_gradients(network.parameters())
        optimizer.step()

    def _means(self, metrics: dict[str, Tensor]) -> dict[str, float]:
        values = torch.stack([value.detach().float() for value in metrics.values()])
        return dict(zip(metrics, self.workers.average(values).tolist(), strict=True))

    def _follow(self) -> None:
        """Move the moving average towards the generator."""
        settings = self.settings
        update_average(
            self.average,
            self.generator,
            seen_images=self.done * settings.batch_images,
            batch_images=settings.batch_images,
            halflife_kimg=settings.ema_halflife_kimg,
        )

    def _parts(self) -> dict[str, nn.Module | torch.optim.Optimizer]:
        return {
            "generator": self.generator,
            "average": self.average,
            "discriminator": self.discriminator,
            "generator_optimizer": self.generator_optimizer,
            "discriminator_optimizer": self.discriminator_optimizer,
        }

    def state(self) -> State:
        """All that is needed to resume."""
        state: State = {name: part.state_dict() for name, part in self._parts().items()}
        return {**state, "mean_length": self.mean_length, "done": self.done}

    def load(self, state: State) -> None:
        """Resume from `state`, in place."""
        for name, part in self._parts().items():
            part.load_state_dict(state[name])
        self.mean_length = state["mean_length"].to(self.device)
        self.done = int(state["done"])
