"""What a report is about, and the rows of images that the page and the sheet both show.

Shapes: N samples; H, W the size of the generator's images; h, w that of the similarity maps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from torch import Tensor

from regen.errors import RegenError
from regen.evaluation.evidence import RegionSource
from regen.report.images import amplified_difference, heat

DIFFERENCE_GAIN = 4
ORACLES = {
    "oracle": ("oracle", "a perfect rewrite"),
    "paste": ("pasted", "pseudo-oracle: the exemplar's pixels at this place"),
}


@dataclass(frozen=True)
class ExemplarView:
    """One exemplar and its projection; images ``[3, *, *]`` in [-1, 1], any size.

    Attributes:
        label: Its file, or what it shows.
        exemplar: The image that holds the new pattern.
        aligned: What was projected: the pattern pasted into a target's image (or the exemplar
            itself, where features are aligned instead).
        decoded: What the projected features decode to; None where there are none.
        region: Where the pattern is in the exemplar, ``[1, *, *]`` in [0, 1], or None.
    """

    label: str
    exemplar: Tensor
    aligned: Tensor
    decoded: Tensor | None
    region: Tensor | None = None


@dataclass(frozen=True)
class TargetView:
    """One target; images ``[3, H, W]`` in [-1, 1].

    Attributes:
        label: Its name, "seed 3".
        before: The image without the rewrite.
        wanted: The image that the rule aims for: the exemplar's pixels pasted, or, where recall is
            measured on values alone, what the pasted features decode to.
        after: The image with the rewrite.
        given: What the generator was given, for one that changes images.
        region: What of it was replaced, ``[1, H, W]`` in [0, 1], or None.
    """

    label: str
    before: Tensor
    wanted: Tensor
    after: Tensor
    given: Tensor | None = None
    region: Tensor | None = None


@dataclass(frozen=True)
class RewriteReport:
    """Everything a reader should see of a finished rewrite.

    Attributes:
        title: What the rewrite does, in a few words.
        command: The command line that repeats it.
        labels: Names of the N samples, which were not targets.
        before: What the generator generates for them, ``[N, 3, H, W]`` in [-1, 1].
        after: The same with the rewrite.
        metrics: As they go into metrics.json, but for times and memory.
        settings: As they are in settings.json.
        inputs: What the generator was given for them, like `before`, or None.
        regions: Where the rule should act on each sample, ``[N, 1, H, W]`` in [0, 1], or None.
        region_source: Where the regions come from: an oracle, the exemplar pasted at the place of
            the targets' regions, or the similarity map.
        similarity: Where the rule will act, predicted from keys, ``[N, 1, h, w]`` in [0, 1].
        oracle: What a perfect rewrite would generate, like `before`, or None.
        exemplars: The exemplars and their projections.
        targets: The targets before, as wanted, and after.
        losses: (step, value) pairs by name, in order.
        layers: How the value layer was chosen, see `regen.report.layers`, or None if it was given.
        notes: Sentences the reader must know, warnings for instance.
        use: Command lines that generate with the rewrite.
    """

    title: str
    command: str
    labels: Sequence[str]
    before: Tensor
    after: Tensor
    metrics: Mapping[str, object]
    settings: Mapping[str, object]
    inputs: Tensor | None = None
    regions: Tensor | None = None
    region_source: RegionSource = "similarity"
    similarity: Tensor | None = None
    oracle: Tensor | None = None
    exemplars: Sequence[ExemplarView] = ()
    targets: Sequence[TargetView] = ()
    losses: Mapping[str, Sequence[tuple[int, float]]] = field(default_factory=dict)
    layers: Mapping[str, Any] | None = None
    notes: Sequence[str] = ()
    use: Sequence[str] = ()

    def __post_init__(self) -> None:
        shape = [len(self.labels), 3, *self.before.shape[-2:]]
        for name in ("before", "after", "oracle", "inputs"):
            _check_shape(name, getattr(self, name), shape)
        _check_shape("regions", self.regions, [shape[0], 1, *shape[2:]])
        if self.similarity is not None:
            _check_shape("similarity", self.similarity, [shape[0], 1, *self.similarity.shape[-2:]])


class Row(NamedTuple):
    """A row of the sheet: images ``[n, 3, H, W]`` in [-1, 1] with a title and a hint."""

    title: str
    hint: str
    images: Tensor


def image_rows(report: RewriteReport, columns: int) -> list[Row]:
    """The rows of images of the first `columns` samples, from before to the oracle."""
    before, after = report.before[:columns], report.after[:columns]
    rows = []
    if report.inputs is not None:
        rows.append(Row("input", "what the generator was given", report.inputs[:columns]))
    rows += [
        Row("before", "the original generator", before),
        Row("after", "the same sample, rewritten", after),
        Row(
            f"difference x{DIFFERENCE_GAIN}",
            "black where nothing changed",
            amplified_difference(before, after, DIFFERENCE_GAIN),
        ),
    ]
    if report.similarity is not None:
        regions = None if report.regions is None else report.regions[:columns]
        hint = "orange: where the rule acts" + ("" if regions is None else "; white: the region")
        rows.append(Row("map", hint, heat(before, report.similarity[:columns], regions)))
    if report.oracle is not None:
        name, hint = ORACLES["paste" if report.region_source == "paste" else "oracle"]
        rows.append(Row(name, hint, report.oracle[:columns]))
    return rows


def _check_shape(name: str, tensor: Tensor | None, expected: list[int]) -> None:
    if tensor is not None and list(tensor.shape) != expected:
        raise RegenError(f"report: {name}", got=list(tensor.shape), expected=str(expected))
