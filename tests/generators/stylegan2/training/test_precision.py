from __future__ import annotations

import pytest
import torch
from torch import nn

from regen.errors import TrainingError
from regen.generators.stylegan2.training.precision import (
    training_dtype,
    zero_nonfinite_gradients_,
)

CPU = torch.device("cpu")


def test_dtypes() -> None:
    assert training_dtype("fp32", CPU) == torch.float32
    assert training_dtype("bf16", CPU) == torch.bfloat16
    assert training_dtype("auto", CPU) in (torch.float32, torch.bfloat16)
    assert training_dtype("fp16", torch.device("cuda")) == torch.float16


def test_float16_needs_a_gpu() -> None:
    with pytest.raises(TrainingError) as raised:
        training_dtype("fp16", CPU)
    assert str(raised.value) == ("precision: got fp16 on cpu, expected auto, bf16 or fp32")


def test_gradients_that_are_not_finite_become_zero() -> None:
    good, bad, none = (nn.Parameter(torch.zeros(3)) for _ in range(3))
    good.grad = torch.tensor([1.0, -2.0, 0.0])
    bad.grad = torch.tensor([float("nan"), float("inf"), 5.0])
    zero_nonfinite_gradients_([good, bad, none])
    assert good.grad.tolist() == [1, -2, 0] and bad.grad.tolist() == [0, 0, 5]
    assert none.grad is None
