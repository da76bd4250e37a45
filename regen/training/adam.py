"""Adam as every training uses it: one kernel for all parameters where a GPU computes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn


def adam(
    parameters: Iterable[nn.Parameter],
    lr: float,
    betas: tuple[float, float],
    eps: float = 1e-8,
) -> torch.optim.Adam:
    """Adam; fused and without a word to the host on a GPU.

    Args:
        parameters: All on one device.
        lr: Step size.
        betas: Decay of the moments.
        eps: Added to the root of the second moment.
    """
    every = list(parameters)
    fused = all(parameter.is_cuda for parameter in every)
    # torch sums in another order where it is fused, so that the processor keeps what it has.
    return torch.optim.Adam(
        every, lr=lr, betas=betas, eps=eps, fused=fused or None, capturable=fused
    )


def load_adam(optimizer: torch.optim.Adam, state: dict[str, Any]) -> None:
    """Continue from a state, which may be of another device, in the way that suits this one."""
    ours = [{name: group[name] for name in _OF_DEVICE} for group in optimizer.param_groups]
    groups = [{**group, **own} for group, own in zip(state["param_groups"], ours, strict=True)]
    optimizer.load_state_dict({**state, "param_groups": groups})


_OF_DEVICE = ("fused", "capturable")
