"""Train the bundled portraits: a StyleGAN2 that generates what the portrait renderer draws.

    python -m experiments.portraits.train_generator -o runs/portraits

Seed and image are tied: the network sees z, the renderer sees the same z, and the loss compares
the two images (L1 and LPIPS). It is grown from 64x64, and ends with an adversarial phase for
sharpness. Everything counts in images, so a run can be repeated; the same command resumes it.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
import torch
from torch import Tensor, nn

from experiments.portraits.discriminator import Discriminator
from regen.files.atomic import atomic_write
from regen.generators.stylegan2.config import StyleGAN2Config
from regen.generators.stylegan2.generator import StyleGAN2
from regen.generators.stylegan2.latent import StyleLatent
from regen.images import grid, save_image
from regen.losses import discriminator_loss, generator_loss, r1_penalty
from regen.metrics.perceptual import load_lpips
from regen.portraits import Z_DIM, attributes, region, render
from regen.precision import compute_dtype
from regen.training.moving_average import update_average


@dataclass(frozen=True)
class Stage:
    """One stretch of training at one resolution.

    Attributes:
        resolution: Pixels.
        kimg: Thousands of images.
        lr: Peak Adam step size; rises over the first 2 % and falls to `lr_end` on a cosine.
        lr_end: Last step size.
        lpips_weight: Weight of LPIPS beside an L1 of weight 1.
        detail_weight: Eyes and mouth count ``1 + detail_weight`` times in the L1. They are small,
            and their colours are otherwise the last thing to be learned.
        adversarial_weight: Weight of the generator's non-saturating loss.
    """

    resolution: int
    kimg: float
    lr: float
    lr_end: float
    lpips_weight: float
    detail_weight: float = 0.0
    adversarial_weight: float = 0.0


@dataclass(frozen=True)
class TrainConfig:
    """The whole run; `stages` follow one another."""

    stages: tuple[Stage, ...]
    batch: int = 16
    w_dim: int = 128
    channel_base: int = 4096
    channel_max: int = 128
    mapping_layers: int = 3
    mapping_lr_multiplier: float = 1.0
    ema_halflife_kimg: float = 2.0
    discriminator_lr: float = 0.002
    r1_gamma: float = 0.5
    r1_every_steps: int = 16
    seed: int = 0

    def architecture(self, resolution: int) -> StyleGAN2Config:
        """The generator of one stage."""
        return StyleGAN2Config(
            resolution=resolution,
            z_dim=Z_DIM,
            w_dim=self.w_dim,
            channel_base=self.channel_base,
            channel_max=self.channel_max,
            mapping_layers=self.mapping_layers,
            mapping_lr_multiplier=self.mapping_lr_multiplier,
        )


def step_size(stage: Stage, done: float) -> float:
    """Adam's step size when the fraction `done` of a stage is over."""
    warm = min(1.0, done / 0.02 + 0.01)
    cosine = 0.5 * (1 + math.cos(math.pi * done))
    return warm * (stage.lr_end + (stage.lr - stage.lr_end) * cosine)


def images(g: StyleGAN2, z: Tensor) -> Tensor:
    """Images of z without noise, ``[N, 3, R, R]``."""
    fake: Tensor = g(StyleLatent(g.style_codes(z), (None,) * g.convolutions))
    return fake


class Trainer:
    """Generator, its moving average, discriminator and optimisers of the running stage."""

    def __init__(self, config: TrainConfig, index: int, perceptual: nn.Module) -> None:
        stage = config.stages[index]
        self.config, self.stage, self.perceptual = config, stage, perceptual
        torch.manual_seed(config.seed)
        architecture = config.architecture(stage.resolution)
        self.g, self.ema = StyleGAN2(architecture), StyleGAN2(architecture)
        self.ema.load_state_dict(self.g.state_dict())
        self.g.precision = compute_dtype("auto", torch.device("cpu"))
        self.d = Discriminator(stage.resolution)
        self.g_opt = torch.optim.Adam(self.g.parameters(), lr=stage.lr, betas=(0.9, 0.99))
        self.d_opt = torch.optim.Adam(
            self.d.parameters(), lr=config.discriminator_lr, betas=(0.0, 0.99)
        )
        self.render: Callable[[Tensor], tuple[Tensor, Tensor]] = torch.compile(
            self._render, dynamic=False
        )
        self.z_source = torch.Generator().manual_seed(config.seed + 1000 * (index + 1))
        self.step = 0

    def _render(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Images of z, and how much each pixel counts, ``[N, 1, R, R]``."""
        people, size = attributes(z), self.stage.resolution
        detail = torch.maximum(region(people, "eyes", size), region(people, "mouth", size))
        return render(people, size), 1 + self.stage.detail_weight * detail

    def state(self) -> dict[str, object]:
        """Everything a resumed run needs."""
        return {
            "g": self.g.state_dict(),
            "ema": self.ema.state_dict(),
            "d": self.d.state_dict(),
            "g_opt": self.g_opt.state_dict(),
            "d_opt": self.d_opt.state_dict(),
            "z_source": self.z_source.get_state(),
            "step": self.step,
        }

    def load(self, state: dict[str, Any]) -> None:
        """Continue from `state`."""
        for name in ("g", "ema", "d", "g_opt", "d_opt"):
            getattr(self, name).load_state_dict(state[name])
        self.z_source.set_state(state["z_source"])
        self.step = int(state["step"])

    def grow_from(self, smaller: StyleGAN2) -> None:
        """Take over all layers that a generator of lower resolution has."""
        for network in (self.g, self.ema):
            network.load_state_dict(smaller.state_dict(), strict=False)
        if smaller.resolution == self.g.resolution:
            return
        with torch.no_grad():  # start from the enlarged smaller image
            last = str(self.g.convolutions)
            for network in (self.g, self.ema):
                network.synthesis.get_parameter(f"rgbs.{last}.weight").zero_()

    def train_step(self) -> dict[str, float]:
        """One step; returns the losses."""
        done = self.step * self.config.batch / (self.stage.kimg * 1000)
        for group in self.g_opt.param_groups:
            group["lr"] = step_size(self.stage, done)
        z = torch.randn(self.config.batch, Z_DIM, generator=self.z_source)
        with torch.no_grad():
            real, weight = self.render(z)
        fake = images(self.g, z)
        losses = {"l1": ((fake - real).abs() * weight).mean() / weight.mean()}
        if self.stage.lpips_weight:
            dtype = self.g.precision
            with torch.autocast("cpu", dtype, enabled=dtype != torch.float32):
                half = len(z) // 2  # of the batch; enough, and faster
                losses["lpips"] = self.perceptual(fake[:half], real[:half]).float().mean()
        loss = losses["l1"] + self.stage.lpips_weight * losses.get("lpips", 0.0)
        if self.stage.adversarial_weight:
            losses["adversarial"] = generator_loss(self.d(fake))
            loss = loss + self.stage.adversarial_weight * losses["adversarial"]
        self.g_opt.zero_grad(set_to_none=True)
        loss.backward()
        self.g_opt.step()
        if self.stage.adversarial_weight:
            losses.update(self._discriminator_step(real, fake.detach()))
        self._average()
        self.step += 1
        return {name: float(value) for name, value in losses.items()}

    def _discriminator_step(self, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        fake_logits = self.d(fake)
        loss = discriminator_loss(self.d(real), fake_logits)
        losses = {"discriminator": loss.detach()}
        if self.step % self.config.r1_every_steps == 0:
            x = real.clone().requires_grad_()
            r1 = r1_penalty(self.d(x), x)
            losses["r1"] = r1.detach()
            loss = loss + r1 * (self.config.r1_gamma * self.config.r1_every_steps)
        self.d_opt.zero_grad(set_to_none=True)
        loss.backward()
        self.d_opt.step()
        return losses

    def _average(self) -> None:
        update_average(
            self.ema,
            self.g,
            seen_images=self.step * self.config.batch,
            batch_images=self.config.batch,
            halflife_kimg=self.config.ema_halflife_kimg,
        )


@torch.no_grad()
def set_mean_style(g: StyleGAN2, samples: int = 20_000) -> None:
    """Store the mean of w over random z, which truncation pulls towards."""
    z = torch.randn(samples, Z_DIM, generator=torch.Generator().manual_seed(1))
    g.mapping.w_mean.copy_(g.mapping(z).mean(dim=0))


def sheet(trainer: Trainer) -> Tensor:
    """Renderer above generator, for twelve seeds."""
    z = trainer.ema.seeds_to_z(range(12))
    with torch.no_grad():
        return grid(torch.cat([trainer.render(z)[0], images(trainer.ema, z)]), columns=12)


def run(config: TrainConfig, folder: Path, report_every: int = 200) -> Iterator[dict[str, object]]:
    """Train all stages, yielding a record every `report_every` steps; resumes by itself."""
    perceptual = load_lpips().network
    perceptual = perceptual.to(memory_format=torch.channels_last)
    checkpoint = folder / "checkpoint.pt"
    saved = torch.load(checkpoint, weights_only=True) if checkpoint.exists() else None
    previous: StyleGAN2 | None = None
    for index, stage in enumerate(config.stages):
        trainer = Trainer(config, index, perceptual)
        if saved is not None and saved["stage"] > index:
            continue
        if saved is not None:
            trainer.load(saved["trainer"])
            saved = None
        elif previous is not None:
            trainer.grow_from(previous)
        began, first = time.perf_counter(), trainer.step
        sums: dict[str, list[float]] = {}
        while trainer.step * config.batch < stage.kimg * 1000:
            for name, value in trainer.train_step().items():
                sums.setdefault(name, []).append(value)
            if trainer.step % report_every == 0:
                means = {k: round(sum(v) / len(v), 5) for k, v in sums.items()}
                if not all(math.isfinite(v) for v in means.values()):
                    raise SystemExit(f"loss is not finite at step {trainer.step}: {means}")
                rate = (trainer.step - first) * config.batch / (time.perf_counter() - began)
                yield {
                    "resolution": stage.resolution,
                    "kimg": trainer.step * config.batch / 1000,
                    "images_per_second": round(rate, 1),
                    "lr": round(trainer.g_opt.param_groups[0]["lr"], 6),
                    **means,
                }
                sums = {}
                save_image(folder / f"sheet{index}_{stage.resolution}.png", sheet(trainer))
                with atomic_write(checkpoint) as temporary:
                    torch.save({"stage": index, "trainer": trainer.state()}, temporary)
        previous = trainer.ema
    assert previous is not None
    set_mean_style(previous)
    with atomic_write(folder / "generator.pt") as temporary:
        torch.save({"config": asdict(previous.config), "state": previous.state_dict()}, temporary)


STAGES = (
    Stage(resolution=64, kimg=40, lr=0.012, lr_end=0.008, lpips_weight=0.2),
    Stage(resolution=128, kimg=60, lr=0.006, lr_end=0.0006, lpips_weight=0.3, detail_weight=6),
    Stage(
        resolution=128,
        kimg=10,
        lr=0.0006,
        lr_end=0.0001,
        lpips_weight=0.3,
        detail_weight=6,
        adversarial_weight=0.01,
    ),
)


@click.command()
@click.option("-o", "--output", type=click.Path(path_type=Path), default="runs/portraits")
@click.option("--scale", type=float, default=1.0, help="Factor on the length of every stage.")
def main(output: Path, scale: float) -> None:
    """Train the generator of the bundled portraits."""
    output.mkdir(parents=True, exist_ok=True)
    stages = tuple(Stage(**{**asdict(s), "kimg": s.kimg * scale}) for s in STAGES)
    config = TrainConfig(stages)
    (output / "settings.json").write_text(json.dumps(asdict(config), indent=2))
    began = time.time()
    with (output / "log.jsonl").open("a") as log:
        for record in run(config, output):
            line = json.dumps({"seconds": round(time.time() - began), **record})
            print(line, flush=True)
            log.write(line + "\n")
            log.flush()


if __name__ == "__main__":
    main()
