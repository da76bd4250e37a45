from __future__ import annotations

import pytest
import torch

from regen.precision import DTYPES, choose, compute_dtype, resolved, worth_measuring

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def unlimited(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(("name", "dtype"), [("fp32", torch.float32), ("bf16", torch.bfloat16)])
def test_a_precision_asked_for_is_what_one_gets(name: str, dtype: torch.dtype) -> None:
    assert compute_dtype(name, CPU) == dtype
    assert compute_dtype(name, torch.device("meta")) == dtype


@pytest.mark.parametrize(
    ("capabilities", "dtype"),
    [
        ({}, torch.float32),
        ({"avx512_f": True, "avx512_bf16": False}, torch.float32),
        ({"avx512_bf16": True, "avx512_fp16": False}, torch.bfloat16),
        ({"avx512_bf16": True, "avx512_fp16": True}, torch.float32),
        ({"avx512_bf16": True, "avx512_fp16": True, "amx_bf16": True}, torch.bfloat16),
        ({"avx512_bf16": True, "avx512_fp16": True, "cpu_name": "AMD EPYC"}, torch.bfloat16),
        ({"amx_bf16": True}, torch.bfloat16),
    ],
)
def test_auto_asks_the_processor(
    monkeypatch: pytest.MonkeyPatch, capabilities: dict[str, bool], dtype: torch.dtype
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)
    assert compute_dtype("auto", CPU) == dtype


@pytest.mark.parametrize("name", ["ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA"])
@pytest.mark.parametrize(
    ("limit", "with_tiles", "with_vectors"),
    [
        ("", "bf16", "bf16"),
        ("all", "bf16", "bf16"),
        ("AVX10_1_512_AMX", "bf16", "bf16"),
        ("AVX512_CORE_AMX", "bf16", "bf16"),
        ("avx512_core_bf16", "fp32", "bf16"),
        ("AVX512_CORE_VNNI", "fp32", "fp32"),
        ("AVX2", "fp32", "fp32"),
        ("AVX2_VNNI_2", "fp32", "fp32"),
    ],
)
def test_auto_heeds_what_onednn_is_kept_to(
    monkeypatch: pytest.MonkeyPatch, name: str, limit: str, with_tiles: str, with_vectors: str
) -> None:
    tiles = {"amx_bf16": True, "avx512_bf16": True, "avx512_fp16": True}
    monkeypatch.setenv(name, limit)
    for has, precision in ((tiles, with_tiles), ({"avx512_bf16": True}, with_vectors)):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda has=has: has, raising=False)
        assert choose(CPU).precision == precision
    if with_vectors == "fp32":
        assert f"oneDNN is kept to {limit}" in choose(CPU).reason


def test_auto_is_fp32_where_the_processor_cannot_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert compute_dtype("auto", CPU) == torch.float32
    assert compute_dtype("auto", torch.device("mps")) == torch.float32


@pytest.mark.parametrize(
    ("capabilities", "precision", "reason"),
    [
        ({"amx_bf16": True, "avx512_bf16": True}, "bf16", "this processor has AMX-bf16"),
        ({"avx512_bf16": True}, "bf16", "this processor has AVX512-bf16"),
        ({"avx512_bf16": True, "avx512_fp16": True}, "fp32", "by AMX alone, which is missing"),
        ({"avx2": True}, "fp32", "has neither AVX512-bf16 nor AMX-bf16, so bf16 would be slower"),
    ],
)
def test_the_choice_says_why(
    monkeypatch: pytest.MonkeyPatch, capabilities: dict[str, bool], precision: str, reason: str
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)
    choice = choose(CPU)
    assert choice.precision == precision and reason in choice.reason
    assert resolved("auto", CPU) == precision and resolved("fp16", CPU) == "fp16"
    assert list(worth_measuring(CPU)) == (["fp32", "bf16"] if precision == "bf16" else ["fp32"])


@pytest.mark.parametrize(("native", "precision"), [(True, "bf16"), (False, "fp32")])
def test_a_gpu_is_asked_for_what_it_does_not_emulate(
    monkeypatch: pytest.MonkeyPatch, native: bool, precision: str
) -> None:
    def supported(including_emulation: bool) -> bool:
        assert not including_emulation
        return native

    monkeypatch.setattr(torch.cuda, "is_bf16_supported", supported)
    gpu = torch.device("cuda")
    assert compute_dtype("auto", gpu) == DTYPES[precision]
    assert set(worth_measuring(gpu)) == {"fp32", "fp16", precision}
