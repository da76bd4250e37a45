"""A pseudo-oracle for generators whose samples are aligned: the exemplar pasted into every sample.

Where all samples have the pattern's region at the same place, as aligned faces have their eyes, the
exemplar's pixels at that place are nearly what a perfect rewrite would generate. They are not it:
nothing is adapted to the sample, neither light nor pose, and where a sample is not aligned the
paste misses. So it is a *pseudo-oracle* in every message, report and metrics file.

Shapes: N samples; H, W their height and width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple
from itertools import groupby

import torch
from torch import Tensor

from regen.images.regions import Region
from regen.images.shapes import Box, Ellipse
from regen.rewriting.composite import Example, compose
from regen.rewriting.settings import RuleSettings

_SAME_PLACE = 0.5  # of a pattern, that an earlier one covers: both are the same rule then


def pasted(
    examples: Sequence[Example], images: Tensor, settings: RuleSettings
) -> tuple[Tensor, Tensor]:
    """The exemplars pasted into samples, each at the mean place of its targets' regions.

    Of several exemplars for one place, which show one pattern, the first is pasted.

    Args:
        examples: In the order of the edits file.
        images: Samples without a rewrite, ``[N, 3, H, W]`` in [-1, 1].
        settings: How to align and paste, as for the targets.

    Returns:
        The samples with the patterns, ``[N, 3, H, W]``; and what of each was replaced,
        ``[N, 1, H, W]`` in [0, 1].
    """
    result, region = images, images.new_zeros(1, 1, *images.shape[2:])
    for _, group in groupby(examples, lambda e: (id(e.exemplar), id(e.exemplar_region))):
        of_one_edit = list(group)
        onto = mean_region([example.target_region for example in of_one_edit])
        composite, mask = compose(of_one_edit[0], result, settings, onto)
        if (mask * region).sum() > _SAME_PLACE * mask.sum():
            continue
        result, region = composite, torch.maximum(region, mask)
    return result, region.expand(len(images), -1, -1, -1)


def mean_region(regions: Sequence[Region]) -> Region:
    """The region at the mean place of several, the first where there is no mean.

    There is one where all consist of equally many shapes of one kind, boxes or ellipses, in the
    same order: each number is the mean of theirs. Polygons and masks have none.

    Example:
        >>> mean_region([Region.box(0, 0, 4, 4), Region.box(2, 0, 8, 6)]).bounds
        (1.0, 0.0, 6.0, 5.0)
    """
    kinds = {tuple(type(shape) for shape in region.shapes) for region in regions}
    (first, *others) = kinds
    if others or len(set(first)) != 1 or first[0] not in (Box, Ellipse):
        return regions[0]
    columns = zip(*(region.shapes for region in regions), strict=True)
    means = (torch.tensor([astuple(s) for s in same]).double().mean(dim=0) for same in columns)
    kind = Box if first[0] is Box else Ellipse
    return Region(tuple(kind(*mean.tolist()) for mean in means))
