"""What a rewrite should do and where it will act, shown before anything is learned."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from regen.generators.samples import reserved_samples
from regen.rewriting.learn import prepare
from regen.rewriting.rule import decode_wanted
from regen.rewriting.task import Task
from regen.seeds import UNSEEN


@dataclass(frozen=True)
class Preview:
    """Images are float32 on the CPU in [-1, 1].

    Attributes:
        targets: The targets without a rewrite, ``[T, 3, H, W]``.
        composites: With the exemplar's pixels pasted, ``[T, 3, H, W]``.
        decoded: What the wanted values decode to, ``[T, 3, H, W]``.
        labels: Names of the unseen samples, to display.
        unseen: Samples that were not targets, ``[N, 3, H, W]``.
        maps: Where the rule will act on them, ``[N, 1, H, W]`` in [0, 1].
    """

    targets: Tensor
    composites: Tensor
    decoded: Tensor
    labels: list[str]
    unseen: Tensor
    maps: Tensor


@torch.no_grad()
def preview(task: Task, samples: int = 8) -> Preview:
    """Project, paste and compare keys; nothing is fitted.

    Args:
        task: What would be learned.
        samples: N, the number of unseen samples.

    Raises:
        RegenError: If a region reaches outside its image, or the source has too few samples.
    """
    prepared = prepare(task)
    rule, generator = prepared.rule, task.generator
    chosen = reserved_samples(task.source, UNSEEN, samples, task.taken)
    unseen = generator.images(chosen)
    keys = task.split.head(generator.latents(chosen)).features
    maps = prepared.matcher.mask(keys, (int(unseen.shape[2]), int(unseen.shape[3])))
    shown = (rule.images, rule.composites, decode_wanted(task.split, rule))
    targets, composites, decoded = (t.float().cpu().clamp(-1, 1) for t in shown)
    labels = [sample.label for sample in chosen]
    return Preview(targets, composites, decoded, labels, unseen, maps.float().cpu())
