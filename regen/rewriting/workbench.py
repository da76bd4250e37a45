"""A generator on the workbench: what previews, suggestions and fits share is computed once.

Every preview of an edits file needs the projector, the second moment of keys and the unseen
samples that it is shown on; none of them depends on the edits. A `Workbench` keeps them, so that a
changed region costs one projection for each target and no more. It computes what the functions of
`regen.rewriting` compute, to the same bits.

Shapes: N unseen samples; H, W their height and width.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from regen.edits.schema import Edits
from regen.generators.protocol import Activation, Generator, Sample, Split
from regen.generators.samples import reserved_samples
from regen.projector.files import open_projector
from regen.rewriting.examples import load_examples, taken_by
from regen.rewriting.key_similarity import match_whitened, whitening_of
from regen.rewriting.learn import Learned, Losses, OnPartial, OnStep, learn, prepare
from regen.rewriting.preserved import keys_of
from regen.rewriting.preview import Preview, preview_of
from regen.rewriting.rewrite import Rewrite, compose
from regen.rewriting.rule import build_rule
from regen.rewriting.settings import RewriteSettings
from regen.rewriting.suggestions import part_at, same_part
from regen.rewriting.task import Task, resolve
from regen.seeds import PRESERVED, UNSEEN

_KEYS = 64  # random samples whose keys give the second moment; as many as a fit preserves


@dataclass(frozen=True)
class Cut:
    """What does not depend on the edits, for one memory.

    Attributes:
        split: The generator, cut.
        whitening: C^(-1/2) of random samples' keys, see `regen.rewriting.key_similarity`.
        keys: Keys of the unseen samples.
    """

    split: Split
    whitening: Tensor
    keys: Activation


class Workbench:
    """A generator, and everything about it that edits share.

    Args:
        generator: Any generator; it is never changed.
        projector: A projector's file or run folder, where it is not the bundled one.
        images: Folder that the generator takes its samples from, if it needs images.
        unseen: N, the number of unseen samples.

    Attributes:
        unseen: The unseen samples.
        before: Their images without a rewrite, ``[N, 3, H, W]`` in [-1, 1] on the CPU.
    """

    def __init__(
        self,
        generator: Generator,
        *,
        projector: Path | str | None = None,
        images: Path | None = None,
        unseen: int = 8,
    ) -> None:
        self.generator, self.images = generator, images
        self.projector = None if projector is None else str(projector)
        self.source = generator.source(images)
        self.unseen = reserved_samples(self.source, UNSEEN, unseen)
        self.before = generator.images(self.unseen)
        self._tasks: dict[tuple[Edits, RewriteSettings], Task] = {}  # by what the edits share
        self._cuts: dict[tuple[int, int], Cut] = {}

    def task(self, edits: Edits, settings: RewriteSettings | None = None) -> Task:
        """What `regen rewrite` would learn of edits.

        Args:
            edits: The edits; their generator is not opened.
            settings: Settings that the edits do not give; by default those of the preset
                "default".

        Raises:
            RegenError: On bad input of any kind.
        """
        chosen = settings or RewriteSettings()
        common = replace(edits, edits=()), chosen
        if common not in self._tasks:
            self._tasks[common] = resolve(
                edits,
                self.generator,
                settings=chosen,
                projectors=[] if self.projector is None else [self.projector],
                images=self.images,
            )
            return self._tasks[common]
        examples = load_examples(edits, self.generator)
        taken = taken_by(edits, self.generator, self.source)
        return replace(self._tasks[common], edits=edits, examples=examples, taken=taken)

    @torch.no_grad()
    def cut(self, split: Split) -> Cut:
        """What is kept for a memory; computed when it is first asked for."""
        place = split.value_layer, split.memory_layers
        if place not in self._cuts:
            samples = reserved_samples(self.source, PRESERVED, _KEYS)
            keys = keys_of(self.generator, split, samples).features
            unseen = split.head(self.generator.latents(self.unseen))
            self._cuts[place] = Cut(split, whitening_of(keys), unseen)
        return self._cuts[place]

    @torch.no_grad()
    def preview(self, task: Task) -> Preview:
        """The targets as composites and as they would be decoded, and where the rule will act.

        Raises:
            RegenError: If a region reaches outside its image.
        """
        cut = self.cut(task.split)
        rule = build_rule(task.split, task.projector, task.examples, task.settings.rule)
        matcher = match_whitened(cut.whitening, rule.keys.features, rule.mask)
        labels = [sample.label for sample in self.unseen]
        return preview_of(task, rule, matcher, labels, self.before, cut.keys.features)

    def learn(
        self,
        task: Task,
        *,
        on_step: OnStep | None = None,
        on_partial: OnPartial | None = None,
        should_stop: Callable[[], bool] | None = None,
    ) -> Learned:
        """Learn a task. Arguments and errors are those of `regen.rewriting.learn.fit`."""
        return learn(task, on_step=on_step, on_partial=on_partial, should_stop=should_stop)

    def learned(
        self, task: Task, rewrite: Rewrite, losses: Losses, stopped_after: int | None = None
    ) -> Learned:
        """What `learn` returned for a task, from the rewrite that was saved."""
        prepared = prepare(task)
        return Learned(rewrite, prepared.rule, prepared.matcher, losses, stopped_after)

    @torch.no_grad()
    def after(
        self, rewrites: Sequence[tuple[Rewrite, float]], samples: Sequence[Sample] | None = None
    ) -> Tensor:
        """Images with rewrites applied, each at its strength.

        Args:
            rewrites: Pairs of rewrite and strength, of this generator.
            samples: Which samples, by default the unseen ones.

        Returns:
            ``[N, 3, H, W]`` in [-1, 1], float32 on the CPU.

        Raises:
            RewriteError: If a rewrite belongs to another generator.
        """
        used = [rewrite.scaled(strength) for rewrite, strength in rewrites if strength]
        if not used:
            return self.before if samples is None else self.generator.images(samples)
        total = used[0] if len(used) == 1 else compose(used)
        cut = next((c for c in self._cuts.values() if _covers(c.split, total)), None)
        if samples is not None or cut is None:
            return total.applied_to(self.generator).images(samples or self.unseen)
        weights = _weights(cut.split, total.deltas)
        image = cut.split.tail(cut.split.recall(cut.keys, weights))
        return image.float().cpu().clamp(-1, 1)

    @torch.no_grad()
    def part_at(self, sample: Sample, x: float, y: float) -> Tensor:
        """The part of a sample around the point (x, y), in pixels: a mask ``[1, 1, H, W]``."""
        cut, (height, width) = self._usual_cut(), self._size
        keys = cut.split.head(self.generator.latents([sample])).features
        return part_at(cut.whitening, keys, (x / width, y / height), self._size)

    @torch.no_grad()
    def same_part(self, sample: Sample, region: Tensor, others: Sequence[Sample]) -> Tensor:
        """A region ``[1, 1, H, W]`` of a sample, found in others: masks ``[S, 1, H, W]``.

        Raises:
            RewriteError: If the region covers nothing.
        """
        cut = self._usual_cut()
        keys = cut.split.head(self.generator.latents([sample, *others])).features
        return same_part(cut.whitening, keys[:1], region, keys[1:], self._size)

    @property
    def _size(self) -> tuple[int, int]:
        return int(self.before.shape[2]), int(self.before.shape[3])

    def _usual_cut(self) -> Cut:
        """The cut that was used, or the one that a rewrite has by default."""
        if self._cuts:
            return next(iter(self._cuts.values()))
        projector = open_projector(self.projector, self.generator)
        layers = RewriteSettings().memory_layers
        return self.cut(self.generator.split(projector.value_layer, layers))


def _covers(split: Split, rewrite: Rewrite) -> bool:
    """Whether a rewrite changes the weights of this memory and no others."""
    return set(rewrite.deltas) <= {split.full_name(name) for name in split.memory_weights()}


def _weights(split: Split, deltas: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The memory's weights with a change added, by their names inside it."""
    names = set(split.memory_weights())
    own = {n: p for n, p in split.memory.named_parameters() if n in names}
    return {
        n: p + deltas[split.full_name(n)].to(p)
        for n, p in own.items()
        if split.full_name(n) in deltas
    }
