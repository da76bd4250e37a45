"""Values as JSON."""

from __future__ import annotations

import math

import pytest
import torch

from regen.files.as_json import to_json


def test_json_takes_tensors_and_refuses_what_it_cannot_hold() -> None:
    assert to_json({1: torch.tensor([1.0, math.inf])}) == {"1": [1.0, None]}
    with pytest.raises(TypeError, match="set cannot be written as JSON"):
        to_json({1, 2})
