"""`regen.training.parts`: steps along a gradient, and states of networks and optimisers."""

from __future__ import annotations

import copy
from collections.abc import Iterable

import torch
from torch import nn

from regen.training.adam import adam
from regen.training.distributed import Workers
from regen.training.parts import Parts, descend, load_states, states_of


class Halves(Workers):
    """As if another process had found no gradient."""

    def average_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        for parameter in parameters:
            if parameter.grad is not None:
                parameter.grad /= 2


def test_a_step_goes_along_the_mean_of_all_processes() -> None:
    network = nn.Linear(2, 1)
    network.requires_grad_(True)
    before, bias = network.weight.clone(), network.bias.clone()
    optimizer = torch.optim.SGD(network.parameters(), lr=1.0)
    descend(Halves(), [torch.ones(1, 2), None], network, optimizer)
    assert torch.equal(network.weight, before - 0.5) and torch.equal(network.bias, bias)


def trained(steps: int) -> Parts:
    network = nn.Linear(2, 1)
    optimizer = adam(network.parameters(), 0.1, (0.5, 0.9))
    for _ in range(steps):
        descend(Workers(), [torch.ones(1, 2), torch.ones(1)], network, optimizer)
    return {"network": network, "optimizer": optimizer}


def test_a_state_is_continued_from_and_the_rest_of_it_left_alone() -> None:
    one, other = trained(3), trained(0)
    load_states(other, copy.deepcopy({**states_of(one), "done": 3}))
    for parts in (one, other):
        network, optimizer = parts["network"], parts["optimizer"]
        assert isinstance(network, nn.Module) and isinstance(optimizer, torch.optim.Adam)
        descend(Workers(), [-torch.ones(1, 2), torch.ones(1)], network, optimizer)
    for mine, theirs in zip(
        states_of(one)["network"].values(), states_of(other)["network"].values(), strict=True
    ):
        assert torch.equal(mine, theirs)
