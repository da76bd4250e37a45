"""Which number format a fit computes in, on the processor at hand."""

from __future__ import annotations

from typing import Any

import torch


def compute_dtype(precision: str, device: torch.device) -> torch.dtype:
    """What "auto", "bf16" or "fp32" means on a device.

    Args:
        precision: "auto" is bf16 where the processor multiplies it natively, else fp32.
        device: Where the fit will run.
    """
    if precision == "auto":
        fast = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
        fast = fast or (device.type == "cpu" and _cpu_has_bf16())
        precision = "bf16" if fast else "fp32"
    return torch.bfloat16 if precision == "bf16" else torch.float32


def _cpu_has_bf16() -> bool:
    ask = getattr(torch.cpu, "get_capabilities", None)  # older torch cannot tell
    known: dict[str, Any] = ask() if ask is not None else {}
    return bool(known.get("avx512_bf16") or known.get("amx_bf16"))
