"""A stand-in for CUDA graphs on the processor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.fx.experimental.proxy_tensor import make_fx

from regen.training.graphs import Replay
from regen.training.trees import tensors_of, with_tensors


class Tracer:
    """Records as a CUDA graph does: the operators that ran and the places of their tensors.

    Everything else that the function did is gone when it is replayed, so a step that depends on a
    number of Python's, or on a tensor that is made anew each time, does not give the same result.
    What asks a tensor for a number cannot be recorded.

    Attributes:
        replays: How many there were.
    """

    def __init__(self) -> None:
        self.replays = 0

    def __call__(self, call: Callable[[], Any]) -> tuple[Replay, Any]:
        trees: list[Any] = []

        def listed() -> list[Tensor]:
            trees.append(call())
            return list(tensors_of(trees[-1]))

        traced = make_fx(listed)()
        places = [tensor.detach().clone() for tensor in traced()]

        def replay() -> None:
            self.replays += 1
            for place, new in zip(places, traced(), strict=True):
                with torch.no_grad():
                    place.copy_(new)

        return replay, with_tensors(trees[0], iter(places))
