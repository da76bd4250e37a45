"""Small random RFR networks in which every parameter matters."""

from __future__ import annotations

from typing import Any

import torch

from regen.generators.bundled import renderer
from regen.generators.rfr.config import RFRConfig
from regen.generators.rfr.generator import Inpainter


def lively(*, people: bool = False, seed: int = 0, **changes: Any) -> Inpainter:
    """Width 8, kernel 3 and two rounds at 32x32, with norms that are no identity.

    Args:
        people: Whether it has the oracle of rendered people.
        seed: Of the weights.
        **changes: Fields of `RFRConfig`.
    """
    config = RFRConfig(**{"width": 8, "kernel": 3, "rounds": 2, "size": 32, **changes})
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        generator = Inpainter(config).eval().requires_grad_(False)
        for name, tensor in generator.state_dict().items():
            if name.endswith("running_var") or "norm.weight" in name or "ratio" in name:
                tensor.uniform_(0.6, 1.4)
            elif name.endswith(("running_mean", "bias")):
                tensor.normal_(std=0.2)
    if people:
        generator.oracle = generator.limited(renderer(generator.image_size))
    return generator


def holed(count: int, size: tuple[int, int], seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Random images ``[N, 3, H, W]`` in [0, 1], 0 in a box of each, and 1 outside of it."""
    random = torch.Generator().manual_seed(seed)
    known = torch.ones(count, 1, *size)
    for number in range(count):
        top, left = (int(torch.randint(1, side // 2, (), generator=random)) for side in size)
        known[number, :, top : top + size[0] // 3, left : left + size[1] // 3] = 0
    return torch.rand(count, 3, *size, generator=random) * known, known
