"""The number format of a training, and the precautions that float16 needs.

bfloat16 has float32's range and needs none. float16 has not: activations are clamped (the
architecture's ``conv_clamp``), and what is not finite in a gradient counts as 0, as in Karras
et al. 2020 ("ADA"), appendix C. Weights, regularisers and the layers at 4x4 are float32 always.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import nn

from regen.errors import TrainingError
from regen.generators.stylegan2.training.settings import Precision
from regen.precision import compute_dtype


def training_dtype(precision: Precision, device: torch.device) -> torch.dtype:
    """The dtype that a setting means on a device.

    Raises:
        TrainingError: For fp16 on a processor, which is slow there and worse than bfloat16.
    """
    if precision != "fp16":
        return compute_dtype(precision, device)
    if device.type != "cuda":
        raise TrainingError(
            "precision", got=f"fp16 on {device.type}", expected="auto, bf16 or fp32"
        )
    return torch.float16


def zero_nonfinite_gradients_(parameters: Iterable[nn.Parameter]) -> None:
    """Set to 0, in place, what is not finite."""
    for parameter in parameters:
        if parameter.grad is not None:
            torch.nan_to_num(parameter.grad, nan=0.0, posinf=0.0, neginf=0.0, out=parameter.grad)
