from __future__ import annotations

import copy

import torch
from torch import nn

from regen.training.adam import adam, load_adam


def step(optimizer: torch.optim.Adam, parameter: nn.Parameter) -> None:
    parameter.grad = torch.ones_like(parameter)
    optimizer.step()


def test_the_processor_has_torchs_own_adam() -> None:
    ours, theirs = (nn.Parameter(torch.zeros(3)) for _ in range(2))
    mine = adam([ours], 0.1, (0.5, 0.9))
    usual = torch.optim.Adam([theirs], lr=0.1, betas=(0.5, 0.9), eps=1e-8)
    for _ in range(3):
        step(mine, ours)
        step(usual, theirs)
    assert torch.equal(ours, theirs)
    assert not mine.param_groups[0]["fused"] and not mine.param_groups[0]["capturable"]


def test_a_state_of_a_gpu_continues_as_suits_this_device() -> None:
    parameter, other = (nn.Parameter(torch.zeros(3)) for _ in range(2))
    before, after = adam([parameter], 0.1, (0.5, 0.9)), adam([other], 0.3, (0.0, 0.9))
    step(before, parameter)
    with torch.no_grad():
        other.copy_(parameter)
    state = copy.deepcopy(before.state_dict())
    state["param_groups"][0] |= {"fused": True, "capturable": True}
    load_adam(after, state)
    (group,) = after.param_groups
    assert (group["lr"], group["betas"]) == (0.1, (0.5, 0.9))
    assert not group["fused"] and not group["capturable"]
    step(before, parameter)
    step(after, other)
    assert torch.equal(parameter, other)
