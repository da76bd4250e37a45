"""How far two distributions of features lie apart, in units of the features.

A feature map is treated as an unordered set of numbers: the position and the sample of a value do
not matter. Both measures are based on the Wasserstein-1 distance of two sets of numbers, the area
between their distribution functions, as computed by `scipy.stats.wasserstein_distance`.

Shapes: N, M samples; C channels; h, w size of the features.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from regen.errors import MetricError

_Rows = NDArray[np.float64]


def wasserstein_per_channel(a: Tensor, b: Tensor) -> float:
    """Wasserstein-1 distance of each channel's values, summed over the channels.

    For every channel the values of all positions of all samples of `a` are one set of numbers,
    those of `b` another. Dependence between channels is ignored: see `sliced_wasserstein`.

    Args:
        a: Features ``[N, C, h, w]``, unbounded.
        b: Features ``[M, C, h', w']``; the number of samples and their size may differ.

    Returns:
        A number from 0, in units of the features, growing with C.

    Raises:
        MetricError: If either is not a batch of features, or they differ in channels.

    Example:
        >>> import torch
        >>> a = torch.zeros(2, 3, 4, 4)
        >>> wasserstein_per_channel(a, a + torch.tensor([0.5, -1.0, 0.0]).reshape(3, 1, 1))
        1.5
    """
    from scipy.stats import wasserstein_distance  # half a second; most commands never need it

    rows, others = _channels("Wasserstein distance", a, b)
    return float(sum(map(wasserstein_distance, rows, others)))


def sliced_wasserstein(a: Tensor, b: Tensor, directions: int = 128, seed: int = 0) -> float:
    """Sliced Wasserstein-1 distance of position vectors (Rabin et al. 2011; Bonneel et al. 2015).

    Each position of each sample is a vector of C channels. All vectors are projected on random
    unit directions; the result is the mean of the one-dimensional distances along them, and so
    includes dependence between channels.

    Args:
        a: Features ``[N, C, h, w]``, unbounded.
        b: Features ``[M, C, h', w']``.
        directions: How many directions, at least 1.
        seed: Of the directions, which otherwise depend only on C.

    Returns:
        A number from 0, in units of the features.

    Raises:
        MetricError: As `wasserstein_per_channel`, or if `directions` is below 1.
    """
    from scipy.stats import wasserstein_distance

    if directions < 1:
        raise MetricError("sliced Wasserstein: directions", got=directions, expected="1 or more")
    rows, others = _channels("sliced Wasserstein distance", a, b)
    chosen = np.random.default_rng(seed).standard_normal((directions, len(rows)))
    chosen /= np.linalg.norm(chosen, axis=1, keepdims=True)
    along = (wasserstein_distance(unit @ rows, unit @ others) for unit in chosen)
    return float(sum(along)) / directions


def _channels(measure: str, a: Tensor, b: Tensor) -> tuple[_Rows, _Rows]:
    """Both as float64 ``[C, positions of all samples]``."""
    if a.dim() != 4 or b.dim() != 4 or a.shape[1] != b.shape[1] or not (a.numel() and b.numel()):
        raise MetricError(
            f"{measure}: the two batches of features do not match",
            got=f"{list(a.shape)} and {list(b.shape)}",
            expected="[N, C, h, w] and [M, C, h', w'] with one C, none of them empty",
        )
    return _rows(a), _rows(b)


def _rows(features: Tensor) -> _Rows:
    rows: _Rows = features.detach().cpu().double().transpose(0, 1).flatten(1).numpy()
    return rows
