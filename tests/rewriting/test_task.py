"""A task for edits that are being made, and the samples beside its targets."""

from __future__ import annotations

from dataclasses import replace

import pytest

from regen.edits.schema import (
    Edit,
    Edits,
    NamedRegion,
    Pattern,
    SampleSpec,
    Target,
)
from regen.errors import ProjectorError
from regen.generators.stylegan2.generator import StyleGAN2
from regen.images.regions import Region
from regen.rewriting.preserved import LEAST_COMPARED
from regen.rewriting.resolve import NoProjectorWarning, resolve
from regen.rewriting.settings import RewriteSettings, RuleSettings


def edits(side: int = 8) -> Edits:
    target = Target(SampleSpec(3), Region.box(4, 4, 4 + side, 4 + side))
    return Edits((Edit(Pattern("cat_eyes", 5), NamedRegion("eyes"), (target,)),))


def test_the_memory_of_a_small_pattern_is_shorter(generator: StyleGAN2) -> None:
    with pytest.warns(NoProjectorWarning):
        small = resolve(edits(side=3), generator)
    assert small.split.memory_layers == small.settings.memory_layers == 4
    large = small.with_edits(edits(side=8))
    assert large.split.memory_layers == large.settings.memory_layers == 6
    with pytest.warns(NoProjectorWarning):
        again = resolve(edits(side=8), generator)
    assert large.settings == again.settings and large.said_by == again.said_by
    with pytest.warns(NoProjectorWarning):
        fixed = resolve(edits(side=3), generator, settings=RewriteSettings(memory_layers=2))
    assert fixed.with_edits(edits(side=8)).split.memory_layers == 2


def test_another_way_to_make_a_rule_needs_nothing_opened_again(generator: StyleGAN2) -> None:
    settings = RewriteSettings(RuleSettings(paste="difference"))
    soft = replace(edits(), feather=5.0, scale="stretch")
    with pytest.warns(NoProjectorWarning):
        first, anew = resolve(edits(), generator), resolve(soft, generator, settings=settings)
    found = first.with_edits(soft, settings)
    assert found.settings == anew.settings and found.said_by == anew.said_by
    assert found.split is first.split and found.source is first.source
    with pytest.raises(ProjectorError, match="e.json: align: got feature, without a projector"):
        first.with_edits(replace(edits(), align="feature", file="e.json"))


def test_as_many_samples_as_are_compared_and_no_targets(generator: StyleGAN2) -> None:
    with pytest.warns(NoProjectorWarning):
        task = resolve(edits(), generator)
    assert task.settings.fit.preserve == len(task.random_samples()) == LEAST_COMPARED
    for preserve, count in ((2, LEAST_COMPARED), (20, 20)):
        fit = replace(task.settings.fit, preserve=preserve)
        samples = replace(task, settings=replace(task.settings, fit=fit)).random_samples()
        assert len(samples) == count
        assert not task.taken & {sample.index for sample in samples}
