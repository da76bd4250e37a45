"""Carries out a row of Table 2 on a scene: project, fit, and draw unseen seeds.

Seconds count from exemplars and targets to the finished weights: projecting, sampling what is to be
preserved, and fitting. What belongs to the generator alone and can be kept beside it is not
counted: RDGM's statistics of keys, and those of the closed form. A row without a fit is charged
for editing the measured images.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from experiments.baselines.patch_transfer import PatchTransfer
from experiments.baselines.rdgm import RdgmConfig, key_moment, rdgm_insert
from experiments.tables.provenance import peak_memory
from experiments.tables.rewrite_rows import ALL_CONVOLUTIONS, Method, even_weights, with_edits
from experiments.tables.rewrite_scenes import Scene
from regen.generators.protocol import Generator
from regen.generators.registry import open_generator
from regen.metrics import Lpips
from regen.projector.files import Projector, open_projector
from regen.rewriting.key_moments import Moments
from regen.rewriting.memory import fit_memory
from regen.rewriting.moment_cache import key_moments
from regen.rewriting.rewrite import Rewrite, rewritten
from regen.rewriting.rule import Example, Rule, build_rule
from regen.rewriting.settings import preset
from regen.rewriting.examples import load_examples
from regen.rewriting.learn import preserve
from regen.runs.rewrite.measure import draw, keys_of


@dataclass(frozen=True)
class Outcome:
    """What a row did.

    Attributes:
        after: Images of the seeds, ``[N, 3, R, R]`` in [-1, 1].
        seconds: See above.
        peak_memory_mb: The most memory held meanwhile, in 10^6 bytes, or None.
        loss: The last losses of the fit by name; empty for other rows.
    """

    after: Tensor
    seconds: float
    peak_memory_mb: float | None
    loss: dict[str, float]


class Bench:
    """A generator, its projector, and what rows share.

    Args:
        generator: Name or path.
        projector: Path, or None for the bundled one.
        value_layer: None for the projector's.
        lpips: For patch transfer, or None.
        device: Where to compute.
    """

    def __init__(
        self,
        generator: str,
        projector: str | None,
        value_layer: int | None,
        lpips: Lpips | None,
        device: str,
    ) -> None:
        self.generator: Generator = open_generator(generator, device=device)
        self.projector: Projector = open_projector(
            projector, generator, self.generator, value_layer=value_layer
        )
        self.value_layer = value_layer or self.projector.value_layer
        self.projector.check_layer(self.value_layer)
        self.lpips = lpips
        self.name = generator
        self._moments: dict[tuple[int, float], Tensor] = {}
        self._keys: dict[int, Moments] = {}

    def examples(self, scene: Scene) -> list[Example]:
        """Exemplars and targets of a scene, in its order."""
        return [item.example for item in load_examples(scene.edits, self.generator)]

    def split(self, method: Method) -> Any:
        """The generator, cut as a row wants it."""
        layers = method.memory_layers
        return self.generator.split(
            self.value_layer, self.value_layer if layers == ALL_CONVOLUTIONS else layers
        )

    def run(
        self, method: Method, scene: Scene, seeds: Sequence[int], before: Tensor, rdgm: RdgmConfig
    ) -> Outcome:
        """Carry out a row.

        Args:
            method: The row.
            scene: What to rewrite.
            seeds: N unseen seeds to draw afterwards.
            before: Their images without a rewrite, ``[N, 3, R, R]``.
            rdgm: Of the RDGM rows, save the rank.

        Raises:
            RegenError: If the fit diverges, or a row lacks what it needs.
        """
        method, examples = with_edits(method, scene.edits), self.examples(scene)
        self._statistics(method, rdgm)
        losses: dict[str, float] = {}
        with peak_memory() as peak:
            began = time.perf_counter()
            if method.kind == "patch_transfer":
                after = self._transfer(method, examples, before)
            else:
                rewrite = self._learn(method, examples, rdgm, losses)
            seconds = time.perf_counter() - began
        if method.kind != "patch_transfer":
            with rewritten(self.generator, rewrite):
                after = draw(self.generator, list(seeds))
        return Outcome(after, seconds, peak.megabytes, losses)

    def expected(self, scene: Scene, seeds: Sequence[int]) -> Tensor:
        """Where the default's rule is expected to act on seeds, ``[N, 1, R, R]`` in [0, 1]."""
        settings = preset("default")
        split = self.generator.split(self.value_layer, settings.memory_layers)
        rule = build_rule(split, self.projector, self.examples(scene), settings.rule)
        _, matcher = preserve(self.generator, split, rule, settings)
        side = self.generator.resolution
        return matcher.mask(keys_of(split, self.generator, list(seeds)), (side, side)).cpu()

    def _rule(self, method: Method, examples: list[Example]) -> tuple[Any, Rule]:
        split = self.split(method)
        return split, build_rule(split, self.projector, examples, method.settings.rule)

    def _learn(
        self,
        method: Method,
        examples: list[Example],
        rdgm: RdgmConfig,
        losses: dict[str, float],
    ) -> Rewrite:
        split, rule = self._rule(method, examples)
        if method.kind == "rdgm":
            config = replace(rdgm, rank=method.rank, direct=method.direct)
            return rdgm_insert(self.generator, split, rule, self._moment(method, rdgm), config)
        settings = method.settings
        if not method.weighted:
            settings = even_weights(settings, float(rule.mask.mean()))
        preserved, _ = preserve(self.generator, split, rule, settings)
        deltas = fit_memory(
            split,
            rule,
            settings.fit,
            preserved,
            lambda _, terms: losses.update(terms),
            self._key_moments(method),
        )
        return Rewrite(deltas, self.generator.digest(), self.generator.family)

    def _transfer(self, method: Method, examples: list[Example], before: Tensor) -> Tensor:
        assert self.lpips is not None
        images = torch.cat([self.generator(example.latent) for example in examples])
        rule = method.settings.rule
        transfer = PatchTransfer(self.lpips, examples, images.clamp(-1, 1), rule)
        return transfer(before.to(images)).cpu()

    def _statistics(self, method: Method, rdgm: RdgmConfig) -> None:
        """Have at hand what belongs to the generator alone, and is not counted."""
        if method.kind == "rdgm":
            self._moment(method, rdgm)
        elif method.kind == "fit":
            self._key_moments(method)

    def _key_moments(self, method: Method) -> Moments | None:
        if method.settings.fit.solver == "adam":
            return None
        if method.memory_layers not in self._keys:
            found = key_moments(self.generator, self.split(method), self.name)
            self._keys[method.memory_layers] = found
        return self._keys[method.memory_layers]

    def _moment(self, method: Method, rdgm: RdgmConfig) -> Tensor:
        key = rdgm.samples, rdgm.truncation
        if key not in self._moments:
            self._moments[key] = key_moment(self.split(method), rdgm)
        return self._moments[key]
