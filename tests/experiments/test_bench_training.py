from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torch
from torch import Tensor

from experiments import bench_training
from regen.training.distributed import Workers


class Pair(Workers):
    """One process that averages as if there were another, whose numbers are its own."""

    def average(self, tensor: Tensor) -> Tensor:
        tensor += tensor.clone()
        tensor /= 2
        return tensor


def test_the_time_of_a_step_is_averaged_over_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def pair(device: torch.device) -> Iterator[Workers]:
        yield Pair()

    monkeypatch.setattr(bench_training, "workers", pair)
    assert bench_training.images_per_second(4, 1, lazy=False, precision="fp32") > 0
