"""The little that training in several processes needs. In one process everything is the identity.

`torchrun` starts the processes and names them in the environment. They train on different samples,
average their gradients, and so hold equal weights throughout.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn

from regen.errors import TrainingError
from regen.training.environment import local_rank, process_count


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
        """The mean over all processes, in place; every process must call this."""
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
        pieces = torch.split(flat, [g.numel() for g in gradients])
        views = [piece.view_as(g) for piece, g in zip(pieces, gradients, strict=True)]
        torch._foreach_copy_(gradients, views)

    def gather(self, tensor: Tensor) -> list[Tensor]:
        """The tensors of all processes, in the order of their ranks; shapes are equal."""
        if self.count == 1:
            return [tensor]
        every = [torch.empty_like(tensor) for _ in range(self.count)]
        dist.all_gather(every, tensor)
        return every


def own_device(device: str) -> torch.device:
    """The device of this process: under `torchrun` each has a GPU of its own.

    Args:
        device: "cpu", "cuda" or "mps". For "cuda" the GPU of this process's local rank becomes
            torch's current one.

    Raises:
        TrainingError: If `torchrun` started more processes than there are GPUs.
    """
    number = local_rank()
    if device != "cuda" or number is None:
        return torch.device(device)
    if number >= torch.cuda.device_count():
        raise TrainingError(
            "processes on this machine",
            got=f"{number + 1} or more",
            expected=f"at most {torch.cuda.device_count()}, one for each GPU",
            remedy="start torchrun with --nproc-per-node of that number, or give --device cpu",
        )
    torch.cuda.set_device(number)
    return torch.device("cuda", number)


@contextmanager
def workers(device: torch.device) -> Iterator[Workers]:
    """Join the processes that `torchrun` started, and leave them at the end.

    Inside another such block this is the same group once more.

    Args:
        device: Where this process trains. On a GPU, tensors there are exchanged by NCCL; tensors
            on the processor are exchanged by gloo always.

    Raises:
        TrainingError: If the environment does not hold what `torchrun` writes.
    """
    if process_count() == 1:
        yield Workers()
        return
    joined = not dist.is_initialized()
    if joined:
        _join(device)
    try:
        yield Workers(dist.get_rank(), dist.get_world_size())
    finally:
        if joined:
            dist.destroy_process_group()


def _join(device: torch.device) -> None:
    try:
        dist.init_process_group("cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo")
    except ValueError as error:  # how torch says that a variable is missing
        raise TrainingError(
            f"WORLD_SIZE asks for several processes, and they cannot meet ({error})",
            remedy="start by torchrun, or unset WORLD_SIZE",
        ) from error
