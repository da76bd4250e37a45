"""The whole job on somebody else's generator: a 256x256 pickle of NVIDIA's with random weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from regen.generators.registry import read_checkpoint
from regen.rewriting.rewrite import Rewrite
from tests.generators.stylegan2.foreign.checkpoints import (
    generator,
    nvidia_network,
    snapshot,
    write,
)

PICKLE = ("--generator", "cats.pkl", "--device", "cpu")
EDITS = {
    "version": 1,
    "generator": "cats.pkl",
    "projector": "trained/projector.safetensors",
    "value_layer": 8,
    "memory_layers": 2,
    "edits": [
        {
            "exemplar": "cat.png",
            "region": {"box": [10, 10, 30, 25]},
            "targets": [{"seed": 3, "region": {"box": [60, 60, 160, 140]}}],
        }
    ],
}


@pytest.mark.filterwarnings("always::regen.generators.registry.CheckpointWarning")
def test_train_project_rewrite_generate_convert(world: Any) -> None:
    folder: Path = world.folder
    ours = generator(resolution=256, channel_base=2048, channel_max=16, conv_clamp=256.0)
    write(folder / "cats.pkl", snapshot(nvidia_network(ours)))
    (folder / "cats.json").write_text(json.dumps(EDITS))

    def run(*words: str) -> str:
        result = world.run(*words)
        assert result.exit_code == 0, result.stderr
        return str(result.stderr)

    training = ("--value-layer", "8", "--kimg", "0.004", "--batch", "2", "--precision", "fp32")
    said = run("train-projector", *PICKLE, *training, "-o", "trained")
    assert "Note: cats.pkl is a pickle of NVIDIA's, G_ema; for a file that " in said
    projector = ("--projector", "trained/projector.safetensors")
    run("project", "cat.png", *PICKLE, *projector, "-o", "projected")
    assert (folder / "projected" / "cat.features.safetensors").is_file()
    quick = ("--steps", "3", "--preserve", "2", "--seeds", "2", "--precision", "fp32")
    run("rewrite", "--edits", "cats.json", "--device", "cpu", *quick, "-o", "rewritten")
    rewrite = Rewrite.load(folder / "rewritten" / "rewrite.safetensors")
    assert rewrite.base == ours.digest()
    assert max(float(delta.abs().amax()) for delta in rewrite.deltas.values()) > 0
    run("generate", *PICKLE, "--seeds", "3,4", "--no-grid", "-o", "plain")
    run("generate", *PICKLE, "--rewrite", "rewritten", "--seeds", "3,4", "--no-grid", "-o", "new")
    for name in ("seed0003.png", "seed0004.png"):
        before, after = ((folder / place / name).read_bytes() for place in ("plain", "new"))
        assert before != after
    run("convert", "cats.pkl", "dogs.pkl", "--rewrite", "rewritten")
    written = read_checkpoint(folder / "dogs.pkl").generator.state_dict()
    for name, tensor in ours.state_dict().items():
        assert torch.equal(written[name], tensor + rewrite.deltas.get(name, 0))
