"""Second moments of keys: what the convolutions of a memory see on random samples.

C is the mean of k k' over positions of many samples, not centred. It depends only on the generator
and the convolution, so it is measured once and kept (`regen.rewriting.moment_cache`). It is stored
as its eigenvectors and eigenvalues, from which C and any root of it are one product away.

Shapes: K = I * k * k entries of a key; N samples; M keys.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from regen.errors import RewriteError
from regen.generators.convolution_keys import ConvolutionKeys, KeyedSplit
from regen.generators.split import Activation

_ROWS_AT_ONCE = 4096
POSITIONS = 512  # of each random sample; neighbouring positions add little information
_MOST_POSITIONS = 2048  # of each target


@dataclass(frozen=True)
class KeyMoment:
    """C of one convolution as ``vectors @ diag(values) @ vectors.T``.

    Attributes:
        values: Mean square of a key along each direction, ``[K]`` float64, ascending, at least 0.
        vectors: Directions, one a column, ``[K, K]`` float64, orthonormal.
    """

    values: Tensor
    vectors: Tensor

    @classmethod
    def of(cls, moment: Tensor) -> KeyMoment:
        """The decomposition of C ``[K, K]``, symmetric and positive semidefinite."""
        values, vectors = torch.linalg.eigh(moment.double())
        return cls(values.clamp_min(0), vectors)

    def matrix(self) -> Tensor:
        """C, ``[K, K]`` float64."""
        return (self.vectors * self.values) @ self.vectors.T


Moments = Mapping[str, KeyMoment]


def second_moment(keys: ConvolutionKeys, weights: Tensor) -> Tensor:
    """``K S K'``: the sum of w k k' over the positions of all samples.

    Where a sample has many positions, those of largest weight take part, and a random subset of the
    others, with a fixed seed: each is chosen with a probability in proportion to its weight, and
    its weight is divided by that probability.

    Args:
        keys: N samples.
        weights: w of each position, ``[N, 1, h, w]``, at least 0.

    Returns:
        ``[K, K]`` float64 on the CPU.

    Raises:
        RewriteError: If no weight is above 0.
    """
    if not bool((weights > 0).any()):
        raise RewriteError(f"keys of {keys.name}", got="no position with a weight above 0")
    place = keys.field.device if keys.field.device.type == "cuda" else torch.device("cpu")
    total = torch.zeros([], dtype=torch.float64, device=place)
    for sample, weight in enumerate(weights.flatten(1).cpu()):
        one = ConvolutionKeys(
            keys.name, keys.field[sample : sample + 1], keys.kernel, keys.backwards
        )
        weight = _thinned(weight.double())
        for positions in weight.nonzero()[:, 0].split(_ROWS_AT_ONCE):
            rows = one.rows(positions.to(keys.field.device))[0].to(place).double()
            total = total + rows.T @ (rows * weight[positions, None].to(place))
    return total.cpu()


def _thinned(weight: Tensor) -> Tensor:
    """`weight [M]` with about `_MOST_POSITIONS` entries above 0, and the same sums on average."""
    if len(weight) <= _MOST_POSITIONS or not bool(weight.sum() > 0):
        return weight
    chance = (weight * (_MOST_POSITIONS / weight.sum())).clamp(max=1)
    uniform = torch.rand(len(weight), generator=torch.Generator().manual_seed(0))
    return torch.where(uniform < chance, weight / chance.clamp_min(1e-30), 0)


def check_keyed(split: object) -> KeyedSplit:
    """`split`, if its family provides keys.

    Raises:
        RewriteError: If it cannot.
    """
    if not isinstance(split, KeyedSplit):
        raise RewriteError(
            "this family of generators has no closed form", remedy="use --solver adam"
        )
    return split


@torch.no_grad()
def measure_moments(split: object, samples: Iterable[Activation]) -> dict[str, KeyMoment]:
    """C of each of the memory's convolutions.

    Args:
        split: Provides the keys.
        samples: Keys of random samples, in batches. Of each sample `POSITIONS` positions take
            part, chosen at random with a fixed seed.

    Returns:
        One moment for each convolution, by the name of its weight inside the memory.

    Raises:
        RewriteError: If the family does not provide keys, or there are no samples.
    """
    keyed, totals, counts = check_keyed(split), dict[str, Tensor](), dict[str, int]()
    for batch in samples:
        for keys in keyed.convolution_keys(batch, {}):
            rows = keys.rows(_positions(keys)).flatten(0, 1).cpu().float()
            moment = (rows.T @ rows).double()  # a batch in float32, their sum in float64
            totals[keys.name] = totals[keys.name] + moment if keys.name in totals else moment
            counts[keys.name] = counts.get(keys.name, 0) + len(rows)
    if not totals:
        raise RewriteError("second moments of keys", got="no samples", expected="at least one")
    return {name: KeyMoment.of(total / counts[name]) for name, total in totals.items()}


def _positions(keys: ConvolutionKeys) -> Tensor:
    count = keys.size[0] * keys.size[1]
    order = torch.Generator().manual_seed(zlib.crc32(keys.name.encode()))
    return torch.randperm(count, generator=order)[:POSITIONS].to(keys.field.device)
