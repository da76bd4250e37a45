"""Adam without the module `torch.optim`, whose first optimiser imports torch's compiler: seconds.

Source: Kingma and Ba 2015, "Adam: a Method for Stochastic Optimization", Algorithm 1; the update is
torch's own function. A short fit takes it; a long training takes `torch.optim.Adam`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.optim.adam import adam

from regen.training.memory_format import laid_out_as


class QuickAdam:
    """Adam for some tensors, which are changed in place.

    Args:
        variables: Leaves that require gradients, float32 or wider.
        betas: Decay of the two running means, each in [0, 1).
    """

    def __init__(self, variables: Sequence[Tensor], betas: tuple[float, float]) -> None:
        self.variables, self.betas = list(variables), betas
        self.means = [torch.zeros_like(v) for v in self.variables]
        self.squares = [torch.zeros_like(v) for v in self.variables]
        self.steps = [torch.zeros([], device=v.device) for v in self.variables]

    @torch.no_grad()
    def step(self, gradients: Sequence[Tensor], lr: float) -> None:
        """One step down the gradients, with step size `lr` in units of the variables."""
        adam(
            self.variables,
            [laid_out_as(g, v) for g, v in zip(gradients, self.variables, strict=True)],
            self.means,
            self.squares,
            [],
            self.steps,
            fused=True,
            amsgrad=False,
            beta1=self.betas[0],
            beta2=self.betas[1],
            lr=lr,
            weight_decay=0.0,
            eps=1e-8,
            maximize=False,
        )


def decline(done: float) -> float:
    """Factor of a step size that falls from 1 to a tenth on a cosine; `done` is from 0 to 1."""
    return 0.1 + 0.45 * (1 + math.cos(math.pi * done))


def rise_and_decline(done: float) -> float:
    """`decline` that takes effect little by little over the first half; at most about 1.

    Adam's first steps are as long in every direction, whatever its gradient. What they
    change by mistake must then be found again.

    Args:
        done: From 0 to 1; of a step, its middle.
    """
    return 1.79 * min(1.0, 2 * done) * decline(done)
