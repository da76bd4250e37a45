"""Small random MUNIT networks in which every parameter matters."""

from __future__ import annotations

from typing import Any

import torch

from regen.generators.bundled import renderer
from regen.generators.munit.config import MUNITConfig
from regen.generators.munit.generator import Translator
from regen.generators.munit.network import MUNIT


def lively(
    layout: str = "2018", *, people: bool = False, seed: int = 0, **changes: Any
) -> Translator:
    """A generator with such a network.

    Args:
        layout: As in `MUNITConfig`.
        people: Whether it has the oracle of rendered people, as cats.
        seed: Of the weights.
        **changes: As those of `lively_network`.
    """
    network = lively_network(layout, seed=seed, **changes)
    generator = Translator(network.config).eval().requires_grad_(False)
    generator.network = network
    if people:
        generator.oracle = generator.limited(renderer(generator.image_size))
    return generator


def lively_network(layout: str = "2018", *, seed: int = 0, **changes: Any) -> MUNIT:
    """Width 4, one block and a mapping of 16 at 32x32, with norms and biases that do something.

    Args:
        layout: As in `MUNITConfig`.
        seed: Of the weights.
        **changes: Fields of `MUNITConfig`.
    """
    fields = {"width": 4, "blocks": 1, "style": 8, "mapping": 16, "size": 32}
    config = MUNITConfig(layout=layout, **{**fields, **changes})
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        network = MUNIT(config).eval().requires_grad_(False)
        for name, tensor in network.state_dict().items():
            if name.endswith("norm.weight"):
                tensor.uniform_(0.6, 1.4)
            elif name.endswith("bias"):
                tensor.normal_(std=0.3)
        network.last.weight.mul_(0.3)  # so that tanh is not flat
    return network


def images_and_styles(
    count: int, size: tuple[int, int], seed: int = 0, style: int = 8
) -> tuple[torch.Tensor, torch.Tensor]:
    """Random images ``[N, 3, H, W]`` in [-1, 1] and styles ``[N, style]``."""
    random = torch.Generator().manual_seed(seed)
    image = torch.rand(count, 3, *size, generator=random) * 2 - 1
    return image, torch.randn(count, style, generator=random)
