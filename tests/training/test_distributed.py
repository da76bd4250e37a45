from __future__ import annotations

import torch
from torch import nn

from regen.training.distributed import Workers, workers


def test_one_process_is_the_identity() -> None:
    with workers() as group:
        assert group == Workers(rank=0, count=1)
        x = torch.tensor([2.0])
        assert group.average(x) is x and group.gather(x) == [x]
        parameter = nn.Parameter(torch.zeros(1))
        parameter.grad = torch.ones(1)
        group.average_gradients([parameter])
        assert parameter.grad.item() == 1
