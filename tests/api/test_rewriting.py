"""`regen.api.rewriting`: edits of any origin."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import regen
from regen.errors import EditsError, RegenError, RewriteError
from regen.files.as_json import to_json
from regen.runs.rewrite.run import run_rewrite

QUICK = regen.RewriteSettings(fit=regen.FitSettings(steps=2, preserve=2, precision="fp32"))


def test_the_content_of_an_edits_file_is_taken_as_it_is(world: Any) -> None:
    content = json.loads(Path("edits.json").read_text())
    of_file, of_content = (regen.rewrite(e, settings=QUICK) for e in ("edits.json", content))
    for name, delta in of_file.deltas.items():
        assert torch.equal(delta, of_content.deltas[name])


def test_edits_of_arrays_are_previewed(world: Any) -> None:
    mask = np.zeros((32, 32), bool)
    mask[8:18, 8:20] = True
    edit = {
        "exemplar": np.full((10, 10, 3), 200, np.uint8),
        "region": regen.Region.box(0, 0, 10, 10),
        "targets": [{"seed": 3, "region": mask}],
    }
    content = {"version": 1, "memory_layers": 2, "edits": [edit]}
    generator = regen.open_generator("g.safetensors")
    shown = regen.preview(content, generator, projector="p.safetensors", samples=2)
    assert torch.equal(shown.regions[0, 0] > 0.5, torch.from_numpy(mask))
    assert shown.unseen.shape == (2, 3, 32, 32)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"projector": 3}, "projector: got int, expected the path of one"),
        ({"generator": 3}, "generator: got int, expected a name or a path"),
        ({"images": 3}, "folder of images: got int, expected a path"),
        ({"images": "."}, r"samples: got the folder \., expected none: it takes seeds"),
    ],
)
def test_what_is_no_path_is_told(world: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(RegenError, match=message):
        regen.preview("edits.json", **options)


def test_what_is_no_edits_and_no_settings_is_told(world: Any) -> None:
    with pytest.raises(
        EditsError, match=r"edits file: got tuple, .*; `regen.edits_of` takes the c"
    ):
        regen.rewrite(regen.read_edits("edits.json").edits)  # type: ignore[arg-type]
    with pytest.raises(
        RewriteError, match="settings: got FitSettings, expected RewriteSettings; F"
    ):
        regen.rewrite("edits.json", settings=regen.FitSettings())  # type: ignore[arg-type]


def test_an_evaluation_has_the_numbers_of_the_command(world: Any) -> None:
    settings = replace(QUICK, measured_seeds=2)
    outcome = run_rewrite(regen.read_edits("edits.json"), "out", settings)
    generator = regen.open_generator("g.safetensors")
    digest = generator.digest()
    for rewrite in (outcome.rewrite, "out"):
        found = regen.evaluate(rewrite, "edits.json", generator, settings=settings)
        told = {k: v for k, v in outcome.metrics.items() if k not in ("seconds", "peak_memory_mb")}
        assert to_json(found.metrics) == told
        assert found.verdict == outcome.metrics["verdict"]["text"]
        assert generator.digest() == digest
    assert found.evidence.before.shape == found.evidence.after.shape == (2, 3, 32, 32)
    assert repr(found) == f"<Evaluation on 2 samples: {found.verdict}>"
    half = regen.evaluate(outcome.rewrite.scaled(0.5), "edits.json", generator, settings=settings)
    assert half.metrics["inside"]["l1"] < found.metrics["inside"]["l1"]


def test_a_rewrite_of_another_generator_is_not_evaluated(world: Any) -> None:
    rewrite = regen.rewrite("edits.json", settings=QUICK)
    edits = replace(regen.read_edits("edits.json"), projector="other_p.safetensors")
    with pytest.raises(RewriteError, match="this rewrite belongs to another generator"):
        regen.evaluate(rewrite, edits, "other.safetensors", settings=QUICK)


def test_the_modules_of_a_generator_are_left_to_other_threads(world: Any) -> None:
    """While weights are learned they stand in place of a module's own, which others would use."""
    generator, used = regen.open_generator("g.safetensors"), set()
    for module in generator.modules():
        module.register_forward_pre_hook(lambda module, _: used.add(module))
    settings = replace(QUICK, measured_seeds=2)
    rewrite = regen.rewrite("edits.json", generator, settings=settings)
    regen.preview("edits.json", generator, settings=settings)
    regen.evaluate(rewrite, "edits.json", generator, settings=settings)
    assert used and not used & set(generator.modules())
