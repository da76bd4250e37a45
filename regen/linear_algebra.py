"""Roots of symmetric matrices, for whitening and for distances of Gaussians."""

from __future__ import annotations

import torch
from torch import Tensor


def symmetric_root(matrix: Tensor) -> Tensor:
    """The positive semidefinite square root of a symmetric matrix.

    Args:
        matrix: ``[D, D]``, positive semidefinite; eigenvalues below 0 are attributed to rounding,
            and count as 0.

    Returns:
        ``[D, D]`` float64 on the CPU: not every device has float64 or eigenvectors.

    Example:
        >>> symmetric_root(torch.diag(torch.tensor([4.0, 9.0]))).diagonal().tolist()
        [2.0, 3.0]
    """
    values, vectors = torch.linalg.eigh(matrix.detach().cpu().double())
    root: Tensor = (vectors * values.clamp_min(0).sqrt()) @ vectors.T
    return root


def whitening(moment: Tensor, ridge: float) -> Tensor:
    """The inverse square root ``(C + ridge mean(eigenvalues of C) I)^(-1/2)`` of a moment C.

    Rows with the second moment C, multiplied by it, are uncorrelated and of unit power. It is
    symmetric (ZCA): of all matrices that whiten, the one that changes the rows least.

    Args:
        moment: Second moment C, ``[D, D]``, positive semidefinite and not 0.
        ridge: Keeps directions that hardly occur from being amplified without bound; above 0,
            relative to the mean eigenvalue.

    Returns:
        ``[D, D]`` float64 on the CPU.

    Example:
        >>> whitening(torch.eye(2) * 4, ridge=0.25).diagonal().square().round(decimals=6).tolist()
        [0.2, 0.2]
    """
    values, vectors = torch.linalg.eigh(moment.detach().cpu().double())
    root: Tensor = (vectors * (values + ridge * values.mean()).rsqrt()) @ vectors.T
    return root
