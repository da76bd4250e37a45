from __future__ import annotations

import pytest
import torch

from regen.precision import compute_dtype

CPU = torch.device("cpu")


@pytest.mark.parametrize(("name", "dtype"), [("fp32", torch.float32), ("bf16", torch.bfloat16)])
def test_a_precision_asked_for_is_what_one_gets(name: str, dtype: torch.dtype) -> None:
    assert compute_dtype(name, CPU) == dtype
    assert compute_dtype(name, torch.device("meta")) == dtype


@pytest.mark.parametrize(
    ("capabilities", "dtype"),
    [
        ({}, torch.float32),
        ({"avx512_f": True, "avx512_bf16": False}, torch.float32),
        ({"avx512_bf16": True}, torch.bfloat16),
        ({"amx_bf16": True}, torch.bfloat16),
    ],
)
def test_auto_asks_the_processor(
    monkeypatch: pytest.MonkeyPatch, capabilities: dict[str, bool], dtype: torch.dtype
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)
    assert compute_dtype("auto", CPU) == dtype


def test_auto_is_fp32_where_the_processor_cannot_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert compute_dtype("auto", CPU) == torch.float32
    assert compute_dtype("auto", torch.device("mps")) == torch.float32
