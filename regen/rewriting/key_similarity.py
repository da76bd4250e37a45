"""Where a rule will act: positions of any sample whose keys resemble the region's keys.

Keys are whitened with the second moment C of all keys, as RDGM does for its edit directions (Bau
et al. 2020, section 4), so that what all keys share does not count. A position's similarity is
its largest cosine with the keys inside the region. No label and no detector is involved.

Shapes: N samples; K, kh, kw channels and size of the key; M keys of the region.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from regen.errors import RewriteError
from regen.images.raster import size_of
from regen.images.regions import resize_mask
from regen.linear_algebra import whitening

SLACK = 1.5
"""How much larger than the targets' region a map is, on average over the samples."""
_MOST_KEYS = 512
_RIDGE = 1e-3
_ROWS_AT_ONCE = 8192


@dataclass(frozen=True)
class KeyMatcher:
    """Compares keys with those of a rule's region.

    Attributes:
        whitening: C^(-1/2), ``[K, K]`` float64, on the CPU.
        directions: Whitened keys of the region, unit length, ``[M, K]`` float64.
        share: Share of an image's area that the region covers in the targets, in (0, 1].
    """

    whitening: Tensor
    directions: Tensor
    share: float

    def similarity(self, keys: Tensor) -> Tensor:
        """Largest cosine of each position with the region.

        Args:
            keys: ``[N, K, kh, kw]``, at least one sample.

        Returns:
            ``[N, 1, kh, kw]`` in [-1, 1], float32.
        """
        n, _, height, width = keys.shape
        best = torch.cat([self._of_rows(rows) for rows in _rows_of_each(keys)])
        return best.reshape(n, 1, height, width).float().to(keys.device)

    def _of_rows(self, keys: Tensor) -> Tensor:
        """Of keys ``[P, K]`` float64, ``[P]``."""
        unit = F.normalize(keys @ self.whitening, dim=1)
        parts = [(rows @ self.directions.T).amax(dim=1) for rows in unit.split(_ROWS_AT_ONCE)]
        return torch.cat(parts)

    def mask(self, keys: Tensor, size: tuple[int, int], *, slack: float = SLACK) -> Tensor:
        """Where the rule will act, as a soft mask.

        The positions of all samples together are ranked; the share of them that the region covers
        in the targets, times `slack`, is inside. The edge is a logistic slope.

        Args:
            keys: ``[N, K, kh, kw]``; the share is taken over all N.
            size: Height and width wanted, in pixels.
            slack: How much larger than the targets' region the mask may be.

        Returns:
            ``[N, 1, *size]`` in [0, 1].
        """
        similarity = self.similarity(keys)
        return soft_mask(similarity, self.edge(similarity, slack=slack), size)

    def edge(self, similarity: Tensor, *, slack: float = SLACK) -> float:
        """The similarity above which a position is inside, see `mask`.

        Args:
            similarity: ``[N, 1, kh, kw]``, the positions that are ranked.
            slack: How much larger than the targets' region the inside may be.
        """
        quantile = max(0.0, 1.0 - min(1.0, self.share * slack))
        rank = 1 + int(quantile * (similarity.numel() - 1))
        return float(similarity.flatten().kthvalue(rank).values)


def soft_mask(similarity: Tensor, edge: float, size: tuple[int, int]) -> Tensor:
    """Positions above a similarity as a mask ``[N, 1, *size]`` in [0, 1] with a logistic slope."""
    soft = torch.sigmoid((similarity - edge) / 0.03)
    return F.interpolate(soft, size=size, mode="bilinear", align_corners=False).clamp(0, 1)


def _rows_of_each(keys: Tensor) -> Iterator[Tensor]:
    """The rows of one sample after the other, which together may not fit into memory."""
    for i in range(len(keys)):
        yield _rows(keys[i : i + 1])


def _rows(keys: Tensor) -> Tensor:
    """Keys ``[N, K, kh, kw]`` as rows ``[N * kh * kw, K]``, float64 on the CPU.

    Not every device has float64 or eigenvectors, and this is quick anywhere.
    """
    return keys.detach().cpu().double().permute(0, 2, 3, 1).reshape(-1, keys.shape[1])


def match_keys(samples: Tensor, keys: Tensor, mask: Tensor) -> KeyMatcher:
    """Prepare the comparison with a region.

    Args:
        samples: Keys of random samples, ``[N, K, kh, kw]``.
        keys: Keys of the targets, ``[T, K, kh, kw]``.
        mask: The targets' region at any size, ``[T, 1, h, w]`` in [0, 1].

    Returns:
        The matcher.

    Raises:
        RewriteError: If the region covers no key.
    """
    return match_whitened(whitening_of(samples), keys, mask)


def whitening_of(samples: Tensor) -> Tensor:
    """C^(-1/2), ``[K, K]`` float64, of the keys ``[N, K, kh, kw]`` of random samples."""
    size = samples.shape[1]
    total = torch.zeros(size, size, dtype=torch.float64)
    for rows in _rows_of_each(samples):
        total.addmm_(rows.T, rows)
    return whitening(total / (samples.numel() / size), _RIDGE)


def match_whitened(white: Tensor, keys: Tensor, mask: Tensor) -> KeyMatcher:
    """Prepare the comparison with a region, where C^(-1/2) is known: `white` of `whitening_of`.

    Everything else is as for `match_keys`.
    """
    inside = resize_mask(mask.cpu(), *size_of(keys)).flatten()
    if inside.max() <= 0:
        raise RewriteError("region", got="no key position", expected="at least one")
    chosen = inside >= 0.5 * inside.max()
    strongest = inside.masked_fill(~chosen, -1).argsort(descending=True, stable=True)
    picked = strongest[: min(int(chosen.sum()), _MOST_KEYS)]
    directions = F.normalize(_rows(keys)[picked] @ white, dim=1)
    return KeyMatcher(white, directions, share=float(inside.mean()))
