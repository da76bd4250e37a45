"""The training images that samples are nearest to, which reveals memorisation.

Nearest means: least distance of features. Samples of a generator that has memorised its training
images lie much closer to one of them than two training images lie to each other.

Shapes: N samples; M training images; D features; K neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from regen.errors import MetricError
from regen.images import grid

_GAP = 10  # pixels between one sample with its neighbours and the next


@dataclass(frozen=True)
class Neighbours:
    """What is nearest to each sample.

    Attributes:
        index: Training images, nearest first, int64 ``[N, K]``.
        distance: Of their features, ``[N, K]``.
        flipped: Which of them are nearest when mirrored, bool ``[N, K]``.
        ratio: Median distance of a sample to its nearest training image, over the median distance
            of a training image to its nearest other. About 1 for samples as new as a further
            image of the set would be, about 0 for copies.
    """

    index: Tensor
    distance: Tensor
    flipped: Tensor
    ratio: float


def nearest(samples: Tensor, training: Tensor, *, mirrored: Tensor, k: int = 3) -> Neighbours:
    """The nearest training images of each sample.

    Args:
        samples: Features ``[N, D]``.
        training: Features ``[M, D]``, M at least 2.
        mirrored: Features ``[M, D]`` of the same images mirrored, since training shows both.
        k: K, at most M.

    Raises:
        MetricError: If the shapes do not fit, or there are too few images.

    Example:
        >>> training = torch.tensor([[0.0], [2.0], [4.0]])
        >>> found = nearest(torch.tensor([[0.5]]), training, mirrored=training, k=2)
        >>> found.index.tolist(), found.ratio
        ([[0, 1]], 0.25)
    """
    if training.shape != mirrored.shape or samples.shape[1:] != training.shape[1:]:
        shapes = [list(t.shape) for t in (samples, training, mirrored)]
        raise MetricError("neighbours", got=shapes, expected="[N, D], [M, D] and [M, D]")
    if not 1 <= k <= len(training) or len(training) < 2 or len(samples) < 1:
        raise MetricError("neighbours", got=k, expected=f"1 to {len(training)}, of 2 images")
    straight, flipped = _distances(samples, training), _distances(samples, mirrored)
    distance, index = torch.minimum(straight, flipped).topk(k, dim=1, largest=False)
    among = torch.minimum(_distances(training, training), _distances(training, mirrored))
    among.fill_diagonal_(torch.inf)
    usual = among.amin(dim=1).median()
    ratio = float(distance[:, 0].median() / usual.clamp_min(1e-12))
    return Neighbours(index, distance, (flipped < straight).gather(1, index), ratio)


def sheet(samples: Tensor, training: Tensor, found: Neighbours, pairs: int = 2) -> Tensor:
    """Samples, each left of its nearest training images, as one image.

    Images that are nearest when mirrored are shown so.

    Args:
        samples: ``[N, 3, R, R]`` in [-1, 1].
        training: ``[M, 3, R, R]`` in [-1, 1].
        found: Of the same samples and perhaps more, which are not shown.
        pairs: Samples in one row.

    Returns:
        ``[1, 3, H, W]``.
    """
    blocks = []
    for sample, index, flipped in zip(samples, found.index, found.flipped, strict=False):
        near = training[index]
        near = torch.where(flipped[:, None, None, None], near.flip(3), near)
        blocks.append(grid(torch.cat([sample[None], near]), columns=1 + len(index)))
    return grid(torch.cat(blocks), columns=pairs, padding=_GAP)


def _distances(a: Tensor, b: Tensor) -> Tensor:
    a, b = a.detach().cpu().double(), b.detach().cpu().double()
    exact = "donot_use_mm_for_euclid_dist"  # the fast way finds equal vectors far apart
    return torch.cdist(a, b, compute_mode=exact)
