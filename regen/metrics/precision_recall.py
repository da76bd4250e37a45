"""Precision and recall of generated images (Kynkaanniemi et al. 2019).

A set of feature vectors stands for the region that balls around its members cover, each as large
as to reach the member's k-th nearest neighbour. Precision is the share of fake images inside
the region of the real ones, recall the share of real ones inside that of the fake.

Shapes: N real and M fake images; D features.
"""

from __future__ import annotations

import torch
from torch import Tensor

from regen.errors import MetricError

_ROWS_AT_ONCE = 1024


def precision_recall(real: Tensor, fake: Tensor, k: int = 3) -> tuple[float, float]:
    """Improved precision and recall, equation 1 of the paper.

    Args:
        real: Features ``[N, D]``, N above k.
        fake: Features ``[M, D]``, M above k.
        k: Which neighbour gives a ball its radius, at least 1; the paper takes 3.

    Returns:
        Precision and recall, each in [0, 1].

    Raises:
        MetricError: If shapes do not fit, or there are not more than k vectors on both sides.
    """
    if real.dim() != 2 or fake.dim() != 2 or real.shape[1] != fake.shape[1]:
        raise MetricError(
            "precision and recall: the two sets of features do not match",
            got=f"{list(real.shape)} and {list(fake.shape)}",
            expected="[N, D] and [M, D] with one D",
        )
    if not 1 <= k < min(len(real), len(fake)):
        raise MetricError(
            "precision and recall: k",
            got=k,
            expected=f"1 or more, and below {min(len(real), len(fake))}, the number of vectors",
        )
    real, fake = (rows.detach().cpu().double() for rows in (real, fake))
    return _covered(fake, real, k), _covered(real, fake, k)


def _covered(rows: Tensor, support: Tensor, k: int) -> float:
    """The share of `rows` within the balls around the vectors of `support`."""
    # The nearest vector of all is the vector itself, at distance 0.
    radii = torch.cat(
        [
            torch.cdist(part, support).kthvalue(k + 1, dim=1).values
            for part in torch.split(support, _ROWS_AT_ONCE)
        ]
    )
    inside = [
        (torch.cdist(part, support) <= radii).any(dim=1)
        for part in torch.split(rows, _ROWS_AT_ONCE)
    ]
    return torch.cat(inside).double().mean().item()
