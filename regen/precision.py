"""Which number format a network computes in, on a given device: the one place that decides.

bfloat16 halves the traffic, and the arithmetic where a device multiplies it natively. Where it
does not, torch converts back and forth: convolutions were measured to be 11 to 14 times slower
than in float32 on a processor with AVX2 alone. So "auto" asks the device.

Instructions alone do not settle it. AVX512-bf16 halves the time on AMD's processors, and on Intel's
that have nothing else. Intel's since Sapphire Rapids, which have AVX512-fp16 too, multiply bfloat16
quickly in tiles (AMX) alone: where a virtual machine hides these, convolutions by the vectors were
measured to take 1.9 times as long as in float32. And where a variable in the environment keeps
oneDNN, which convolves, to older instructions, a convolution took three to five times as long.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar, cast

import torch

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
Name = TypeVar("Name", bound=str)  # of a format, or "auto"
_LIMITS = ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA")
_TILES, _VECTORS, _LATER = "amx_bf16", "avx512_bf16", "avx512_fp16"  # torch's names


@dataclass(frozen=True)
class Choice:
    """What "auto" means on a device.

    Attributes:
        precision: A name in `DTYPES`.
        reason: What the device has or lacks.
    """

    precision: str
    reason: str


def choose(device: torch.device) -> Choice:
    """What "auto" means on a device: bf16 where it multiplies it natively and sooner, else fp32."""
    if device.type == "cuda":
        if torch.cuda.is_bf16_supported(including_emulation=False):
            return Choice("bf16", "this GPU has bf16")
        return Choice("fp32", "this GPU has no bf16")
    if device.type != "cpu":
        return Choice("fp32", f"bf16 has not been measured on {device.type}")
    has, limit = _capabilities(), _limit()
    tiles = not limit or "AMX" in limit
    if not (tiles or limit.endswith(("BF16", "FP16"))):
        return Choice("fp32", f"oneDNN is kept to {limit}, where bf16 would be slower")
    if has.get(_TILES) and tiles:
        return Choice("bf16", "this processor has AMX-bf16")
    if not has.get(_VECTORS):
        reason = "this processor has neither AVX512-bf16 nor AMX-bf16, so bf16 would be slower"
        return Choice("fp32", reason)
    if has.get(_LATER) and "AMD" not in str(has.get("cpu_name")):
        reason = "this kind of processor is quick in bf16 by AMX alone, which is missing or hidden"
        return Choice("fp32", reason)
    return Choice("bf16", "this processor has AVX512-bf16")


def compute_dtype(precision: str, device: torch.device) -> torch.dtype:
    """What "auto" or one of `DTYPES` means on a device.

    Args:
        precision: A name in `DTYPES`, or "auto", see `choose`.
        device: Where the network will run.
    """
    return DTYPES[choose(device).precision if precision == "auto" else precision]


def resolved(precision: Name, device: torch.device) -> Name:
    """The name in `DTYPES` of what `compute_dtype` gives, to be recorded beside a result.

    Example:
        >>> resolved("bf16", torch.device("cpu"))
        'bf16'
    """
    return cast(Name, name_of(compute_dtype(precision, device)))


def worth_measuring(device: torch.device) -> dict[str, torch.dtype]:
    """The formats of `DTYPES` that a benchmark should time: fp32, and what "auto" would choose.

    On a GPU fp16 is among them.
    """
    names = {"fp32", choose(device).precision} | ({"fp16"} if device.type == "cuda" else set())
    return {name: dtype for name, dtype in DTYPES.items() if name in names}


def name_of(dtype: torch.dtype) -> str:
    """The name of a format in `DTYPES`.

    Example:
        >>> name_of(torch.bfloat16)
        'bf16'
    """
    return next(name for name, known in DTYPES.items() if known == dtype)


def _limit() -> str:
    """The newest instructions that oneDNN may use, by its own names; "" for all there are."""
    given = (os.environ.get(name, "").upper() for name in _LIMITS)
    limit = next((value for value in given if value), "ALL")
    return "" if limit in ("ALL", "DEFAULT") or limit.startswith("AVX10") else limit


def _capabilities() -> Mapping[str, object]:
    """What torch says about the processor; nothing in versions that do not say."""
    ask = getattr(torch.cpu, "get_capabilities", None)
    return ask() if ask is not None else {}
