"""Through every format and back: nothing changes."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from regen.generators.registry import read_checkpoint, write_checkpoint
from regen.generators.stylegan2.discriminator import Discriminator
from tests.generators.stylegan2.foreign.checkpoints import generator, image, whole_snapshot, write

SUFFIXES = {"native": "safetensors", "nvidia": "pkl", "rosinality": "pt"}
LONG = ("native", "rosinality", "native", "nvidia", "rosinality", "nvidia")


@pytest.mark.parametrize("classes", [0, 3])
def test_a_generator_and_its_discriminator_survive_every_format(
    tmp_path: Path, classes: int
) -> None:
    ours = generator(label_dim=classes, conv_clamp=256.0, num_fp16_res=2)
    path = write(tmp_path / "0.pkl", whole_snapshot(ours))
    first = read_checkpoint(path)
    assert first.generator.digest() == ours.digest()
    for i, format in enumerate(f for f in LONG if not (classes and f == "rosinality")):
        last = read_checkpoint(path)
        path = tmp_path / f"{i + 1}.{SUFFIXES[format]}"
        write_checkpoint(path, last.generator, last.discriminator, format, origin="test")
        again = read_checkpoint(path)
        assert again.generator.config == first.generator.config
        assert again.generator.digest() == first.generator.digest()
        assert torch.equal(image(again.generator), image(ours))
        assert_same(again.discriminator, first.discriminator)


def assert_same(one: Discriminator | None, other: Discriminator | None) -> None:
    assert one is not None and other is not None
    assert one.config == other.config and one.tensors.keys() == other.tensors.keys()
    assert all(torch.equal(tensor, other.tensors[name]) for name, tensor in one.tensors.items())


def test_content_decides_and_not_the_suffix(tmp_path: Path) -> None:
    ours = generator()
    for format in SUFFIXES:
        path = tmp_path / f"{format}.bin"
        write_checkpoint(path, ours, None, format, origin="test")
        assert read_checkpoint(path).generator.digest() == ours.digest()
