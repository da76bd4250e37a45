"""Train the bundled portraits-cats: a MUNIT network that makes rendered people into cats.

    python -m experiments.cats.train_generator -o runs/cats --minutes 15

The same command resumes the training exactly; `--minutes` ends a piece of it early. The renderer
knows every person as a cat in any style, so training is paired: there is no discriminator and no
cycle, and of MUNIT's two auto-encoders only the half from people to cats is made. The style encoder
learns the known codes of rendered cats. The last part of the run adds LPIPS, and codes are also
read from translations.

A convolution that is thrown away afterwards reads from the features before the last two layers
where in the face they are. What it teaches the network is what a rewrite needs: keys that tell the
parts of a head apart.
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
from torch import Tensor, nn

from experiments.cats.pool import GUIDED, Pool, load_pool
from experiments.recipe import Training, log_records, train
from regen.generators.munit.config import LAYOUTS, MUNITConfig
from regen.generators.munit.network import MUNIT
from regen.images import grid
from regen.metrics.perceptual import Lpips, load_lpips
from regen.portraits import STYLE_DIM
from regen.precision import compute_dtype, name_of
from regen.training.moving_average import update_average

PERCEPTUAL = 0.8  # from which fraction of the run on


@dataclass(frozen=True)
class Settings:
    """The whole run.

    Attributes:
        layout, width, blocks, mapping, size: Of the network.
        steps: How many; the step size falls to 0 on a cosine.
        batch: Images a step.
        lr: Largest step size of Adam.
        people: Size of the pool.
        styles: In how many styles the pool has each person.
        lpips_weight: Weight of LPIPS, of half of the translations, at the end.
        style_weight: Weight of the codes that are read from rendered cats; a quarter of it is that
            of codes read from translations.
        guide_weight: Weight of where in the face the features say they are.
        average_kimg: Half-life of the moving average, in thousands of images.
        seed: Of the weights and of everything drawn.
    """

    layout: str = "2021"
    width: int = 24
    blocks: int = 3
    mapping: int = 192
    size: int = 64
    steps: int = 4800
    batch: int = 8
    lr: float = 1e-3
    people: int = 6144
    styles: int = 4
    lpips_weight: float = 0.3
    style_weight: float = 0.1
    guide_weight: float = 0.1
    average_kimg: float = 1.0
    seed: int = 0


class Trainer(Training):
    """Network, its moving average, optimiser and random numbers."""

    def __init__(self, settings: Settings, pool: Pool, lpips: Lpips) -> None:
        self.settings, self.pool, self.lpips = settings, pool, lpips
        torch.manual_seed(settings.seed)
        config = MUNITConfig(
            settings.layout,
            settings.width,
            settings.blocks,
            STYLE_DIM,
            settings.mapping,
            settings.size,
        )
        self.network, self.average = MUNIT(config), MUNIT(config)
        with torch.no_grad():
            self.network.last.weight.mul_(0.1)  # start near a grey image
        self.average.load_state_dict(self.network.state_dict())
        self.guide = nn.Conv2d(config.channels[-1], len(GUIDED) + 2, 1)
        trained = [*self.network.parameters(), *self.guide.parameters()]
        self.optimizer = torch.optim.Adam(trained, settings.lr, (0.9, 0.99))
        self.dtype = compute_dtype("auto", torch.device("cpu"))

    @property
    def done(self) -> float:
        """The fraction of the run that is over."""
        return self.step / self.settings.steps

    def batch(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """People, the same people as cats, their styles, and guides of this step."""
        random = np.random.RandomState(self.settings.seed * 1_000_000 + self.step)
        count = self.settings.batch
        indices = torch.from_numpy(random.randint(0, len(self.pool), count))
        styles = torch.from_numpy(random.randint(0, self.pool.codes.shape[1], count))
        people, cats = self.pool.people[indices], self.pool.cats[indices, styles]
        guides = self.pool.guides[indices].float() / 127
        return people / 127.5 - 1, cats / 127.5 - 1, self.pool.codes[indices, styles], guides

    def train_step(self) -> dict[str, float]:
        """One step; returns the losses."""
        warm = min(1.0, (self.step + 1) / 50)
        for group in self.optimizer.param_groups:
            group["lr"] = self.settings.lr * warm * 0.5 * (1 + math.cos(math.pi * self.done))
        with torch.autocast("cpu", self.dtype, enabled=self.dtype != torch.float32):
            losses = self._losses(*self.batch())
        style = self.settings.style_weight
        weights = {
            "l1": 1.0,
            "style": style,
            "guide": self.settings.guide_weight,
            "lpips": self.settings.lpips_weight,
            "translated style": 0.25 * style,
        }
        self.optimizer.zero_grad(set_to_none=True)
        torch.stack([weights[name] * loss for name, loss in losses.items()]).sum().backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        self.step += 1
        update_average(
            self.average,
            self.network,
            seen_images=self.step * self.settings.batch,
            batch_images=self.settings.batch,
            halflife_kimg=self.settings.average_kimg,
        )
        return {name: float(value.detach()) for name, value in losses.items()}

    def _losses(
        self, people: Tensor, cats: Tensor, codes: Tensor, guides: Tensor
    ) -> dict[str, Tensor]:
        translated, keys = self._translated(people, codes)
        encode = self.network.style_encoder
        losses = {
            "l1": (translated.float() - cats).abs().mean(),
            "style": (encode(cats).float() - codes).abs().mean(),
            "guide": (self.guide(keys).float() - guides).abs().mean(),
        }
        if self.done >= PERCEPTUAL:
            half = slice(len(people) // 2)  # of the batch; enough, and faster
            shown = translated[half].float().clamp(-1, 1)
            losses["lpips"] = self.lpips(shown, cats[half], differentiable=True).mean()
            read = encode(translated[half].detach()).float()
            losses["translated style"] = (read - codes[half]).abs().mean()
        return losses

    def _translated(self, people: Tensor, codes: Tensor) -> tuple[Tensor, Tensor]:
        """Translations, and the features before the two layers that enlarge."""
        code, last = self.network.mapping(codes), self.network.config.convolutions
        x, held = self.network.content_encoder(people), None
        for layer in self.network.layers(1, last - 2):
            x, held = layer(x, held, code)
        keys = x
        for layer in self.network.layers(last - 1, last):
            x, held = layer(x, held, code)
        return self.network.finish(x), keys


@torch.no_grad()
def sheet(trainer: Trainer, columns: int = 8) -> Tensor:
    """Person, translation in a style and in another, and the cat, of the next batch."""
    people, cats, codes, _ = (part[:columns] for part in trainer.batch())
    network = trainer.average
    images = [people, network(people, codes), cats, network(people, codes.roll(1, dims=0))]
    return grid(torch.cat(images).clamp(-1, 1), columns=len(people))


def run(settings: Settings, folder: Path, minutes: float) -> Iterator[dict[str, object]]:
    """Train, yielding a record every 50 steps; resumes by itself."""
    pool = load_pool(folder / "pool.pt", settings.people, settings.styles, settings.size)
    trainer = Trainer(settings, pool, load_lpips("squeeze"))
    yield from train(trainer, settings.steps, folder, minutes, sheet)


@click.command()
@click.option("-o", "--output", type=click.Path(path_type=Path), default="runs/cats")
@click.option("--layout", type=click.Choice(LAYOUTS), default=Settings.layout, show_default=True)
@click.option("--steps", type=int, default=Settings.steps, help="How many in all.")
@click.option("--batch", type=int, default=Settings.batch, help="Images a step.")
@click.option("--people", type=int, default=Settings.people, help="Size of the pool.")
@click.option("--minutes", type=float, default=math.inf, help="End this piece after so many.")
@click.option("--threads", type=int, default=2, show_default=True, help="Of the processor.")
def main(
    output: Path, layout: str, steps: int, batch: int, people: int, minutes: float, threads: int
) -> None:
    """Train the generator of the bundled portraits-cats."""
    torch.set_num_threads(threads)
    output.mkdir(parents=True, exist_ok=True)
    settings = Settings(layout=layout, steps=steps, batch=batch, people=people)
    precision = name_of(compute_dtype("auto", torch.device("cpu")))
    record = json.dumps(asdict(settings) | {"precision": precision}, indent=2)
    (output / "settings.json").write_text(record)
    log_records(run(settings, output, minutes), output)


if __name__ == "__main__":
    main()
