"""The compiled kernels beside the reference: what their tests share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from stylegan2_ops import filter_from_taps
from stylegan2_ops._dispatch import use
from tests.tolerances import assert_near

LAYOUTS = [torch.contiguous_format, torch.channels_last]
ASYMMETRIC = torch.tensor([[1.0, 2.0, -0.5], [0.3, 1.5, 0.7], [-1.0, 0.2, 0.4], [0.1, 0.6, 2.0]])
SEPARABLE = filter_from_taps([1, 3, 3, 1])
RESAMPLINGS: list[dict[str, Any]] = [
    {"padding": 1},
    {"up": 2, "padding": [2, 1, 2, 1], "gain": 4.0},
    {"down": 2, "padding": [-1, 2, 3, -2], "flip_filter": True},
    {"up": (3, 1), "down": (2, 3), "padding": [4, 5, 1, 6], "gain": -0.7},
    {"up": (1, 4), "down": (5, 1), "padding": [0, 3, 7, -3]},
]
OPERATORS = torch.ops.stylegan2_ops


def both(function: Callable[[], Any]) -> tuple[Any, Any]:
    """What the kernels and what the reference give."""
    got = function()
    with use("reference"):
        return got, function()


def close(got: Tensor, wanted: Tensor, dtype: torch.dtype) -> None:
    size = float(wanted.detach().abs().max()) if wanted.numel() else 0.0
    assert_near(got, wanted, dtype, size=max(size, 1e-3))


def random(*shape: int, dtype: torch.dtype = torch.float64, layout: Any = None) -> Tensor:
    x = torch.randn(shape, dtype=torch.float64).to(dtype)
    return x if layout is None else x.contiguous(memory_format=layout)
