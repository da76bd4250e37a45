"""The little that training in several processes needs. In one process everything is the identity.

`torchrun` starts the processes and names them in the environment. They draw different samples,
average their gradients, and so hold equal weights all along.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn


@dataclass(frozen=True)
class Workers:
    """This process among those that train together.

    Attributes:
        rank: Number of this process, from 0.
        count: How many there are.
    """

    rank: int = 0
    count: int = 1

    def average(self, tensor: Tensor) -> Tensor:
        """The mean over all processes; every process must call this."""
        if self.count > 1:
            dist.all_reduce(tensor)
            tensor /= self.count
        return tensor

    def wait(self) -> None:
        """Return when every process has come here."""
        if self.count > 1:
            dist.barrier()

    def average_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace each gradient by its mean over all processes, in one message."""
        if self.count == 1:
            return
        gradients = [p.grad for p in parameters if p.grad is not None]
        flat = self.average(torch.cat([g.flatten() for g in gradients]))
        pieces = flat.split([g.numel() for g in gradients])
        for gradient, piece in zip(gradients, pieces, strict=True):
            gradient.copy_(piece.view_as(gradient))

    def gather(self, tensor: Tensor) -> list[Tensor]:
        """The tensors of all processes, in the order of their ranks; shapes are equal."""
        if self.count == 1:
            return [tensor]
        every = [torch.empty_like(tensor) for _ in range(self.count)]
        dist.all_gather(every, tensor)
        return every


@contextmanager
def workers() -> Iterator[Workers]:
    """Join the processes that `torchrun` started, and leave them at the end."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield Workers()
        return
    joined = not dist.is_initialized()
    if joined:
        dist.init_process_group("gloo")
    try:
        yield Workers(dist.get_rank(), dist.get_world_size())
    finally:
        if joined:
            dist.destroy_process_group()
