"""Choosing the value layer by trying: a short fit for each cut, judged on what it was not shown.

A value layer needs a projector, so the candidates are the layers that have one: the bundled ones of
a bundled generator, or those of the files that are given. Each is tried with the memory's length as
set and with one convolution less. The last target is held out (a lone target cannot be, and is
judged on itself): what a perfect rule would make of it is known, its image with the pattern laid
on. Two means are taken, as shares of what there was to do, and weighed as the rule weighs them:

    inside   mean over the held-out region of |after - wanted|  / the same before the fit
    outside  mean outside of the region of |after - before|, on held-out seeds  / the same as above
    score    inside + q / p * outside

The cut with the smallest score is taken; a rewrite that does nothing scores 1. No oracle is asked.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from regen.edits.schema import Edits
from regen.errors import ProjectorError, RewriteError
from regen.generators.convolution_keys import KeyedSplit
from regen.generators.registry import AnyGenerator, open_generator
from regen.losses import weighted_l1
from regen.projector.files import Projector, bundled_layers, bundled_path, load_projector
from regen.rewriting.key_similarity import KeyMatcher
from regen.rewriting.memory import fit_memory
from regen.rewriting.moment_cache import key_moments
from regen.rewriting.rewrite import Rewrite, rewritten
from regen.rewriting.rule import Rule, build_rule
from regen.rewriting.settings import RewriteSettings
from regen.runs.logbook import Progress
from regen.runs.rewrite.examples import LabelledExample, load_examples
from regen.runs.rewrite.layer_trials import LayerChoice, Trial
from regen.runs.rewrite.learn import preserve
from regen.runs.rewrite.measure import draw, keys_of
from regen.seeds import HELD_OUT

STEPS = 40
PRESERVED = 16
SEEDS = 16


def choose_layer(
    edits: Edits,
    settings: RewriteSettings,
    *,
    projectors: Sequence[Path | str] = (),
    device: str = "cpu",
) -> LayerChoice:
    """Try every cut that has a projector.

    Args:
        edits: What to rewrite. Its value layer is not heeded; its memory's length, if it says
            one, is the only one tried.
        settings: As for the rewrite; the trials take `STEPS` steps from the closed form, where
            the family has one, and preserve `PRESERVED` samples.
        projectors: Files to choose from; by default the one that the edits name, or the bundled.
        device: Where to compute.

    Returns:
        The trials, the best first.

    Raises:
        ProjectorError: If there is no projector, or two are for the same layer.
        RegenError: On any other bad input.
    """
    generator = open_generator(edits.generator, device=device)
    files = list(projectors) or ([edits.projector] if edits.projector else _bundled(edits))
    known = _by_layer([load_projector(file, generator) for file in files])
    examples = load_examples(edits, generator)
    trial = _Trials(edits, settings.with_edits(edits), generator, examples)
    cuts = [
        (projector, memory)
        for layer, projector in sorted(known.items())
        for memory in _memories(edits, settings, layer)
    ]
    trials = []
    with Progress(len(cuts), "trying value layers") as progress:
        for projector, memory in cuts:
            trials.append(trial(projector, memory))
            progress.advance(1)
    without = [i for i in range(1, generator.convolutions + 1) if i not in known]
    return LayerChoice(sorted(trials, key=lambda t: t.score), trial.held_out, without)


def _bundled(edits: Edits) -> list[Path | str]:
    layers = bundled_layers(edits.generator)
    if not layers:
        raise ProjectorError(
            f"no projector is known for {edits.generator}",
            remedy="give one --projector for each value layer to try; `regen train-projector` "
            "makes them",
        )
    return [bundled_path(edits.generator, layer) for layer in layers]


def _by_layer(projectors: list[Projector]) -> dict[int, Projector]:
    known: dict[int, Projector] = {}
    for projector in projectors:
        other = known.setdefault(projector.value_layer, projector)
        if other is not projector:
            raise ProjectorError(
                f"two projectors for value layer {other.value_layer}",
                got=f"{other.name} and {projector.name}",
                expected="one for each layer to try",
            )
    return known


def _memories(edits: Edits, settings: RewriteSettings, layer: int) -> list[int]:
    """Lengths of the memory to try with a value layer."""
    if edits.memory_layers is not None:
        if edits.memory_layers > layer:
            return []
        return [edits.memory_layers]
    longest = min(settings.memory_layers, layer)
    return [longest] if longest == 1 else [longest - 1, longest]


class _Trials:
    """Tries cuts, all alike."""

    def __init__(
        self,
        edits: Edits,
        settings: RewriteSettings,
        generator: AnyGenerator,
        examples: list[LabelledExample],
    ) -> None:
        self.edits, self.generator, self.examples = edits, generator, examples
        fit = replace(settings.fit, steps=STEPS, preserve=min(PRESERVED, settings.fit.preserve))
        self.settings = replace(settings, fit=fit)
        alone = len(examples) == 1
        self.shown = examples if alone else examples[:-1]
        self.held_out = None if alone else examples[-1].seed
        self.seeds = HELD_OUT.take(SEEDS, without=[item.seed for item in examples])

    def __call__(self, projector: Projector, memory_layers: int) -> Trial:
        began = time.perf_counter()
        split = self.generator.split(projector.value_layer, memory_layers)
        settings, moments = self.settings, None
        if isinstance(split, KeyedSplit):
            settings = replace(settings, fit=replace(settings.fit, solver="both"))
            moments = key_moments(self.generator, split, self.edits.generator)
        rules = [
            build_rule(split, projector, [item.example for item in part], settings.rule)
            for part in (self.shown, self.examples[-1:])
        ]
        preserved, matcher = preserve(self.generator, split, rules[0], settings)
        deltas = fit_memory(split, rules[0], settings.fit, preserved, moments=moments)
        rewrite = Rewrite(deltas, self.generator.digest(), self.generator.family)
        inside, outside = self._errors(split, rewrite, rules[1], matcher)
        return Trial(
            projector.value_layer,
            memory_layers,
            projector.name,
            inside,
            outside,
            inside + settings.fit.weight_old / settings.fit.weight_new * outside,
            time.perf_counter() - began,
        )

    @torch.no_grad()
    def _errors(
        self, split: Any, rewrite: Rewrite, rule: Rule, matcher: KeyMatcher
    ) -> tuple[float, float]:
        """Error left in the held-out region, and change outside on other seeds, as shares."""
        mask, wanted = rule.image_mask.cpu(), rule.composites.float().cpu().clamp(-1, 1)
        start = rule.images.float().cpu().clamp(-1, 1)
        to_do = weighted_l1(start, wanted, mask)
        if not bool(to_do > 0):
            raise RewriteError(
                "value layer auto: the last target is as wanted already",
                remedy="give the value layer, or another target",
            )
        before = draw(self.generator, self.seeds)
        keys = keys_of(split, self.generator, self.seeds)
        size = (int(before.shape[2]), int(before.shape[3]))
        elsewhere = 1 - matcher.mask(keys, size, slack=self.settings.fit.match_area).cpu()
        with rewritten(self.generator, rewrite):
            target = self.generator(self.examples[-1].example.latent).float().cpu().clamp(-1, 1)
            after = draw(self.generator, self.seeds)
        inside = weighted_l1(target, wanted, mask)
        outside = weighted_l1(after, before, elsewhere)
        return (inside / to_do).item(), (outside / to_do).item()
