"""Columns of Table 2: what a rewrite does to unseen samples.

*Inside* is the region where the rule should act, *outside* all else; an oracle knows it for any
sample. Locality: LPIPS of the image before to the image after, the inside painted grey. Efficacy:
LPIPS and L1 inside, to the oracle's image. The whole: Frechet distance to the oracle's images on
features of LPIPS's backbone. All but the last are means over samples. Where edits ask for it, a
*pseudo-oracle* takes the oracle's place: the exemplar pasted at the same place into each sample.

Shapes: N samples; H, W height and width of an image.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from experiments.tables.rows import Measured
from regen.edits.schema import Edits, PasteOracle
from regen.evaluation.evidence import known_regions
from regen.generators.protocol import Oracle, Sample
from regen.metrics import (
    Lpips,
    backbone_features,
    frechet_distance,
    masked_l1,
    masked_lpips,
)

NO_ORACLE = "no oracle knows what a perfect rewrite would generate"
PSEUDO_ORACLE = "the exemplar pasted at the same place"
_RESAMPLES = 100


@dataclass(frozen=True)
class Reference:
    """What images after a rewrite are compared with.

    Attributes:
        before: Images without the rewrite, ``[N, 3, H, W]`` in [-1, 1].
        inside: Where the rule should act, ``[N, 1, H, W]`` in [0, 1].
        oracle: What a perfect rewrite would generate, ``[N, 3, H, W]``, or None; see `pseudo`.
        plain: What the oracle says of the old rule, ``[N, 3, H, W]``, or None; the images before
            where it is a pseudo-oracle.
        start: The numbers of the images before: ``inside_lpips_before``, ``inside_l1_before``.
        features: The oracle's, ``[N, D]``, or None.
        lpips: The network, or None.
        reason: Why there is none.
        pseudo: Whether the oracle is a pseudo-oracle: `PSEUDO_ORACLE`.
    """

    before: Tensor
    inside: Tensor
    oracle: Tensor | None
    plain: Tensor | None
    start: Measured
    features: Tensor | None
    lpips: Lpips | None
    reason: str | None
    pseudo: bool = False


def reference(
    edits: Edits,
    oracle: Oracle | None,
    samples: Sequence[Sample],
    before: Tensor,
    expected: Callable[[], Tensor],
    paste: Callable[[], tuple[Tensor, Tensor]],
    lpips: Lpips | None,
    reason: str | None,
) -> Reference:
    """Ask the oracle or the pseudo-oracle, and measure where the images start from.

    Args:
        edits: Names the oracle's pattern, if there is one, or asks for the pseudo-oracle.
        oracle: The generator's, or None.
        samples: N unseen ones.
        before: Their images, ``[N, 3, H, W]``.
        expected: Where the rule is expected to act, ``[N, 1, H, W]``; asked where no oracle knows
            the true region.
        paste: The images with the exemplar pasted, ``[N, 3, H, W]``, and where,
            ``[N, 1, H, W]``; asked where the edits ask for the pseudo-oracle.
        lpips: The network, or None.
        reason: Why there is none.
    """
    wanted = plain = None
    pseudo = isinstance(edits.oracle, PasteOracle)
    if pseudo:
        (wanted, inside), plain = paste(), before
    else:
        regions = known_regions(edits, oracle, samples)
        inside = expected() if regions is None else regions
    if oracle is not None and edits.oracle_pattern:
        wanted, plain = oracle.wanted(samples, edits.oracle_pattern), oracle.plain(samples)
    start = Measured()
    _inside(start, "before", before, wanted, inside, lpips, reason)
    features = None if wanted is None or lpips is None else backbone_features(wanted, lpips)
    return Reference(before, inside, wanted, plain, start, features, lpips, reason, pseudo)


def measure_images(after: Tensor, ref: Reference) -> Measured:
    """All columns but seconds and memory, for images after a rewrite ``[N, 3, H, W]``."""
    measured = Measured.from_json(ref.start.to_json())
    outside = 1 - ref.inside
    perceived = None
    if ref.lpips is not None:
        perceived = masked_lpips(ref.before, after, outside, ref.lpips)
    measured.mean("locality_lpips", perceived, ref.reason)
    _inside(measured, "after", after, ref.oracle, ref.inside, ref.lpips, ref.reason)
    measured.mean("outside_l1", masked_l1(ref.before, after, outside))
    if ref.features is None or ref.lpips is None:
        measured.missing("frechet", NO_ORACLE if ref.oracle is None else ref.reason or NO_ORACLE)
    else:
        features = backbone_features(after, ref.lpips)
        distance = frechet_distance(features, ref.features)
        measured.number("frechet", distance, frechet_interval(features, ref.features))
    return measured


def generator_floor(ref: Reference) -> dict[str, float]:
    """How far the unchanged generator is from the old rule; no rewrite is expected below it.

    Empty where no oracle says so: a pseudo-oracle takes the generator's own images for the rule.
    """
    if ref.plain is None or ref.pseudo:
        return {}
    measured = Measured()
    _inside(measured, "floor", ref.before, ref.plain, ref.inside, ref.lpips, ref.reason)
    return {name: value for name, value in measured.numbers.items() if value is not None}


def _inside(
    measured: Measured,
    when: str,
    images: Tensor,
    oracle: Tensor | None,
    inside: Tensor,
    lpips: Lpips | None,
    reason: str | None,
) -> None:
    """Enter the distance to the oracle in the region, as inside_lpips_WHEN and inside_l1_WHEN."""
    if oracle is None:
        measured.missing(f"inside_lpips_{when}", NO_ORACLE)
        measured.missing(f"inside_l1_{when}", NO_ORACLE)
        return
    perceived = None if lpips is None else masked_lpips(images, oracle, inside, lpips)
    measured.mean(f"inside_lpips_{when}", perceived, reason)
    measured.mean(f"inside_l1_{when}", masked_l1(images, oracle, inside))


def frechet_interval(a: Tensor, b: Tensor, resamples: int = _RESAMPLES) -> tuple[float, float]:
    """95 % bootstrap interval of `frechet_distance`, resampling samples, both sets alike.

    Resampling itself raises the distance, since fewer samples span less; the spread of the
    resampled distances is therefore laid around the distance of the whole, by their median.

    Args:
        a: Features ``[N, D]``, row i of sample i.
        b: Features ``[N, D]`` of the same samples.
        resamples: How often N samples are taken with replacement.
    """
    a, b = a.detach().cpu().double(), b.detach().cpu().double()
    random = torch.Generator().manual_seed(0)
    found = []
    for _ in range(resamples):
        rows = torch.randint(len(a), [len(a)], generator=random)
        found.append(paired_frechet(a[rows], b[rows]))
    values = torch.tensor(found, dtype=torch.float64)
    shift = paired_frechet(a, b) - values.median().item()
    low, high = (values.quantile(share).item() + shift for share in (0.025, 0.975))
    return max(0.0, low), max(0.0, high)


def paired_frechet(a: Tensor, b: Tensor) -> float:
    """`frechet_distance` of N and N vectors, in time that N decides rather than D.

    With X, Y ``[N, D]`` the centred sets over the root of N - 1, the covariances are X'X and Y'Y,
    and the trace of the root of their product is the sum of the singular values of XY'.
    """
    x, y = (part - part.mean(dim=0) for part in (a, b))
    overlap = torch.linalg.svdvals(x @ y.T).sum()
    spread = x.square().sum() + y.square().sum() - 2 * overlap
    means = (a.mean(dim=0) - b.mean(dim=0)).square().sum()
    return float(means + spread / (len(a) - 1))


def score(measured: Measured) -> float | None:
    """What a setting is chosen by, smaller is better: efficacy and locality in equal parts.

    The LPIPS inside to the oracle plus the LPIPS outside to the image before; L1 instead where
    there is no LPIPS; None without an oracle.
    """
    for name, outside in (("lpips", "locality_lpips"), ("l1", "outside_l1")):
        after = measured.numbers.get(f"inside_{name}_after")
        away = measured.numbers.get(outside)
        if after is not None and away is not None:
            return after + away
    return None
