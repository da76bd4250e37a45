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
from regen.generators.stylegan2.training.augmentation import augment, steered, thinned
from regen.generators.stylegan2.training.dataset import Dataset
from regen.generators.stylegan2.training.discriminator import Discriminator
from regen.generators.stylegan2.training.losses import (
    path_length_penalty,
    path_lengths,
    updated_mean,
)
from regen.generators.stylegan2.training.precision import finite
from regen.generators.stylegan2.training.settings import TrainingSettings
from regen.generators.stylegan2.training.streams import FAKE, REAL, Streams
from regen.losses import discriminator_loss, generator_loss, r1_penalty
from regen.training.adam import adam
from regen.training.distributed import Workers
from regen.training.frozen import computing_in, frozen
from regen.training.graphs import Graphs, Outputs, gradients, graphs_for
from regen.training.moving_average import update_average
from regen.training.parts import Parts, descend, load_states, states_of

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
    return adam(parameters, lr * share, (0.0, 0.99**share))


class Trainer:
    """Generator, its moving average, D, and their optimisers.

    Args:
        generator: Before its first step, on the device to train on; trained in place.
        discriminator: D before its first step, for images of the same size.
        dataset: Real images of that size.
        settings: Of the training; its precision is `dtype` instead.
        workers: The processes that train together.
        dtype: What both networks compute in.
        graphs: How the parts of a step run; by default as suits the device.

    Attributes:
        wait_steps: First steps, in which D trains alone.
        augmented_share: Share of the images that each kind of augmentation changes.
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
        graphs: Graphs | None = None,
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
        self.augmented_share = settings.augmented_share
        self.graphs = graphs or graphs_for(self.device)
        # Path lengths are averaged over the processes in the middle, which is not recorded.
        self._path_graphs = self.graphs if workers.count == 1 else Graphs(None)
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
            the mean signs of D's logits; means over all processes. And the share of augmented
            images after the step, where it is steered.
        """
        settings, numbers = self.settings, self.numbers
        latents = self.streams.latents(numbers, settings.style_mixing_probability)
        inputs = (latents.z, latents.other_z, latents.crossover, *latents.noise)
        metrics: dict[str, Tensor] = {}
        fake_numbers = self._augmentation(FAKE)
        if self.done >= self.wait_steps:
            fake = self._generator_step(metrics, fake_numbers, inputs)
            if self._is_due(settings.path_length_weight, settings.path_length_interval_steps):
                self._path_length_step(metrics, inputs)
        else:
            with torch.no_grad():
                fake = augment(self._generate(*inputs)[0], fake_numbers, settings.augmentation)
        real = self.dataset.batch(numbers)
        real_numbers = self._augmentation(REAL)
        self._discriminator_step(metrics, real, real_numbers, fake)
        if self._is_due(settings.r1_gamma, settings.r1_interval_steps):
            self._r1_step(metrics, real, real_numbers)
        self.done += 1
        self._follow()
        means = self._means(metrics)
        if settings.augmentation_target:
            self._steer(means["real_sign"])
            means["augmented_share"] = self.augmented_share
        return means

    def _augmentation(self, purpose: str) -> Tensor:
        """Numbers for `augment`, of real or of fake images."""
        numbers = self.streams.augmentation(self.numbers, purpose)
        return numbers if self.augmented_share == 1 else thinned(numbers, self.augmented_share)

    def _steer(self, real_sign: float) -> None:
        settings = self.settings
        self.augmented_share = steered(
            self.augmented_share,
            real_sign,
            settings.augmentation_target,
            settings.batch_images,
            settings.augmentation_kimg,
        )

    def _is_due(self, weight: float, interval_steps: int) -> bool:
        return weight > 0 and self.done % interval_steps == 0

    def _generate(
        self, z: Tensor, other_z: Tensor, crossover: Tensor, *noise: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Images ``[N, 3, R, R]`` and the styles ``[N, L + 1, W]`` that they come from."""
        ws = self.generator.style_codes(z)
        if self.settings.style_mixing_probability:
            layers = torch.arange(ws.shape[1], device=ws.device)
            mixed = layers[None, :] >= crossover[:, None]  # [N, L + 1]
            ws = torch.where(mixed[:, :, None], self.generator.style_codes(other_z), ws)
        return self.generator(StyleLatent(ws, noise)), ws

    # Each step is a pure function of tensors, which `Graphs` may record, and what is done with the
    # gradients that it returns.

    def _generator_step(
        self, metrics: dict[str, Tensor], numbers: Tensor, inputs: tuple[Tensor, ...]
    ) -> Tensor:
        """The generator's own step; the images, as D saw them."""
        fake, loss, *found = self.graphs.run(
            "generator", self._generator_gradients, numbers, *inputs
        )
        assert fake is not None and loss is not None
        descend(self.workers, found, self.generator, self.generator_optimizer)
        metrics["generator"] = loss
        return fake

    def _generator_gradients(self, numbers: Tensor, *inputs: Tensor) -> Outputs:
        fake = augment(self._generate(*inputs)[0], numbers, self.settings.augmentation)
        with frozen(self.discriminator):
            loss = generator_loss(self.discriminator(fake))
        found = self._gradients(loss, self.generator)
        return (fake.detach(), loss.detach(), *found)

    def _path_length_step(self, metrics: dict[str, Tensor], inputs: tuple[Tensor, ...]) -> None:
        every, side = self.settings.path_length_batch_shrink, self.generator.resolution
        direction = self.streams.direction(self.numbers[::every], side)
        fewer = [part[::every] for part in inputs]
        mean, penalty, length, *found = self._path_graphs.run(
            "path length", self._path_length_gradients, direction, self.mean_length, *fewer
        )
        assert mean is not None and penalty is not None and length is not None
        self.mean_length = mean.clone()
        descend(self.workers, found, self.generator, self.generator_optimizer)
        metrics |= {"path_length_penalty": penalty, "path_length": length}

    def _path_length_gradients(
        self, direction: Tensor, mean_length: Tensor, *inputs: Tensor
    ) -> Outputs:
        settings = self.settings
        with computing_in(self.generator, torch.float32):
            images, ws = self._generate(*inputs)
            lengths = path_lengths(images, ws, direction)
        mean = self.workers.average(updated_mean(mean_length, lengths, settings.path_length_decay))
        penalty = path_length_penalty(lengths, mean)
        weight = settings.path_length_weight * settings.path_length_interval_steps
        found = self._gradients(weight * penalty, self.generator)
        return (mean, penalty.detach(), lengths.detach().mean(), *found)

    def _discriminator_step(
        self, metrics: dict[str, Tensor], real: Tensor, numbers: Tensor, fake: Tensor
    ) -> None:
        loss, real_sign, fake_sign, *found = self.graphs.run(
            "discriminator", self._discriminator_gradients, real, numbers, fake
        )
        assert loss is not None and real_sign is not None and fake_sign is not None
        descend(self.workers, found, self.discriminator, self.discriminator_optimizer)
        metrics |= {"discriminator": loss, "real_sign": real_sign, "fake_sign": fake_sign}

    def _discriminator_gradients(self, real: Tensor, numbers: Tensor, fake: Tensor) -> Outputs:
        seen = torch.cat([augment(real, numbers, self.settings.augmentation), fake])
        logits_real, logits_fake = self.discriminator(seen, batches=2).chunk(2)
        loss = discriminator_loss(logits_real, logits_fake)
        signs = (logits.detach().sign().mean() for logits in (logits_real, logits_fake))
        return (loss.detach(), *signs, *self._gradients(loss, self.discriminator))

    def _r1_step(self, metrics: dict[str, Tensor], real: Tensor, numbers: Tensor) -> None:
        penalty, *found = self.graphs.run("r1", self._r1_gradients, real, numbers)
        assert penalty is not None
        descend(self.workers, found, self.discriminator, self.discriminator_optimizer)
        metrics["r1"] = penalty

    def _r1_gradients(self, real: Tensor, numbers: Tensor) -> Outputs:
        real = real.detach().requires_grad_()
        seen = augment(real, numbers, self.settings.augmentation)
        with computing_in(self.discriminator, torch.float32):
            penalty = r1_penalty(self.discriminator(seen), real)
        weight = self.settings.r1_gamma * self.settings.r1_interval_steps
        return (penalty.detach(), *self._gradients(weight * penalty, self.discriminator))

    def _gradients(self, loss: Tensor, network: nn.Module) -> Outputs:
        found = gradients(loss, network.parameters())
        return finite(found) if self._zeroes_nonfinite else found

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

    def _parts(self) -> Parts:
        return {
            "generator": self.generator,
            "average": self.average,
            "discriminator": self.discriminator,
            "generator_optimizer": self.generator_optimizer,
            "discriminator_optimizer": self.discriminator_optimizer,
        }

    def state(self) -> State:
        """All that is needed to resume."""
        more = {"mean_length": self.mean_length, "augmented_share": self.augmented_share}
        return {**states_of(self._parts()), **more, "done": self.done}

    def load(self, state: State) -> None:
        """Resume from `state`, in place."""
        load_states(self._parts(), state)
        self.mean_length = state["mean_length"].to(self.device)
        self.augmented_share = state.get("augmented_share", self.augmented_share)
        self.done = int(state["done"])
