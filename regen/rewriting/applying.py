"""Images of samples with rewrites applied, from keys that are known already.

A rewrite of the layers of one memory leaves the keys before it as they are, so that only memory and
tail are computed.

Shapes: N samples; H, W their images.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from regen.generators.protocol import Generator
from regen.generators.split import Activation, Split
from regen.rewriting.preserved import images_of
from regen.rewriting.rewrite import Rewrite, compose


def combined(rewrites: Sequence[tuple[Rewrite, float]]) -> Rewrite | None:
    """Rewrites, each at its strength, as one; None where there is none, or all are at 0.

    Raises:
        RewriteError: If they belong to different generators, or a strength is not finite.
    """
    used = [rewrite.scaled(strength) for rewrite, strength in rewrites if strength]
    if not used:
        return None
    return used[0] if len(used) == 1 else compose(used)


def is_within(rewrite: Rewrite, split: Split) -> bool:
    """Whether a rewrite changes weights of this memory and no others."""
    return set(rewrite.deltas) <= {split.full_name(name) for name in split.memory_weights()}


@torch.no_grad()
def images_after(generator: Generator, split: Split, keys: Activation, rewrite: Rewrite) -> Tensor:
    """Images that keys lead to, with a rewrite that `is_within` the memory.

    Args:
        generator: The one that the rewrite was made for, without it.
        split: The same, cut.
        keys: Of N samples.
        rewrite: What is added to the memory's weights.

    Returns:
        ``[N, 3, H, W]`` in [-1, 1], float32 on the CPU.
    """
    weights = {}
    for name, weight in split.memory_parameters().items():
        delta = rewrite.deltas.get(split.full_name(name))
        if delta is not None:
            weights[name] = weight + delta.to(weight)
    return images_of(generator, split, keys, weights)
