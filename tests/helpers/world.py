"""A world in a folder for the commands: a tiny random generator, projectors, images and edits."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from click.testing import CliRunner, Result

from regen.cli import main
from regen.generators.stylegan2.files import save_stylegan2
from regen.generators.stylegan2.generator import StyleGAN2
from regen.generators.stylegan2.network import StyleGAN2Config
from regen.images import save_image
from regen.projector.config import ProjectorConfig
from regen.projector.files import save_projector
from regen.projector.network import BackwardProjector

VALUE_LAYER = 5

Content = dict[str, Any]


def tiny_generator(seed: int) -> StyleGAN2:
    """A random StyleGAN2 of 32x32 pixels and 7 convolutions."""
    torch.manual_seed(seed)
    config = StyleGAN2Config(
        resolution=32, z_dim=8, w_dim=8, channel_base=256, channel_max=8, mapping_layers=2
    )
    generator = StyleGAN2(config).eval().requires_grad_(False)
    for layer in range(1, generator.convolutions + 1):
        generator.conv(layer).noise_strength.fill_(0.2)
    return generator


def tiny_projector(generator: StyleGAN2) -> BackwardProjector:
    """An untrained projector for the value layer."""
    split = generator.split(VALUE_LAYER, 1)
    architecture = ProjectorConfig.for_split(split, generator, widths=(8, 8), blocks=(1, 1))
    return BackwardProjector(architecture).eval()


def fill(folder: Path) -> None:
    """Write what a `World` holds, edits.json left out."""
    with torch.random.fork_rng():
        for name, seed in (("g", 1), ("other", 2)):
            generator = tiny_generator(seed)
            save_stylegan2(folder / f"{name}.safetensors", generator, card={"licence": "CC0-1.0"})
            projector = tiny_projector(generator)
            path = folder / ("p.safetensors" if name == "g" else "other_p.safetensors")
            save_projector(path, projector, generator, VALUE_LAYER, card={})
        save_image(folder / "cat.png", torch.rand(1, 3, 40, 50) * 2 - 1)


@dataclass(frozen=True)
class World:
    """The folder that holds everything, which is also the current one.

    Attributes:
        folder: Holds g.safetensors, p.safetensors, other.safetensors, other_p.safetensors (which
            belongs to other), cat.png (50 x 40 pixels) and edits.json.
    """

    folder: Path

    def run(self, *words: str | Path) -> Result:
        """Run `regen` with these words; an error that it does not handle is raised."""
        result = CliRunner().invoke(main, [str(word) for word in words], catch_exceptions=False)
        return result

    def edits(self, change: Callable[[Content], None] | None = None) -> Path:
        """Write edits.json, changed in place by `change`."""
        content: Content = {
            "version": 1,
            "generator": "g.safetensors",
            "projector": "p.safetensors",
            "value_layer": VALUE_LAYER,
            "memory_layers": 2,
            "edits": [
                {
                    "exemplar": "cat.png",
                    "region": {"box": [10, 10, 30, 25]},
                    "targets": [
                        {"seed": 3, "region": {"box": [8, 8, 20, 18]}},
                        {"seed": 4, "truncation": 0.7, "region": {"box": [8, 8, 20, 18]}},
                    ],
                }
            ],
        }
        if change is not None:
            change(content)
        path = self.folder / "edits.json"
        path.write_text(json.dumps(content))
        return path

    def left(self, folder: str = "out") -> list[str]:
        """Names of all files in an output folder, including hidden ones."""
        place = self.folder / folder
        return sorted(path.name for path in place.iterdir()) if place.is_dir() else []
