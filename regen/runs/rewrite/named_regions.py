"""Which part of a portrait an edits file is about, to be found in any other portrait."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from regen.edits.region_json import PORTRAITS
from regen.edits.schema import Edits, NamedRegion, Target
from regen.portraits import REGIONS, Oracle, attributes, region, seed_to_z

_COVERED = 0.8  # of a target's region must lie in the renderer's


def known_regions(edits: Edits, seeds: Sequence[int], size: int) -> Tensor | None:
    """Regions of unseen seeds, where the renderer knows them.

    A target's region is known if it has a name, or if it is drawn on an untruncated portrait and
    lies in one of the renderer's regions; the smallest of these is taken, an eye's iris being part
    of the eyes.

    Args:
        edits: What the targets are.
        seeds: N unseen seeds.
        size: Side of the images, in pixels.

    Returns:
        ``[N, 1, size, size]`` in [0, 1], or None if the region of any target is unknown.
    """
    if edits.oracle_pattern:
        return Oracle(edits.oracle_pattern, size).region(list(seeds))
    if edits.generator != PORTRAITS:
        return None
    names = {_name_of(target, size) for edit in edits.edits for target in edit.targets}
    people = attributes(seed_to_z(list(seeds)))
    masks = [region(people, name, size) for name in sorted(n for n in names if n is not None)]
    return None if None in names else torch.stack(masks).amax(dim=0)


def _name_of(target: Target, size: int) -> str | None:
    """The renderer's name for a target's region, or None."""
    if isinstance(target.region, NamedRegion):
        return target.region.name
    sample = target.sample
    if sample.seed is None or sample.truncation not in (None, 1):
        return None
    mask = target.region.mask(size, size)
    person = attributes(seed_to_z([sample.seed]))
    drawn = {name: region(person, name, size) for name in REGIONS}
    around = {
        name: float(known.sum())
        for name, known in drawn.items()
        if float((mask * known).sum()) >= _COVERED * float(mask.sum())
    }
    return min(around, key=around.__getitem__, default=None)
