"""A stand-in for CUDA graphs on the processor."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.fx.experimental.proxy_tensor import make_fx

from regen.training.graphs import Outputs, Replay


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

    def __call__(self, call: Callable[[], Outputs]) -> tuple[Replay, Outputs]:
        traced = make_fx(lambda: list(call()))()
        outputs = tuple(None if o is None else o.detach().clone() for o in traced())

        def replay() -> None:
            self.replays += 1
            for place, new in zip(outputs, traced(), strict=True):
                if place is not None:
                    with torch.no_grad():
                        place.copy_(new)

        return replay, outputs
