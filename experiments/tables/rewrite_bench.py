"""Carries out a row of Table 2 on a scene: project, fit, and generate unseen samples.

Seconds count from exemplars and targets to the finished weights: projecting, finding what should be
preserved, and fitting. What belongs to the generator alone and can be kept beside it is not
counted: RDGM's statistics of keys, and those of the closed form. A row without a fit is charged
for editing the measured images.

A scene is opened with what the command line says of it. The row of kind "rewrite" alone is made
from the edits as they were given: it is what `regen rewrite` does, which may take another value
layer, another memory, and no projector.

Shapes: N samples; H, W height and width of an image.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from experiments.baselines.patch_transfer import PatchTransfer
from experiments.baselines.rdgm import RdgmConfig, key_moment, rdgm_insert
from experiments.tables.provenance import peak_memory
from experiments.tables.rewrite_rows import ALL_CONVOLUTIONS, Method, even_weights, with_edits
from experiments.tables.rewrite_scenes import Scene
from regen.edits.schema import Edits
from regen.generators.protocol import Generator, Sample
from regen.generators.split import Split
from regen.generators.stylegan2.source import StyleSample
from regen.metrics import Lpips
from regen.rewriting.key_moments import Moments
from regen.rewriting.learn import fit, moments_for, prepare
from regen.rewriting.pasted import pasted
from regen.rewriting.preserved import keys_of
from regen.rewriting.presets import preset
from regen.rewriting.resolve import resolve
from regen.rewriting.rewrite import Rewrite, rewritten
from regen.rewriting.rule import build_rule
from regen.rewriting.task import Task

Made = tuple[Rewrite, dict[str, float]]  # a rewrite, and the last losses of its fit by name


@dataclass(frozen=True)
class Outcome:
    """What a row did.

    Attributes:
        after: Images of the samples, ``[N, 3, H, W]`` in [-1, 1].
        seconds: See above.
        peak_memory_mb: The most memory held meanwhile, in 10^6 bytes, or None.
        loss: The last losses of the fit by name; empty for other rows.
    """

    after: Tensor
    seconds: float
    peak_memory_mb: float | None
    loss: dict[str, float]


class Bench:
    """A generator, and what rows share.

    Args:
        generator: As it was opened, on the device to compute on.
        lpips: For patch transfer, or None.
    """

    def __init__(self, generator: Generator, lpips: Lpips | None = None) -> None:
        self.generator, self.lpips = generator, lpips
        self._tasks: dict[str, Task] = {}
        self._rdgm_moments: dict[tuple[int, int, float], Tensor] = {}

    def samples(self, scene: Scene, seeds: Sequence[int]) -> list[Sample]:
        """The samples of these numbers, in the manner of the scene's first target.

        Seeds of a StyleGAN2 have its truncation as well, see `truncation`.
        """
        task, psi = self.task(scene), self.truncation(scene)
        like = task.like
        found = task.source.samples(seeds) if like is None else task.source.alike(like, seeds)
        return [replace(s, truncation=psi) if isinstance(s, StyleSample) else s for s in found]

    def truncation(self, scene: Scene) -> float:
        """psi of the first target, which unseen samples have too.

        It is 1 where an oracle is asked for a pattern by its name: that knows untruncated samples
        alone.
        """
        like = self.task(scene).like
        if scene.edits.oracle_pattern or not isinstance(like, StyleSample):
            return 1.0
        return like.truncation

    def task(self, scene: Scene) -> Task:
        """A scene with everything that its edits name, opened once.

        Raises:
            RegenError: If projector, exemplars or targets cannot be had.
        """
        return self._opened(scene.name, scene.edits)

    def task_for(self, method: Method, scene: Scene) -> Task:
        """What a row is made from: for kind "rewrite" the edits as they were given, else `task`.

        Errors are those of `task`.
        """
        if method.kind != "rewrite" or scene.given is None:
            return self.task(scene)
        return self._opened(f"{scene.name} as given", scene.given)

    def _opened(self, name: str, edits: Edits) -> Task:
        if name not in self._tasks:
            self._tasks[name] = resolve(edits, self.generator)
        return self._tasks[name]

    def run(
        self,
        method: Method,
        scene: Scene,
        samples: Sequence[Sample],
        before: Tensor,
        rdgm: RdgmConfig,
    ) -> Outcome:
        """Carry out a row.

        Args:
            method: The row.
            scene: What to rewrite.
            samples: N unseen samples to generate afterwards.
            before: Their images without a rewrite, ``[N, 3, H, W]``.
            rdgm: Of the RDGM rows, save the rank.

        Raises:
            RegenError: If the fit diverges, or a row lacks what it needs.
        """
        method = with_edits(method, scene.edits)
        work = self._work(method, self._task_of(method, scene), before, rdgm)
        with peak_memory() as peak:
            began = time.perf_counter()
            made = work()
            seconds = time.perf_counter() - began
        if isinstance(made, Tensor):
            return Outcome(made, seconds, peak.megabytes, {})
        rewrite, losses = made
        with rewritten(self.generator, rewrite):
            after = self.generator.images(samples)
        return Outcome(after, seconds, peak.megabytes, losses)

    @torch.no_grad()
    def expected(self, scene: Scene, samples: Sequence[Sample]) -> Tensor:
        """Where the default's rule is expected to act on samples, ``[N, 1, H, W]`` in [0, 1]."""
        task, settings = self.task(scene), preset("default")
        split = self.generator.split(task.split.value_layer, settings.memory_layers)
        matcher = prepare(replace(task, split=split, settings=settings)).matcher
        keys = keys_of(self.generator, split, samples).features
        return matcher.mask(keys, self.generator.image_size).cpu()

    def pasted(self, scene: Scene, images: Tensor) -> tuple[Tensor, Tensor]:
        """A pseudo-oracle: the exemplars pasted where the targets have them.

        Args:
            scene: Whose exemplars.
            images: Of unseen samples, ``[N, 3, H, W]`` in [-1, 1].

        Returns:
            The images with the exemplars, and what was replaced, ``[N, 1, H, W]`` in [0, 1].
        """
        task = self.task(scene)
        return pasted(task.examples, images, task.settings.rule)

    def _task_of(self, method: Method, scene: Scene) -> Task:
        """The scene's task with the row's settings, cut as the row wants it.

        That of kind "rewrite" is unchanged.
        """
        task = self.task_for(method, scene)
        if method.kind == "rewrite":
            return task
        layer, layers = task.split.value_layer, method.memory_layers
        split = self.generator.split(layer, layer if layers == ALL_CONVOLUTIONS else layers)
        return replace(task, split=split, settings=method.settings)

    def _work(
        self, method: Method, task: Task, before: Tensor, rdgm: RdgmConfig
    ) -> Callable[[], Tensor | Made]:
        """What a row is charged for; what it is not charged for has been done already."""
        if method.kind == "patch_transfer":
            return partial(self._transfer, task, before)
        if method.kind == "rdgm":
            return partial(_insert, method, task, self._rdgm_moment(task.split, rdgm), rdgm)
        return partial(_learn, method, task, moments_for(task))

    @torch.no_grad()
    def _transfer(self, task: Task, before: Tensor) -> Tensor:
        assert self.lpips is not None
        images = torch.cat([self.generator(example.latent) for example in task.examples])
        rule = task.settings.rule
        transfer = PatchTransfer(self.lpips, task.examples, images.clamp(-1, 1), rule)
        return transfer(before.to(images)).cpu()

    def _rdgm_moment(self, split: Split, rdgm: RdgmConfig) -> Tensor:
        """Measured once for a layer."""
        key = split.value_layer, rdgm.samples, rdgm.truncation
        if key not in self._rdgm_moments:
            self._rdgm_moments[key] = key_moment(self.generator, split, rdgm)
        return self._rdgm_moments[key]


def _insert(method: Method, task: Task, moment: Tensor, rdgm: RdgmConfig) -> Made:
    rule = build_rule(task.split, task.projector, task.examples, task.settings.rule)
    config = replace(rdgm, rank=method.rank, direct=method.direct)
    return rdgm_insert(task.generator, task.split, rule, moment, config), {}


def _learn(method: Method, task: Task, moments: Moments | None) -> Made:
    prepared = prepare(task)
    if not method.weighted:
        share = float(prepared.rule.mask.mean())
        task = replace(task, settings=even_weights(task.settings, share))
    learned = fit(task, prepared, moments)
    return learned.rewrite, {name: curve[-1][1] for name, curve in learned.losses.items()}
