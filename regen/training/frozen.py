"""States of a network that are borrowed for a block and returned however the block ends.

Each changes one thing, so that whoever needs several names them side by side:

    with frozen(generator), evaluating(generator), computing_in(generator, torch.bfloat16): ...
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, runtime_checkable

import torch
from torch import nn


@runtime_checkable
class HasPrecision(Protocol):
    """A network that computes in a dtype that can be set.

    Attributes:
        precision: That dtype.
    """

    precision: torch.dtype


@contextmanager
def frozen(module: nn.Module) -> Iterator[None]:
    """No parameter of `module` requires a gradient inside; each flag returns afterwards."""
    flags = [(parameter, parameter.requires_grad) for parameter in module.parameters()]
    try:
        module.requires_grad_(False)
        yield
    finally:
        for parameter, flag in flags:
            parameter.requires_grad_(flag)


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """`module` and all in it are in eval mode inside; each mode returns afterwards."""
    training = [part for part in module.modules() if part.training]
    try:
        module.eval()
        yield
    finally:
        for part in training:
            part.training = True


@contextmanager
def computing_in(network: HasPrecision, dtype: torch.dtype) -> Iterator[None]:
    """`network` computes in `dtype` inside; its own dtype returns afterwards."""
    before = network.precision
    network.precision = dtype
    try:
        yield
    finally:
        network.precision = before
