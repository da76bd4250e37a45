"""What a rewrite is made from: an edits file with everything it names, open."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from regen.edits.schema import Edits
from regen.generators.protocol import Generator, Sample, Source
from regen.generators.samples import reserved_samples
from regen.generators.split import Split
from regen.projector.files import Projector
from regen.rewriting.composite import Example
from regen.rewriting.examples import load_examples, resolved_fit, taken_by
from regen.rewriting.layer_trials import LayerChoice
from regen.rewriting.precedence import DEFAULT, merge_caller
from regen.rewriting.preserved import LEAST_COMPARED
from regen.rewriting.rule import Rule, build_rule, check_projector
from regen.rewriting.settings import FitSettings, RewriteSettings
from regen.rewriting.usual_settings import (
    usual_cut,
    with_family_settings,
)
from regen.seeds import PRESERVED


@dataclass(frozen=True)
class Task:
    """A rewrite to make.

    Attributes:
        edits: The content of the edits file.
        settings: All settings, with those of the edits file merged in.
        generator: On the device to compute on.
        source: Its samples: those to preserve, to measure keys on, and unseen ones.
        examples: One for each target, in the order of the edits file.
        taken: Numbers of the source that are targets.
        projector: The generator's own, for the split's value layer; None where there is none, and
            values are found by gradient steps.
        split: The generator, cut.
        layer_choice: How the value layer was chosen, or None if it was given.
        said_by: Source of each setting, see `regen.rewriting.precedence`.
        images: Folder that the source takes its samples from, or None if it needs none.
        asked: The settings of the fit, without those that the examples decide.
    """

    edits: Edits
    settings: RewriteSettings
    generator: Generator
    source: Source
    examples: Sequence[Example]
    taken: Collection[int]
    projector: Projector | None
    split: Split
    layer_choice: LayerChoice | None = None
    said_by: Mapping[str, str] = field(default_factory=dict)
    images: Path | None = None
    asked: FitSettings = FitSettings()

    def with_edits(self, edits: Edits, settings: RewriteSettings | None = None) -> Task:
        """The same for other exemplars and targets, and another way to make a rule of them.

        Args:
            edits: They differ in nothing else: projector, layers, samples and oracle are the same.
            settings: As for `resolve`; only those of the rule are taken.

        Raises:
            RegenError: If those are not valid.
        """
        merged = merge_caller(settings or RewriteSettings(), edits)
        merged = with_family_settings(merged, self.generator)
        rule = {name: by for name, by in merged.said_by.items() if name.startswith("rule.")}
        examples, split = load_examples(edits, self.generator, self.source), self.split
        if self.projector is None and self.said_by["memory_layers"] == DEFAULT:
            _, layers = usual_cut(self.generator, examples, split.value_layer)
            if layers != split.memory_layers:
                split = self.generator.split(split.value_layer, layers)
        with merged.naming("rule.align", edits):
            check_projector(self.projector, merged.settings.rule)
        fit = resolved_fit(self.asked, split, examples)
        chosen = replace(self.settings, rule=merged.settings.rule, fit=fit)
        return replace(
            self,
            edits=edits,
            settings=replace(chosen, memory_layers=split.memory_layers),
            examples=examples,
            split=split,
            taken=taken_by(edits, self.generator, self.source),
            said_by={**self.said_by, **rule},
        )

    @property
    def has_values(self) -> bool:
        """Whether wanted values are asked for, or a projector gives them at no cost."""
        return self.projector is not None or self.settings.fit.recall != "image"

    def rule(self) -> Rule:
        """What should be recalled: exemplars projected and pasted, which takes its time.

        Raises:
            RegenError: If a region reaches outside its image.
        """
        asked = self.settings.rule
        return build_rule(self.split, self.projector, self.examples, asked, values=self.has_values)

    def random_samples(self) -> list[Sample]:
        """Samples beside the targets: as many as a fit preserves, but at least `LEAST_COMPARED`."""
        count = max(self.settings.fit.preserve, LEAST_COMPARED)
        return reserved_samples(self.source, PRESERVED, count, self.taken)

    @property
    def targets(self) -> list[Sample]:
        """The targets' samples, each with the first of its holes."""
        targets = [target for edit in self.edits.edits for target in edit.targets]
        return [self.generator.sample(target.sample.request()) for target in targets]

    @property
    def like(self) -> Sample | None:
        """A target, in the manner of which the unseen samples are; None where there is none."""
        return next(iter(self.targets), None)

    def recorded(self) -> dict[str, Any]:
        """The content of settings.json: all settings, and how they were chosen."""
        recorded = {
            **asdict(self.settings),
            "edits": self.edits.to_json(),
            "said_by": dict(self.said_by),
        }
        if self.images is not None:
            recorded["images"] = str(self.images)
        if self.layer_choice is not None:
            recorded["layer_choice"] = self.layer_choice.recorded()
        return recorded
