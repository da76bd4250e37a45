"""A rule is learned by a translating generator, in any style."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest
import torch

import regen
from regen.edits.schema import Edits, edits_of
from regen.errors import EditsError
from regen.images import save_image
from regen.rewriting.resolve import NoProjectorWarning, resolve
from tests.helpers.munit import lively
from tests.tolerances import assert_near

HAT: dict[str, Any] = {"exemplar": {"pattern": "hat", "seed": 5}, "region": {"portraits": "hat"}}


def edits(*targets: dict[str, Any], folder: Path | None = None) -> Edits:
    whole = [{"region": {"portraits": "hat"}, **target} for target in targets]
    content = {"version": 1, "oracle": "hat", "edits": [{**HAT, "targets": whole}]}
    return edits_of(content, folder=folder)


@pytest.mark.parametrize("layout", ["2018", "2021"])
def test_a_hat_is_learned_from_two_styles(layout: str) -> None:
    generator = lively(layout, people=True, width=8)
    content = edits({"seed": 3, "style": {"seed": 7}}, {"seed": 4, "style": {"seed": 8}})
    fit = regen.FitSettings(steps=12, preserve=4, precision="fp32")
    with pytest.warns(NoProjectorWarning):
        task = resolve(content, generator, settings=regen.RewriteSettings(fit=fit))
    assert (task.split.value_layer, task.split.memory_layers) == (4, 2)
    assert task.settings.fit.recall == "image" and sorted(task.taken) == [3, 4]
    assert [e.target_label for e in task.examples] == ["seed 3, style 7", "seed 4, style 8"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NoProjectorWarning)
        rewrite = regen.rewrite(content, generator, settings=regen.RewriteSettings(fit=fit))
    names = [task.split.full_name(name) for name in task.split.memory_weights()]
    assert set(rewrite.deltas) <= set(names) and rewrite.deltas
    changed = rewrite.applied_to(generator)
    samples = [generator.sample({"seed": 3, "style": 7})]
    latent = generator.latents(samples)
    wanted = generator.oracle.wanted(samples, "hat")
    region = generator.oracle.region("hat", samples)
    before, after = (((net(latent) - wanted).abs() * region).sum() for net in (generator, changed))
    assert after < 0.9 * before
    split = changed.split(4, 2)
    assert_near(split.tail(split.memory(split.head(latent))), changed(latent))


def test_a_picture_and_the_style_of_a_picture(tmp_path: Path) -> None:
    generator = lively(people=True)
    for name in ("dog", "cat"):
        save_image(tmp_path / f"{name}.png", torch.rand(1, 3, 32, 32) * 2 - 1)
    box = {"region": {"box": [4, 4, 20, 12]}}
    target = {"picture": "dog.png", "style": {"picture": "cat.png"}}
    with pytest.warns(NoProjectorWarning):
        task = resolve(edits({**target, **box}, folder=tmp_path), generator)
    assert task.settings.fit.steps == 100 and task.settings.fit.solver == "both"
    assert task.examples[0].target_label == "dog.png, style of cat.png" and not task.taken
    with pytest.raises(EditsError, match="a sample that the renderer knows: people by their seeds"):
        resolve(edits(target, folder=tmp_path), generator)


def test_many_styles_are_no_reason_for_a_caution() -> None:
    generator = lively(people=True)
    targets = [{"seed": seed, "style": {"seed": seed}} for seed in range(5)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NoProjectorWarning)
        found = regen.preview(edits(*targets), generator, samples=1)
    assert len(found.targets) == 5
    assert "targets" not in {caution.kind for caution in found.cautions}
