"""What a rewrite should do and where it will act, shown before anything is learned.

Shapes: T targets; N unseen samples; H, W the generator's images; h, w an exemplar.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from regen.errors import RewriteError
from regen.generators.samples import reserved_samples, shown_inputs
from regen.images import as_shown
from regen.images.raster import size_of
from regen.numbers import plain
from regen.rewriting.cautions import Caution, cautions
from regen.rewriting.composite import Example
from regen.rewriting.key_similarity import KeyMatcher, match_keys, soft_mask
from regen.rewriting.preserved import images_of, keys_of
from regen.rewriting.rule import Rule, decode_wanted
from regen.rewriting.settings import Recall
from regen.rewriting.task import Task
from regen.seeds import UNSEEN


@dataclass(frozen=True)
class ExemplarPreview:
    """The exemplar of one target.

    Attributes:
        label: Its name, to display.
        image: The whole exemplar, transparent parts on white, ``[3, h, w]`` in [-1, 1].
        region: Where the pattern is, ``[1, h, w]`` in [0, 1].
    """

    label: str
    image: Tensor
    region: Tensor


@dataclass(frozen=True)
class Preview:
    """Images are float32 on the CPU in [-1, 1], regions and maps in [0, 1].

    Attributes:
        targets: The targets without a rewrite, ``[T, 3, H, W]``.
        composites: With the exemplar's pixels pasted, ``[T, 3, H, W]``.
        decoded: What the wanted values decode to, ``[T, 3, H, W]``; None where the rewrite is
            learned from images alone, see `Task.has_values`.
        labels: Names of the unseen samples, to display.
        unseen: Samples that were not targets, ``[N, 3, H, W]``.
        maps: Where the rule will act on them, ``[N, 1, H, W]``.
        regions: What of each target is replaced, ``[T, 1, H, W]``.
        target_maps: Where the rule will act on the targets, ``[T, 1, H, W]``.
        target_labels: Names of the targets, to display.
        exemplars: The exemplar of each target.
        cautions: What looks wrong, in words, the most serious first.
        inputs: What the generator was given for the targets, ``[T, 3, H, W]``; None for one that is
            given no images, and in a workbench.
        unseen_inputs: The same for the unseen samples, ``[N, 3, H, W]``.
        recall: What the rule is learned from: the values, the composites' images, or both.
    """

    targets: Tensor
    composites: Tensor
    decoded: Tensor | None
    labels: list[str]
    unseen: Tensor
    maps: Tensor
    regions: Tensor
    target_maps: Tensor
    target_labels: list[str]
    exemplars: list[ExemplarPreview]
    cautions: list[Caution]
    inputs: Tensor | None = None
    unseen_inputs: Tensor | None = None
    recall: Recall = "both"

    def __repr__(self) -> str:
        """How much it shows, and its cautions, without the images."""
        shown = f"{len(self.targets)} targets and {len(self.unseen)} unseen samples"
        return f"<Preview of {shown}, cautions: {self.cautions}>"


@torch.no_grad()
def preview(task: Task, samples: int = 8, *, rule: Rule | None = None) -> Preview:
    """Project, paste and compare keys; nothing is fitted.

    Args:
        task: What would be learned.
        samples: N, the number of unseen samples.
        rule: The task's rule, where it is at hand.

    Raises:
        RegenError: If a region reaches outside its image, the source has too few samples, or
            `samples` is no number from 1.
    """
    samples = checked_count(samples)
    rule = task.rule() if rule is None else rule
    seen = keys_of(task.generator, task.split, task.random_samples())
    matcher = match_keys(seen.features, rule.keys.features, rule.mask)
    chosen = reserved_samples(task.source, UNSEEN, samples, task.taken, like=task.like)
    keys = keys_of(task.generator, task.split, chosen)
    unseen = images_of(task.generator, task.split, keys)
    labels = [sample.label for sample in chosen]
    made = preview_of(task, rule, matcher, labels, unseen, keys.features)
    return replace(
        made,
        inputs=shown_inputs(task.generator, [example.latent for example in task.examples]),
        unseen_inputs=shown_inputs(task.generator, task.generator.batches(chosen)),
    )


def checked_count(samples: object) -> int:
    """A number of unseen samples to show. Raises RewriteError if it is none from 1."""
    count = plain(samples)
    if type(count) is not int or count < 1:
        raise RewriteError("unseen samples to show", got=repr(count), expected="1 or more")
    return count


def preview_of(
    task: Task,
    rule: Rule,
    matcher: KeyMatcher,
    labels: Sequence[str],
    unseen: Tensor,
    keys: Tensor,
) -> Preview:
    """A preview from parts that are at hand.

    Args:
        task: What would be learned.
        rule: The task's rule.
        matcher: For the rule's region.
        labels: Names of N unseen samples.
        unseen: Their images, ``[N, 3, H, W]`` in [-1, 1] on the CPU.
        keys: Their keys, ``[N, K, kh, kw]``.
    """
    size = size_of(unseen)
    similar = matcher.similarity(keys)
    edge = matcher.edge(similar)
    maps = soft_mask(similar, edge, size).float().cpu()
    target_maps = soft_mask(matcher.similarity(rule.keys.features), edge, size).float().cpu()
    decoded = decode_wanted(task.split, rule) if task.has_values else None
    targets = sum(len(edit.targets) for edit in task.edits.edits)
    if task.generator.takes_styles:  # rules hold better in styles never seen if they saw many
        targets = 0
    return Preview(
        as_shown(rule.images),
        as_shown(rule.composites),
        None if decoded is None else as_shown(decoded),
        list(labels),
        unseen,
        maps,
        rule.image_mask.float().cpu(),
        target_maps,
        [example.target_label for example in task.examples],
        [_exemplar(example) for example in task.examples],
        cautions(task.examples, task.settings.rule, rule, target_maps, maps, targets=targets),
        recall=task.settings.fit.recall,
    )


def _exemplar(example: Example) -> ExemplarPreview:
    image = example.shown.float().cpu()
    region = example.exemplar_region.mask(*size_of(image))
    return ExemplarPreview(example.exemplar_label, image[0].clamp(-1, 1), region[0])
