"""Which number format a network computes in, on a given device: the one place that decides.

bfloat16 halves the traffic, and the arithmetic where a device multiplies it natively. Where it
does not, torch converts back and forth: convolutions were measured to be 11 to 14 times slower
than in float32 on a processor with AVX2 alone. So "auto" asks the device.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar, cast

import torch

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
Name = TypeVar("Name", bound=str)  # of a format, or "auto"
_BF16_FLAGS = {"avx512_bf16": "AVX512-bf16", "amx_bf16": "AMX-bf16"}


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
    """What "auto" means on a device: bf16 where it multiplies it natively, else fp32."""
    if device.type == "cuda":
        if torch.cuda.is_bf16_supported(including_emulation=False):
            return Choice("bf16", "this GPU has bf16")
        return Choice("fp32", "this GPU has no bf16")
    if device.type != "cpu":
        return Choice("fp32", f"bf16 has not been measured on {device.type}")
    found = [name for flag, name in _BF16_FLAGS.items() if _capabilities().get(flag)]
    if found:
        return Choice("bf16", f"this processor has {' and '.join(found)}")
    missing = " nor ".join(_BF16_FLAGS.values())
    return Choice("fp32", f"this processor has neither {missing}, so bf16 would be slower")


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


def _capabilities() -> Mapping[str, object]:
    """What torch says about the processor; nothing in versions that do not say."""
    ask = getattr(torch.cpu, "get_capabilities", None)
    return ask() if ask is not None else {}
