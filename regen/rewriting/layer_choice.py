"""Choosing the value layer by trying: a short fit for each cut, evaluated on held-out samples.

Where there are projectors, the candidates are the layers that have one: those of the bundled
projectors of a generator, or those of the files that are given. Each is tried with the memory's
length as set and with one convolution less. Where there are none, recall is measured on the image,
the value layer is that of `Generator.usual_cut`, and the lengths of `LENGTHS` are tried, each with
half of the steps that it would take: colours and detail that the generator does not know need a
memory up to its end, and how far back it must begin depends on the pattern.

The last target is held out (a single target cannot be, and is evaluated on itself): its perfect
result is known, its image with the pattern pasted in. Two means are normalised by the error before
the fit, and weighted as the rule weights them:

    inside   mean over the held-out region of |after - wanted|  / the same before the fit
    outside  mean outside of the region of |after - before|, on held-out seeds  / the same as above
    score    inside + q / p * outside

The cut with the smallest score is chosen, of those that did not spill where there are any; a
rewrite without effect scores 1. No oracle is used.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import torch

from regen.errors import ProjectorError, RewriteError
from regen.generators.convolution_keys import KeyedSplit
from regen.generators.protocol import Generator, Source
from regen.generators.samples import reserved_samples
from regen.generators.split import Split
from regen.images import as_shown
from regen.images.raster import size_of
from regen.losses import weighted_l1
from regen.metrics.verdict import SPILLED_ABOVE
from regen.projector.files import Projector
from regen.rewriting.composite import Example
from regen.rewriting.duration import seconds_of_fit
from regen.rewriting.examples import resolved_fit
from regen.rewriting.key_similarity import KeyMatcher
from regen.rewriting.layer_trials import LayerChoice, Trial, TrialWatcher
from regen.rewriting.memory import fit_memory
from regen.rewriting.moment_cache import key_moments
from regen.rewriting.preserved import images_of, keys_of, preserve
from regen.rewriting.rewrite import Rewrite, rewritten
from regen.rewriting.rule import Rule, build_rule
from regen.rewriting.settings import FitSettings, RewriteSettings
from regen.seeds import CHOICES, PRESERVED

STEPS = 30  # where cuts differ little in length
LENGTHS = (2, 3, 4, 6, 8)
PRESERVED_SAMPLES = 16
UNSEEN_SAMPLES = 16
BESIDE_FIT = 10
"""What a trial takes beside its gradient steps, in times of building its rules."""


def choose_layer(
    generator: Generator,
    source: Source,
    examples: Sequence[Example],
    settings: RewriteSettings,
    projectors: Sequence[Projector],
    watcher: TrialWatcher | None = None,
    *,
    memory_layers: int | None = None,
    taken: Collection[int] = (),
) -> tuple[LayerChoice, Projector | None]:
    """Try every cut that has a projector, or, without any, several lengths of the memory.

    A bundled projector that rewrites do better without is not among those that are tried, unless
    it is named.

    Args:
        generator: As it was opened.
        source: Its samples.
        examples: What to rewrite; the last is held out where there are several.
        settings: As for the rewrite; the trials preserve `PRESERVED_SAMPLES` samples, and with
            projectors take `STEPS` steps from the closed form, where the family has one.
        projectors: To choose from, one for each layer; none for a generator without any.
        watcher: Is told about how long the trials take, and how far they are.
        memory_layers: The only length of the memory to try; by default, with projectors, that of
            the settings and one convolution less, and `LENGTHS` without.
        taken: Numbers of the source that are targets.

    Returns:
        The trials, the best first, and the projector of the best, if it has one.

    Raises:
        ProjectorError: If there are two projectors for the same layer.
        RegenError: On any other bad input.
    """
    known = _by_layer(projectors)
    watcher = watcher or TrialWatcher()
    trial = _CutTrials(generator, source, examples, settings, taken)
    cuts = [
        trial.cut(known.get(layer), layer, length)
        for layer, length in _cuts(generator, known, settings.memory_layers, memory_layers)
    ]
    watcher.begin(len(cuts), _seconds(cuts))
    trials = []
    for number, cut in enumerate(cuts, 1):
        watcher.trial(number, len(cuts), cut.split.value_layer, cut.split.memory_layers)
        trials.append(trial(cut, watcher))
    without = [i for i in range(1, generator.convolutions + 1) if i not in known]
    choice = LayerChoice(sorted(trials, key=lambda t: t.rank), trial.held_out, without)
    return choice, known.get(choice.best.value_layer)


def check_length(
    generator: Generator, projectors: Sequence[Projector], memory_layers: int | None
) -> None:
    """Check that a memory of this length can end at the last of the layers that are to be tried.

    Raises:
        GeneratorError: If it is too long for all of them.
    """
    layers = [projector.value_layer for projector in projectors] or [generator.usual_cut()[0]]
    if memory_layers is not None:
        generator.check_cut(max(layers), memory_layers)


def _cuts(
    generator: Generator, known: Mapping[int, Projector], usual: int, only: int | None
) -> list[tuple[int, int]]:
    """Value layers and lengths of the memory to try."""
    if known:
        return [(layer, n) for layer in sorted(known) for n in _lengths(only, usual, layer)]
    layer = generator.usual_cut()[0]
    lengths = [n for n in LENGTHS if n <= layer] or [1]
    return [(layer, n) for n in (lengths if only is None else _lengths(only, usual, layer))]


def _by_layer(projectors: Sequence[Projector]) -> dict[int, Projector]:
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


def _lengths(only: int | None, longest: int, layer: int) -> list[int]:
    """Lengths of the memory to try with a value layer."""
    if only is not None:
        return [only] if only <= layer else []
    longest = min(longest, layer)
    return [longest] if longest == 1 else [longest - 1, longest]


@dataclass(frozen=True)
class _Cut:
    """A cut to try: what is learned with it, and what its result is compared with."""

    split: Split
    projector: Projector | None
    fit: FitSettings
    shown: Rule
    held_out: Rule
    took: float  # seconds to build the rules


def _seconds(cuts: Sequence[_Cut]) -> float | None:
    """About how long it takes to try cuts; None where `seconds_of_fit` gives none."""
    fits = [seconds_of_fit(cut.split, cut.shown, cut.fit) for cut in cuts]
    known = [seconds for seconds in fits if seconds is not None]
    if len(known) < len(cuts):
        return None
    return sum(known) + BESIDE_FIT * sum(cut.took for cut in cuts)


class _CutTrials:
    """Tries cuts, each with the same samples and settings."""

    def __init__(
        self,
        generator: Generator,
        source: Source,
        examples: Sequence[Example],
        settings: RewriteSettings,
        taken: Collection[int],
    ) -> None:
        self.generator, self.source, self.examples = generator, source, examples
        fit = self.asked = settings.fit
        few = min(PRESERVED_SAMPLES, fit.preserve)
        self.settings = replace(settings, fit=replace(fit, steps=STEPS, preserve=few))
        alone = len(examples) == 1
        self.shown = examples if alone else examples[:-1]
        self.held_out = None if alone else examples[-1].target_label
        self.unseen = reserved_samples(source, CHOICES, UNSEEN_SAMPLES, taken)
        self.preserved = reserved_samples(source, PRESERVED, PRESERVED_SAMPLES, taken)
        self.taken = taken

    def cut(self, projector: Projector | None, layer: int, memory_layers: int) -> _Cut:
        began = time.perf_counter()
        split, fit = self.generator.split(layer, memory_layers), self.settings.fit
        if projector is None:  # lengths compare by the steps that each would take
            steps, _ = resolved_fit(self.asked, split, self.examples).schedule
            fit = replace(fit, steps=-(-steps // 2))
        if isinstance(split, KeyedSplit):
            fit = replace(fit, solver="both")
        shown, held_out = (
            build_rule(split, projector, part, self.settings.rule, values=fit.recall != "image")
            for part in (self.shown, self.examples[-1:])
        )
        area = float(shown.image_mask.mean())
        fit = fit.resolved(keyed=isinstance(split, KeyedSplit), layers=memory_layers, area=area)
        return _Cut(split, projector, fit, shown, held_out, time.perf_counter() - began)

    def __call__(self, cut: _Cut, watcher: TrialWatcher) -> Trial:
        began, split, fit = time.perf_counter(), cut.split, cut.fit
        moments = None
        if isinstance(split, KeyedSplit):
            moments = key_moments(self.generator, split, self.source, self.taken)
        preserved, matcher = preserve(self.generator, split, cut.shown, fit, self.preserved)
        steps, _ = fit.schedule
        done = itertools.count(1)

        def count() -> bool:
            watcher.step(next(done), steps)
            return False

        deltas = fit_memory(split, cut.shown, fit, preserved, moments, should_stop=count).deltas
        rewrite = Rewrite(deltas, self.generator.digest(), self.generator.family)
        inside, outside, to_do = self._errors(split, rewrite, cut.held_out, matcher)
        return Trial(
            split.value_layer,
            split.memory_layers,
            None if cut.projector is None else cut.projector.name,
            inside / to_do,
            outside / to_do,
            (inside + fit.weight_old / fit.weight_new * outside) / to_do,
            outside > SPILLED_ABOVE["l1"],
            cut.took + time.perf_counter() - began,
        )

    @torch.no_grad()
    def _errors(
        self, split: Split, rewrite: Rewrite, rule: Rule, matcher: KeyMatcher
    ) -> tuple[float, float, float]:
        """L1 left in the held-out region, change outside on unseen samples, and L1 at the start."""
        mask, wanted = rule.image_mask.cpu(), as_shown(rule.composites)
        start = as_shown(rule.images)
        to_do = weighted_l1(start, wanted, mask)
        if not bool(to_do > 0):
            raise RewriteError(
                "value layer auto: the last target already looks as wanted",
                remedy="give the value layer, or another target",
            )
        keys = keys_of(self.generator, split, self.unseen)
        before = images_of(self.generator, split, keys)
        size = size_of(before)
        elsewhere = 1 - matcher.mask(keys.features, size, slack=self.settings.fit.match_area).cpu()
        with rewritten(self.generator, rewrite):
            target = as_shown(self.generator(self.examples[-1].latent))
            after = images_of(self.generator, split, keys)
        inside, outside = weighted_l1(target, wanted, mask), weighted_l1(after, before, elsewhere)
        return inside.item(), outside.item(), to_do.item()
