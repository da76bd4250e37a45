"""The number format of a training, and the precautions that float16 needs.

bfloat16 has float32's range and needs none. float16 has not: activations are clamped (the
architecture's ``conv_clamp``), and what is not finite in a gradient counts as 0, as in Karras
et al. 2020 ("ADA"), appendix C. Weights, regularisers and the layers at 4x4 are float32 always.
"""

from __future__ import annotations

import torch

from regen.errors import TrainingError
from regen.generators.stylegan2.training.settings import Precision
from regen.precision import compute_dtype
from regen.training.graphs import Outputs


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


def finite(gradients: Outputs) -> Outputs:
    """The gradients with 0 for what is not finite."""
    return tuple(
        None if g is None else torch.nan_to_num(g, nan=0.0, posinf=0.0, neginf=0.0)
        for g in gradients
    )
