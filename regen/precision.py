"""Which number format a network computes in, on a given device."""

from __future__ import annotations

from collections.abc import Mapping

import torch

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def compute_dtype(precision: str, device: torch.device) -> torch.dtype:
    """What "auto" or one of `DTYPES` means on a device.

    Args:
        precision: A name in `DTYPES`, or "auto": bf16 where the device multiplies it natively,
            else fp32.
        device: Where the network will run.
    """
    if precision == "auto":
        fast = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
        fast = fast or (device.type == "cpu" and _cpu_has_bf16())
        precision = "bf16" if fast else "fp32"
    return DTYPES[precision]


def name_of(dtype: torch.dtype) -> str:
    """The name of a format in `DTYPES`.

    Example:
        >>> name_of(torch.bfloat16)
        'bf16'
    """
    return next(name for name, known in DTYPES.items() if known == dtype)


def _cpu_has_bf16() -> bool:
    ask = getattr(torch.cpu, "get_capabilities", None)  # missing in older versions of torch
    known: Mapping[str, object] = ask() if ask is not None else {}
    return bool(known.get("avx512_bf16") or known.get("amx_bf16"))
