"""States of a network that are set for a block and restored however the block ends.

Each changes one thing; several are combined in one `with` statement:

    with frozen(generator), evaluating(generator), computing_in(generator, torch.bfloat16): ...
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import torch
from torch import nn


class HasPrecision(Protocol):
    """A network that computes in a dtype that can be set.

    Attributes:
        precision: That dtype.
    """

    precision: torch.dtype


@contextmanager
def frozen(module: nn.Module) -> Iterator[None]:
    """No parameter of `module` requires a gradient inside; each flag is restored afterwards."""
    flags = [(parameter, parameter.requires_grad) for parameter in module.parameters()]
    try:
        module.requires_grad_(False)
        yield
    finally:
        for parameter, flag in flags:
            parameter.requires_grad_(flag)


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """`module` and all its submodules are in eval mode inside; modes are restored afterwards."""
    training = [part for part in module.modules() if part.training]
    try:
        module.eval()
        yield
    finally:
        for part in training:
            part.training = True


@contextmanager
def computing_in(network: HasPrecision, dtype: torch.dtype) -> Iterator[None]:
    """`network` computes in `dtype` inside; its own dtype is restored afterwards."""
    before = network.precision
    network.precision = dtype
    try:
        yield
    finally:
        network.precision = before
