"""Frechet distance of two sets of feature vectors, each seen as a Gaussian.

With the features of `backbone_features` this is the *Frechet distance on LPIPS-backbone features*.
It is not FID, which is taken on an Inception network and cannot be compared with it.

Shapes: N, M images; D features.
"""

from __future__ import annotations

import torch
from torch import Tensor

from regen.errors import MetricError
from regen.linear_algebra import symmetric_root


def frechet_distance(a: Tensor, b: Tensor) -> float:
    """``|m_a - m_b|^2 + tr(A + B - 2 (A B)^(1/2))`` (Dowson and Landau 1982), in float64.

    The trace of the root is that of the symmetric ``(A^(1/2) B A^(1/2))^(1/2)``, which has the
    same eigenvalues. Covariances are unbiased. With fewer samples than features they are of low
    rank and the distance is biased upwards: compare only distances of equal N and M.

    Args:
        a: Features ``[N, D]``, N at least 2.
        b: Features ``[M, D]``, M at least 2.

    Returns:
        The squared distance, a number from 0 in squared units of the features, as FID is given.

    Raises:
        MetricError: If shapes do not fit, there are too few samples, or values are not finite.

    Example:
        >>> import torch
        >>> a = torch.tensor([[0.0], [2.0]])
        >>> round(frechet_distance(a, a + 3), 9)
        9.0
    """
    if a.dim() != 2 or b.dim() != 2 or a.shape[1] != b.shape[1] or min(len(a), len(b)) < 2:
        raise MetricError(
            "Frechet distance: the two sets of features do not match",
            got=f"{list(a.shape)} and {list(b.shape)}",
            expected="[N, D] and [M, D] with one D, N and M at least 2",
        )
    (mean_a, cov_a), (mean_b, cov_b) = _moments(a), _moments(b)
    root_a = symmetric_root(cov_a)
    eigenvalues = torch.linalg.eigvalsh(root_a @ cov_b @ root_a)
    overlap = eigenvalues.clamp_min(0).sqrt().sum()
    distance = (mean_a - mean_b).square().sum() + cov_a.trace() + cov_b.trace() - 2 * overlap
    return max(0.0, float(distance))


def _moments(features: Tensor) -> tuple[Tensor, Tensor]:
    rows = features.detach().cpu().double()
    if not bool(rows.isfinite().all()):
        raise MetricError("Frechet distance", got="features that are not finite")
    mean = rows.mean(dim=0)
    centred = rows - mean
    return mean, centred.T @ centred / (len(rows) - 1)
