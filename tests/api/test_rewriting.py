"""`regen.api.rewriting`: edits of any origin."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import regen
from regen.errors import EditsError, RewriteError

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


def test_what_is_no_edits_and_no_settings_is_told(world: Any) -> None:
    with pytest.raises(
        EditsError, match=r"edits file: got tuple, .*; `regen.edits_of` takes the c"
    ):
        regen.rewrite(regen.read_edits("edits.json").edits)  # type: ignore[arg-type]
    with pytest.raises(
        RewriteError, match="settings: got FitSettings, expected RewriteSettings; F"
    ):
        regen.rewrite("edits.json", settings=regen.FitSettings())  # type: ignore[arg-type]
