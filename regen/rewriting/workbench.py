"""A generator on the workbench: what previews and suggestions share is computed once.

Every preview of an edits file needs the projector, the second moment of keys and the unseen
samples that it is shown on; hardly any of it depends on the edits. A `Workbench` keeps it all, and
what became of every target, so that a changed region costs one projection and no more. It computes
what the functions of `regen.rewriting` compute, to the same bits.

Shapes: N unseen samples; H, W their height and width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from pathlib import Path

import torch
from torch import Tensor

from regen.edits.schema import Edits
from regen.generators.pictures import checked_folder
from regen.generators.protocol import Generator, Sample, Source, checked_open
from regen.generators.samples import reserved_samples
from regen.generators.split import Activation, Split
from regen.images.raster import size_of
from regen.projector.files import checked_projector_path
from regen.rewriting.applying import combined, images_after, is_within
from regen.rewriting.key_similarity import match_whitened, whitening_of
from regen.rewriting.preserved import keys_of
from regen.rewriting.preview import Preview, checked_count, preview_of
from regen.rewriting.resolve import resolve
from regen.rewriting.rewrite import Rewrite
from regen.rewriting.rule_cache import RuleCache, written
from regen.rewriting.settings import RewriteSettings, RuleSettings
from regen.rewriting.suggestions import part_at, same_part
from regen.rewriting.task import Task
from regen.seeds import UNSEEN

Opened = tuple[str, RewriteSettings]  # edits as JSON and settings, less what makes a rule
Place = tuple[int, int]  # value layer, number of layers of the memory

_KEPT = 6  # tasks, cuts and views each, those that were used last


@dataclass(frozen=True)
class Cut:
    """What does not depend on the edits, for one memory.

    Attributes:
        split: The generator, cut.
        samples: From `Task.random_samples`.
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

    Raises:
        GeneratorError: If the generator needs a folder of images, or takes none.
        RewriteError: If `unseen` is no number from 1.

    Attributes:
        source: The generator's samples.
    """

    def __init__(
        self,
        generator: Generator,
        *,
        projector: Path | str | None = None,
        images: Path | str | None = None,
        unseen: int = 8,
    ) -> None:
        self.generator, self.images = checked_open(generator), checked_folder(images)
        self.count = checked_count(unseen)
        self.projector = None if projector is None else checked_projector_path(projector)
        self.source = generator.source(self.images)
        self._tasks: dict[Opened, Task] = {}  # the last that was used comes first in each
        self._cuts: list[Cut] = []
        self._views: list[View] = []
        self._rules = RuleCache()

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
        samples, place = task.random_samples(), _place(task.split)
        known = [c for c in self._cuts if _place(c.split) == place and c.samples == samples]
        cut = known[0] if known else self._new_cut(task.split, samples)
        self._cuts = [cut, *(other for other in self._cuts if other is not cut)][:_KEPT]
        return cut

    def _new_cut(self, split: Split, samples: Sequence[Sample]) -> Cut:
        keys = keys_of(self.generator, split, samples).features
        return Cut(split, samples, whitening_of(keys))

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
        rule = self._rules.rule(task)
        matcher = match_whitened(cut.whitening, rule.keys.features, rule.mask)
        keys = self._keys(view, cut).features
        return preview_of(task, rule, matcher, view.labels, view.images, keys)

    @torch.no_grad()
    def _keys(self, view: View, cut: Cut) -> Activation:
        place = _place(cut.split)
        if place not in view.keys:
            view.keys[place] = keys_of(self.generator, cut.split, view.samples)
        return view.keys[place]

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
        total = combined(rewrites)
        if samples is None:
            view = view or self.view()
            if total is None:
                return view.images
            cut = next((cut for cut in self._cuts if is_within(total, cut.split)), None)
            if cut is not None and total.base == self._digest:
                return images_after(self.generator, cut.split, self._keys(view, cut), total)
            samples = view.samples
        generator = self.generator if total is None else total.applied_to(self.generator)
        return generator.images(samples)

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

    @cached_property
    def _digest(self) -> str:
        return self.generator.digest()

    @property
    def _size(self) -> tuple[int, int]:
        return size_of((self._views[0] if self._views else self.view()).images)

    def _usual_cut(self) -> Cut:
        """The cut that a rewrite has by default; what is suggested depends on no other."""
        return self.cut(self.task(Edits(edits=())))


def _place(split: Split) -> Place:
    return split.value_layer, split.memory_layers


def _opened_by(edits: Edits, settings: RewriteSettings) -> Opened:
    """What edits and settings must share to be learned with the same projector and samples."""
    opened = replace(edits, edits=(), align=None, scale=None, shape=None, blend=None, feather=None)
    return written(opened), replace(settings, rule=RuleSettings())
