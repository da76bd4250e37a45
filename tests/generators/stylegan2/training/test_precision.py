from __future__ import annotations

import pytest
import torch

from regen.errors import TrainingError
from regen.generators.stylegan2.training.precision import (
    finite,
    training_dtype,
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
    given = (torch.tensor([1.0, -2.0, 0.0]), torch.tensor([float("nan"), float("inf"), 5.0]), None)
    good, bad, none = finite(given)
    assert good is not None and good.tolist() == [1, -2, 0]
    assert bad is not None and bad.tolist() == [0, 0, 5] and none is None
