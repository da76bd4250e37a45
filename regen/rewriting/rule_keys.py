"""Second moments of a rule's own keys: what a memory's convolutions see where the rule acts.

Shapes: T targets; K = I * k * k entries of a key.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import torch
from torch import Tensor

from regen.batches import at_once
from regen.generators.split import Split
from regen.images.regions import resize_mask
from regen.rewriting.key_moments import check_keyed, second_moment
from regen.rewriting.rule import Rule, region_weights

_TARGETS_AT_ONCE = 16  # whose keys are computed together, fewer of large images
_REGION_ALONE = (1.0, 0.0, 0.0)


@torch.no_grad()
def rule_moments(
    split: Split,
    rule: Rule,
    weights: Mapping[str, Tensor],
    names: Collection[str],
    shares: tuple[float, float, float] = _REGION_ALONE,
) -> dict[str, Tensor]:
    """``K S K'`` of convolutions, with S the weights of the rule's positions.

    Of large images fewer targets are computed at once, as every target is a sum of its own.

    Args:
        split: The generator.
        rule: Its image mask is resized to each convolution's output.
        weights: Of the memory, by name; its own where they are left out.
        names: Of the convolutions' weights inside the memory.
        shares: p, q and the border's share of q, see `region_weights`; by default the region alone,
            over which this is then the mean of k k'.

    Returns:
        ``[K, K]`` float64 on the CPU for each name.

    Raises:
        RewriteError: If the family cannot give keys, or the region is empty.
    """
    keyed, found = check_keyed(split), dict[str, Tensor]()
    together = at_once(_TARGETS_AT_ONCE, rule.image_mask.shape[2:])
    for part in torch.arange(len(rule)).split(together):
        missing = set(names)
        for keys in keyed.convolution_keys(rule.keys.select(part), weights):
            if keys.name in missing:
                missing.remove(keys.name)
                mask = resize_mask(rule.image_mask, *keys.size)
                moment = second_moment(keys, region_weights(mask, *shares)[part])
                found[keys.name] = found[keys.name] + moment if keys.name in found else moment
            del keys  # before the next ones are there
            if not missing:
                break
    return found
