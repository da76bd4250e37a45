"""Train the bundled portraits-inpaint: an RFR network that fills holes in rendered people.

    python -m experiments.inpaint.train_generator -o runs/inpaint --minutes 15

The same command resumes the training; `--minutes` ends a piece of it early. Everything is computed
in float32: bfloat16 is many times slower on a CPU that has no instructions for it. The second
half trains with the statistics of the batch norms fixed, since in training mode each round has its
own and when filling all share one; the last 15 % add LPIPS.

A convolution that is thrown away afterwards reads from the merged features where in the face they
are. What it teaches the network is what a rewrite needs: keys that tell the parts of a face apart
before a memory of two small convolutions sees them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import click
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from experiments.inpaint.pool import GUIDED, SIZE, Pool, load_pool
from experiments.recipe import Training, log_records, train
from regen.generators.rfr.config import RFRConfig
from regen.generators.rfr.holes import random_hole
from regen.generators.rfr.layers import BatchNorm
from regen.generators.rfr.network import RFR
from regen.images import grid
from regen.metrics.perceptual import load_lpips
from regen.training.moving_average import update_average

# How often each part is hidden; what is hidden rarely has no key that a rule could hold on to.
PARTS = ("eyes",) * 4 + ("nose",) * 4 + ("mouth",) * 2 + ("glasses",) * 3 + ("hat", "mask")
FIXED_NORMS, PERCEPTUAL = 0.5, 0.85  # from which fractions of the run on


@dataclass(frozen=True)
class Settings:
    """The whole run.

    Attributes:
        width, kernel, rounds: Of the network.
        steps: How many; the step size falls to 0 on a cosine.
        batch: Images a step.
        lr: Largest step size of Adam.
        people: Size of the pool; each may appear as its mirror image.
        known_weight: What a known pixel counts beside one in the hole, in the L1.
        lpips_weight: Weight of LPIPS, of the filled images, at the end.
        guide_weight: Weight of where in the face the merged features say they are.
        average_kimg: Half-life of the moving average, in thousands of images.
        seed: Of the weights and of everything drawn.
    """

    width: int = 16
    kernel: int = 3
    rounds: int = 3
    steps: int = 5000
    batch: int = 8
    lr: float = 2e-3
    people: int = 6144
    known_weight: float = 0.05
    lpips_weight: float = 0.15
    guide_weight: float = 0.3
    average_kimg: float = 1.0
    seed: int = 0


class Trainer(Training):
    """Network, its moving average, optimiser and random numbers."""

    def __init__(self, settings: Settings, pool: Pool, perceptual: nn.Module) -> None:
        self.settings, self.pool, self.perceptual = settings, pool, perceptual
        torch.manual_seed(settings.seed)
        config = RFRConfig(settings.width, settings.kernel, settings.rounds, SIZE)
        self.network, self.average = RFR(config), RFR(config)
        with torch.no_grad():
            self.network.last.weight.mul_(0.1)  # start near a grey image
        self.average.load_state_dict(self.network.state_dict())
        self.guide = nn.Conv2d(settings.width, len(GUIDED) + 2, 1)
        trained = [*self.network.parameters(), *self.guide.parameters()]
        self.optimizer = torch.optim.Adam(trained, settings.lr, (0.9, 0.99))

    @property
    def done(self) -> float:
        """The fraction of the run that is over."""
        return self.step / self.settings.steps

    def batch(self) -> tuple[Tensor, Tensor, Tensor]:
        """Images in [0, 1], holes and guides of this step."""
        random = np.random.RandomState(self.settings.seed * 1_000_000 + self.step)
        indices = random.randint(0, len(self.pool), self.settings.batch)
        each = [self._one(int(index), random) for index in indices]
        images, holes, guides = (torch.stack(part) for part in zip(*each, strict=True))
        return images, holes, guides

    def _one(self, index: int, random: np.random.RandomState) -> tuple[Tensor, Tensor, Tensor]:
        parts, names = self.pool.parts[index].float(), self.pool.names
        mirror, seed = random.randint(2), random.randint(2**31)
        hole = random_hole(
            seed, (SIZE, SIZE), PARTS, lambda name: parts[None, None, names.index(name)]
        )[0]
        image, guide = self.pool.images[index].float() / 255, self.pool.guides[index].float() / 127
        if mirror:
            image, hole, guide = image.flip(2), hole.flip(2), guide.flip(2)
            guide[len(GUIDED)] *= -1  # the coordinate across
        return image, hole, guide

    def train_step(self) -> dict[str, float]:
        """One step; returns the losses."""
        self._prepare()
        images, holes, guides = self.batch()
        losses = self._losses(images, holes, guides)
        weights = {
            "l1": 1.0,
            "guide": self.settings.guide_weight,
            "lpips": self.settings.lpips_weight,
        }
        self.optimizer.zero_grad(set_to_none=True)
        torch.stack([weights[name] * loss for name, loss in losses.items()]).sum().backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        self._update_average()
        self.step += 1
        return {name: float(value.detach()) for name, value in losses.items()}

    def _losses(self, images: Tensor, holes: Tensor, guides: Tensor) -> dict[str, Tensor]:
        seen, known = images * (1 - holes), 1 - holes
        merged, found = self.network.gather(seen, known)
        combine = self.network.combination.combine
        filled = self.network.finish(combine(self.network.enlargement(merged), seen, known, found))
        weight = 6 * (holes + self.settings.known_weight * (1 - holes))
        losses = {
            "l1": ((filled - images).abs() * weight).mean(),
            "guide": ((self.guide(merged) - guides).abs() * F.max_pool2d(weight, 2)).mean(),
        }
        if self.done >= PERCEPTUAL:
            half = len(images) // 2  # of the batch; enough, and faster
            composite = torch.where(holes > 0, filled, images)[:half]
            losses["lpips"] = self.perceptual(2 * composite - 1, 2 * images[:half] - 1).mean()
        return losses

    def _prepare(self) -> None:
        """Step size and mode of this step."""
        warm = min(1.0, (self.step + 1) / 50)
        for group in self.optimizer.param_groups:
            group["lr"] = self.settings.lr * warm * 0.5 * (1 + math.cos(math.pi * self.done))
        self.network.train()
        if self.done >= FIXED_NORMS:
            for module in self.network.modules():
                if isinstance(module, BatchNorm):
                    module.eval()

    def _update_average(self) -> None:
        update_average(
            self.average,
            self.network,
            seen_images=self.step * self.settings.batch,
            batch_images=self.settings.batch,
            halflife_kimg=self.settings.average_kimg,
        )
        for kept, buffer in zip(self.average.buffers(), self.network.buffers(), strict=True):
            kept.copy_(buffer)


@torch.no_grad()
def sheet(trainer: Trainer) -> Tensor:
    """Input, filled by the network in eval mode, and truth, of the next batch."""
    images, holes, _ = trainer.batch()
    network = trainer.average.eval() if trainer.done >= FIXED_NORMS else trainer.network.eval()
    filled = torch.where(holes > 0, network(images * (1 - holes), 1 - holes), images)
    hidden = torch.where(holes > 0, torch.full_like(images, 0.5), images)
    return grid(torch.cat([hidden, filled.clamp(0, 1), images]) * 2 - 1, columns=len(images))


def run(settings: Settings, folder: Path, minutes: float) -> Iterator[dict[str, object]]:
    """Train, yielding a record every 50 steps; resumes by itself."""
    perceptual = load_lpips().network
    trainer = Trainer(settings, load_pool(folder / "pool.pt", settings.people), perceptual)
    yield from train(trainer, settings.steps, folder, minutes, sheet)


@click.command()
@click.option("-o", "--output", type=click.Path(path_type=Path), default="runs/inpaint")
@click.option("--steps", type=int, default=Settings.steps, help="How many in all.")
@click.option("--minutes", type=float, default=math.inf, help="End this piece after so many.")
@click.option("--threads", type=int, default=2, show_default=True, help="Of the processor.")
def main(output: Path, steps: int, minutes: float, threads: int) -> None:
    """Train the generator of the bundled portraits-inpaint."""
    torch.set_num_threads(threads)
    output.mkdir(parents=True, exist_ok=True)
    settings = Settings(steps=steps)
    (output / "settings.json").write_text(json.dumps(asdict(settings), indent=2))
    log_records(run(settings, output, minutes), output)


if __name__ == "__main__":
    main()
