"""Second moments of a rule's own keys: what a memory's convolutions see where the rule acts.

Shapes: N samples; T targets; P preserved samples; H, W height and width of a mask; K = I * k * k
entries of a key.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import torch
from torch import Tensor

from regen.batches import at_once
from regen.generators.split import Activation, Split
from regen.images.regions import resize_mask
from regen.rewriting.key_moments import check_keyed, second_moment
from regen.rewriting.preserved import Preserved
from regen.rewriting.rule import Rule, region_weights

_SAMPLES_AT_ONCE = 16  # whose keys are computed together, fewer of large images
_ALIKE = 4  # preserved samples that take part; 16 give the same
_REGION_ALONE = (1.0, 0.0, 0.0)


@torch.no_grad()
def region_moments(
    split: Split,
    keys: Activation,
    mask: Tensor,
    names: Collection[str],
    *,
    weights: Mapping[str, Tensor] | None = None,
    shares: tuple[float, float, float] = _REGION_ALONE,
) -> dict[str, Tensor]:
    """``K S K'`` of convolutions, with S the weights of the positions of regions.

    Of large images fewer samples are computed at once, as every sample is a sum of its own.

    Args:
        split: The generator.
        keys: N samples.
        mask: Their regions, ``[N, 1, H, W]`` in [0, 1], resized to each convolution's output.
        names: Of the convolutions' weights inside the memory.
        weights: Of the memory, by name; its own where they are left out.
        shares: p, q and the border's share of q, see `region_weights`; by default the region alone,
            over which this is then the mean of k k'.

    Returns:
        ``[K, K]`` float64 on the CPU for each name.

    Raises:
        RewriteError: If the family cannot give keys, or the regions are empty.
    """
    keyed, found = check_keyed(split), dict[str, Tensor]()
    together = at_once(_SAMPLES_AT_ONCE, mask.shape[2:])
    for part in torch.arange(len(mask)).split(together):
        missing = set(names)
        for one in keyed.convolution_keys(keys.select(part), weights or {}):
            if one.name in missing:
                missing.remove(one.name)
                at = region_weights(resize_mask(mask, *one.size), *shares)
                moment = second_moment(one, at[part])
                found[one.name] = found[one.name] + moment if one.name in found else moment
            del one  # before the next keys are there
            if not missing:
                break
    return found


def rule_moments(
    split: Split, rule: Rule, preserved: Preserved | None, names: Collection[str]
) -> dict[str, Tensor]:
    """Second moments of the keys that a rule acts on, of targets and of samples it never saw.

    Few targets have few keys. Where preserved samples may change, since their keys are alike (see
    `regen.rewriting.key_similarity`), the rule will act too: half of the moments are of those.

    Args:
        split: The generator.
        rule: Its T targets' regions.
        preserved: P samples and where they must stay, or None.
        names: Of the convolutions' weights inside the memory.

    Returns:
        ``[K, K]`` float64 on the CPU for each name.

    Raises:
        RewriteError: If the family cannot give keys.
    """
    own = region_moments(split, rule.keys, rule.image_mask, names)
    if preserved is None:
        return own
    alike = 1 - preserved.keep
    chosen = (alike.amax(dim=(1, 2, 3)) > 0).nonzero()[:_ALIKE, 0].cpu()
    if not len(chosen):
        return own
    others = region_moments(split, preserved.keys.select(chosen), alike[chosen], names)
    return {name: (own[name] + others[name]) / 2 for name in names}
