"""A generator on the workbench: what previews, suggestions and fits share is computed once.

Every preview of an edits file needs the projector, the second moment of keys and the unseen
samples that it is shown on; hardly any of it depends on the edits. A `Workbench` keeps it all, and
what became of every target, so that a changed region costs one projection and no more. It computes
what the functions of `regen.rewriting` compute, to the same bits.

Shapes: N unseen samples; H, W their height and width.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import torch
from torch import Tensor

from regen.edits.schema import Edits
from regen.generators.protocol import Generator, Sample, Source
from regen.generators.samples import reserved_samples
from regen.generators.split import Activation, Split
from regen.rewriting.key_similarity import match_whitened, whitening_of
from regen.rewriting.learn import Learned, Losses, OnPartial, OnStep, learn, prepare
from regen.rewriting.preserved import LEAST_COMPARED, images_of, keys_of
from regen.rewriting.preview import Preview, preview_of
from regen.rewriting.rewrite import Rewrite, compose
from regen.rewriting.rule import Rule, build_rule, stack_rules
from regen.rewriting.settings import RewriteSettings, RuleSettings
from regen.rewriting.suggestions import part_at, same_part
from regen.rewriting.task import Task, resolve
from regen.seeds import PRESERVED, UNSEEN

Opened = tuple[str, RewriteSettings]  # edits as JSON and settings, less what makes a rule
Place = tuple[int, int]  # value layer, number of layers of the memory
One = tuple[str, Place, RuleSettings, bool]  # the edits of one target, and what else decides it


_KEPT = 6  # tasks, cuts and views each, those that were used last


@dataclass(frozen=True)
class Cut:
    """What does not depend on the edits, for one memory.

    Attributes:
        split: The generator, cut.
        samples: Random samples, as many as a fit preserves, but at least `LEAST_COMPARED`.
        whitening: C^(-1/2) of their keys, see `regen.rewriting.key_similarity`.
    """

    split: Split
    samples: Sequence[Sample]
    whitening: Tensor


@dataclass(frozen=True)
class View:
    """Unseen samples, to look at.

    Attributes:
        samples: N of them.
        images: Without a rewrite, ``[N, 3, H, W]`` in [-1, 1] on the CPU.
        keys: Their keys, by value layer and number of layers of the memory.
    """

    samples: Sequence[Sample]
    images: Tensor
    keys: dict[Place, Activation]

    @property
    def labels(self) -> list[str]:
        """Names, to display."""
        return [sample.label for sample in self.samples]


class Workbench:
    """A generator, and everything about it that edits share.

    Args:
        generator: Any generator; it is never changed.
        projector: A projector's file or run folder, where it is not the bundled one.
        images: Folder that the generator takes its samples from, if it needs images.
        unseen: N, the number of unseen samples.

    Attributes:
        source: The generator's samples.
    """

    def __init__(
        self,
        generator: Generator,
        *,
        projector: Path | str | None = None,
        images: Path | None = None,
        unseen: int = 8,
    ) -> None:
        self.generator, self.images, self.count = generator, images, unseen
        self.projector = None if projector is None else str(projector)
        self.source = generator.source(images)
        self._tasks: dict[Opened, Task] = {}  # the last that was used comes first in each
        self._cuts: list[Cut] = []
        self._views: list[View] = []
        self._rules: dict[One, Rule] = {}  # of one target each

    def view(self, targets: Sequence[Sample] = (), source: Source | None = None) -> View:
        """The unseen samples beside targets: none of them, and in the manner of the first.

        Args:
            targets: Samples that are seen.
            source: Where the samples are taken from, by default `source`.
        """
        source = source or self.source
        numbers = (source.index_of(target) for target in targets)
        taken = {number for number in numbers if number is not None}
        like = targets[0] if targets else None
        samples = reserved_samples(source, UNSEEN, self.count, taken, like=like)
        known = [view for view in self._views if view.samples == samples]
        view = known[0] if known else View(samples, self.generator.images(samples), {})
        self._views = [view, *(other for other in self._views if other is not view)][:_KEPT]
        return view

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
        opened = _opened_by(edits, chosen)
        if opened in self._tasks:
            task = self._tasks[opened].with_edits(edits, chosen)
        else:
            task = resolve(
                edits,
                self.generator,
                settings=chosen,
                projectors=[] if self.projector is None else [self.projector],
                images=self.images,
            )
        others = {key: kept for key, kept in self._tasks.items() if key != opened}
        self._tasks = dict(islice({opened: task, **others}.items(), _KEPT))
        return task

    @torch.no_grad()
    def cut(self, task: Task) -> Cut:
        """What is kept for the memory of a task; computed when it is first asked for."""
        count = max(task.settings.fit.preserve, LEAST_COMPARED)
        samples = reserved_samples(task.source, PRESERVED, count, task.taken)
        place = _place(task.split)
        known = [c for c in self._cuts if _place(c.split) == place and c.samples == samples]
        if known:
            cut = known[0]
        else:
            keys = keys_of(self.generator, task.split, samples).features
            cut = Cut(task.split, samples, whitening_of(keys))
        self._cuts = [cut, *(other for other in self._cuts if other is not cut)][:_KEPT]
        return cut

    def warm(self) -> None:
        """Compute what previews share, before the first is asked for."""
        self._keys(self.view(), self._usual_cut())

    @torch.no_grad()
    def preview(self, task: Task) -> Preview:
        """The targets as composites and as they would be decoded, and where the rule will act.

        Raises:
            RegenError: If a region reaches outside its image.
        """
        cut = self.cut(task)
        view = self.view(task.targets, task.source)
        rule = self._rule(task)
        matcher = match_whitened(cut.whitening, rule.keys.features, rule.mask)
        keys = self._keys(view, cut).features
        return preview_of(task, rule, matcher, view.labels, view.images, keys)

    @torch.no_grad()
    def _keys(self, view: View, cut: Cut) -> Activation:
        place = _place(cut.split)
        if place not in view.keys:
            view.keys[place] = keys_of(self.generator, cut.split, view.samples)
        return view.keys[place]

    def _rule(self, task: Task) -> Rule:
        """A task's rule; of targets that did not change it is not made again."""
        place = _place(task.split)
        examples, made, keys = list(task.examples), dict[One, Rule](), list[One]()
        for alone in _each_target(task.edits):
            holes = len(alone.edits[0].targets[0].sample.grow)
            own, examples = examples[:holes], examples[holes:]
            key = _written(alone), place, task.settings.rule, task.has_values
            keys.append(key)
            made[key] = self._rules.get(key) or build_rule(
                task.split, task.projector, own, task.settings.rule, values=task.has_values
            )
        self._rules = made
        return stack_rules([made[key] for key in keys])

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
        self,
        rewrites: Sequence[tuple[Rewrite, float]],
        samples: Sequence[Sample] | None = None,
        view: View | None = None,
    ) -> Tensor:
        """Images with rewrites applied, each at its strength.

        Args:
            rewrites: Pairs of rewrite and strength, of this generator.
            samples: Which samples, by default those of `view`.
            view: The unseen samples, by default those without any targets.

        Returns:
            ``[N, 3, H, W]`` in [-1, 1], float32 on the CPU.

        Raises:
            RewriteError: If a rewrite belongs to another generator.
        """
        used = [rewrite.scaled(strength) for rewrite, strength in rewrites if strength]
        view = (view or self.view()) if samples is None else None
        if not used:
            return self.generator.images(samples or ()) if view is None else view.images
        total = used[0] if len(used) == 1 else compose(used)
        cut = next((c for c in self._cuts if _covers(c.split, total)), None)
        if view is None or cut is None:
            return total.applied_to(self.generator).images(samples or (view or self.view()).samples)
        weights = _weights(cut.split, total.deltas)
        return images_of(self.generator, cut.split, self._keys(view, cut), weights)

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
        images = (self._views[0] if self._views else self.view()).images
        return int(images.shape[2]), int(images.shape[3])

    def _usual_cut(self) -> Cut:
        """The cut that a rewrite has by default; what is suggested depends on no other."""
        return self.cut(self.task(Edits(edits=())))


def _place(split: Split) -> Place:
    return split.value_layer, split.memory_layers


def _written(edits: Edits) -> str:
    """What edits are known by: equal ones, with equal masks, are written alike."""
    return json.dumps(edits.to_json())


def _opened_by(edits: Edits, settings: RewriteSettings) -> Opened:
    """What edits and settings must share to be learned with the same projector and samples."""
    opened = replace(edits, edits=(), align=None, scale=None, shape=None, blend=None, feather=None)
    return _written(opened), replace(settings, rule=RuleSettings())


def _each_target(edits: Edits) -> Iterator[Edits]:
    """Edits of one target each."""
    for edit in edits.edits:
        for target in edit.targets:
            yield replace(edits, edits=(replace(edit, targets=(target,)),))


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
