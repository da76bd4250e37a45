"""The parts of a training, networks and their optimisers: a step of one, and the states of all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from regen.training.adam import load_adam
from regen.training.distributed import Workers
from regen.training.graphs import set_gradients

Parts = Mapping[str, nn.Module | torch.optim.Adam]


def descend(
    workers: Workers,
    found: Sequence[Tensor | None],
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
) -> None:
    """One step of an optimiser along a gradient, its mean over all processes.

    Args:
        workers: The processes; all must call this.
        found: The gradient of each parameter in this process; None leaves one as it is.
        network: Has the parameters.
        optimizer: Of the same.
    """
    set_gradients(network.parameters(), tuple(found))
    workers.average_gradients(network.parameters())
    optimizer.step()


def states_of(parts: Parts) -> dict[str, Any]:
    """The state of each part, as `load_states` takes them."""
    return {name: part.state_dict() for name, part in parts.items()}


def load_states(parts: Parts, states: Mapping[str, Any]) -> None:
    """Continue from states, in place; those of optimisers may be of another device.

    Args:
        parts: The same as when the states were taken.
        states: By name; others are left alone.
    """
    for name, part in parts.items():
        if isinstance(part, torch.optim.Adam):
            load_adam(part, states[name])
        else:
            part.load_state_dict(states[name])
