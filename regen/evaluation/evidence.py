"""What a rewrite did to unseen samples: images before and after, and where it should have acted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor

from regen.edits.schema import Edits, NamedRegion, PasteOracle
from regen.evaluation.perceived import Perceived, perceive, together
from regen.generators.protocol import Oracle, Sample
from regen.generators.samples import shown_inputs
from regen.images import as_shown
from regen.images.raster import size_of
from regen.metrics import Lpips
from regen.rewriting.key_similarity import soft_mask
from regen.rewriting.learn import Learned
from regen.rewriting.pasted import pasted
from regen.rewriting.preserved import images_of, keys_of
from regen.rewriting.rewrite import rewritten
from regen.rewriting.task import Task

RegionSource = Literal["oracle", "paste", "similarity"]


@dataclass(frozen=True)
class Targets:
    """The T targets, on the CPU.

    Attributes:
        before: ``[T, 3, H, W]`` without the rewrite.
        wanted: With the exemplar's pixels pasted, ``[T, 3, H, W]``.
        after: With the rewrite, ``[T, 3, H, W]``.
        regions: What was replaced, ``[T, 1, H, W]`` in [0, 1].
        maps: Where the rule was expected to act, ``[T, 1, H, W]`` in [0, 1].
    """

    before: Tensor
    wanted: Tensor
    after: Tensor
    regions: Tensor
    maps: Tensor


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Images of unseen samples.

    Attributes:
        labels: Names of the N samples, to display.
        before: ``[N, 3, H, W]`` without the rewrite.
        after: ``[N, 3, H, W]`` with it.
        similarity: Where the rule was expected to act, ``[N, 1, H, W]`` in [0, 1].
        regions: Where it should act, ``[N, 1, H, W]``.
        region_source: Where the regions come from.
        oracle: What a perfect rewrite generates, ``[N, 3, H, W]``, or None; where the regions come
            from "paste" it is a pseudo-oracle, see `regen.rewriting.pasted`.
        plain: The oracle's images under the old rule, or None.
        inputs: The images that the generator was given, or None.
        targets: What became of the targets, or None.
        perceived: LPIPS of all that is compared, or None where it has not been computed.
    """

    labels: list[str]
    before: Tensor
    after: Tensor
    similarity: Tensor
    regions: Tensor
    region_source: RegionSource
    oracle: Tensor | None = None
    plain: Tensor | None = None
    inputs: Tensor | None = None
    targets: Targets | None = None
    perceived: Perceived | None = None

    def seen_by(self, lpips: Lpips) -> Evidence:
        """The same with LPIPS of all that is compared."""
        names = ("before", "after", "oracle", "plain")
        images = {name: getattr(self, name) for name in names}
        return replace(self, perceived=perceive(images, self.regions, lpips))


def known_regions(edits: Edits, oracle: Oracle | None, samples: Sequence[Sample]) -> Tensor | None:
    """Regions of unseen samples, where an oracle knows them.

    They are known where the edits name the oracle's pattern, or where every target's region has a
    name; not where the oracle does not know the samples, image files for instance. A region that
    was given as a shape belongs to its own target alone: its position in other samples is unknown.

    Args:
        edits: The edits, with their targets.
        oracle: The generator's, if it has one.
        samples: N unseen samples.

    Returns:
        ``[N, 1, H, W]`` in [0, 1], or None if the region of any target is unknown.
    """
    if oracle is None:
        return None
    if edits.oracle_pattern:
        return oracle.changed(samples, edits.oracle_pattern)
    regions = [target.region for edit in edits.edits for target in edit.targets]
    names = sorted({region.name for region in regions if isinstance(region, NamedRegion)})
    if not all(isinstance(region, NamedRegion) for region in regions):
        return None
    if not all(oracle.knows(sample) for sample in samples):
        return None
    return torch.stack([oracle.region(name, samples) for name in names]).amax(dim=0)


def gather_evidence(task: Task, learned: Learned, samples: Sequence[Sample]) -> Evidence:
    """Generate unseen samples with and without a rewrite, and find where it should have acted."""
    generator, matcher = task.generator, learned.matcher
    keys = keys_of(generator, task.split, samples)  # a rewrite does not change them
    before = images_of(generator, task.split, keys)
    size = size_of(before)
    similar = matcher.similarity(keys.features)
    edge = matcher.edge(similar)
    similarity = soft_mask(similar, edge, size).cpu()
    with rewritten(generator, learned.rewrite):
        after = images_of(generator, task.split, keys)
        targets = _targets(task, learned, edge)
    expected = _expected(task, samples, before)
    regions = expected.regions
    return Evidence(
        labels=[sample.label for sample in samples],
        before=before,
        after=after,
        similarity=similarity,
        regions=similarity if regions is None else regions,
        region_source=expected.region_source,
        oracle=expected.wanted,
        plain=expected.plain,
        inputs=shown_inputs(generator, generator.batches(samples)),
        targets=targets,
    )


class _Expected(NamedTuple):
    """Where a rule should act on samples, None where nobody knows, and what it should make."""

    regions: Tensor | None
    region_source: RegionSource
    wanted: Tensor | None = None
    plain: Tensor | None = None


def _expected(task: Task, samples: Sequence[Sample], before: Tensor) -> _Expected:
    """What the oracle of the edits knows of samples; `before` are their images."""
    edits, oracle = task.edits, task.generator.oracle
    if isinstance(edits.oracle, PasteOracle):
        wanted, regions = pasted(task.examples, before, task.settings.rule)
        return _Expected(regions, "paste", wanted)
    known = known_regions(edits, oracle, samples)
    source: RegionSource = "similarity" if known is None else "oracle"
    if oracle is None or not edits.oracle_pattern:
        return _Expected(known, source)
    wanted, plain = oracle.wanted(samples, edits.oracle_pattern), oracle.plain(samples)
    return _Expected(known, source, wanted, plain)


def joined(one: Evidence, two: Evidence) -> Evidence:
    """The evidence of two lists of samples of one task; what became of the targets is of `one`."""

    def both(name: str) -> Tensor | None:
        parts = [getattr(one, name), getattr(two, name)]
        return None if parts[0] is None else torch.cat(parts)

    names = ("before", "after", "similarity", "regions", "oracle", "plain", "inputs")
    images: dict[str, Any] = {name: both(name) for name in names}
    seen = one.perceived, two.perceived
    known = None if seen[0] is None or seen[1] is None else together(seen[0], seen[1])
    return replace(one, labels=one.labels + two.labels, perceived=known, **images)


def _targets(task: Task, learned: Learned, edge: float) -> Targets:
    """The targets of a generator that is rewritten already."""
    rule = learned.rule
    after = torch.cat([task.generator(example.latent) for example in task.examples])
    before, wanted, after = (as_shown(i) for i in (rule.images, rule.composites, after))
    size = size_of(before)
    maps = soft_mask(learned.matcher.similarity(rule.keys.features), edge, size).cpu()
    return Targets(before, wanted, after, rule.image_mask.float().cpu(), maps)
