"""`open_generator` on the files of other tools."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from regen.errors import RegenError
from regen.generators.registry import CheckpointWarning, open_generator, write_checkpoint
from tests.generators.stylegan2.foreign.checkpoints import (
    generator,
    image,
    nvidia_network,
    nvidia_tensors,
    tensorflow_network,
    write,
)


@pytest.mark.parametrize("format", ["nvidia", "rosinality"])
def test_they_open_like_ours_and_say_what_is_faster(tmp_path: Path, format: str) -> None:
    ours, path = generator(), tmp_path / "cats.bin"
    write_checkpoint(path, ours, None, format, origin="test")
    with pytest.warns(
        CheckpointWarning,
        match=r"for a file that is .*: regen convert .*cats.bin cats.safetensors",
    ):
        opened = open_generator(path)
    assert opened.digest() == ours.digest() and not opened.training
    split = opened.split(5, 2)
    latent = opened.seed_latents([0, 1], 0.7)
    assert torch.equal(split.tail(split.memory(split.head(latent))), image(ours))


def test_the_suggested_command_never_names_its_own_source(tmp_path: Path) -> None:
    path = tmp_path / "cats.safetensors"
    write_checkpoint(path, generator(), None, "rosinality", origin="test")
    with pytest.warns(CheckpointWarning, match=r"cats.safetensors cats-regen.safetensors$"):
        open_generator(path)


def test_tensorflow_too(tmp_path: Path) -> None:
    path = write(tmp_path / "cats.pkl", tensorflow_network(generator()))
    with pytest.warns(CheckpointWarning, match="TensorFlow pickle of NVIDIA's, Gs"):
        assert open_generator(path).resolution == 32


def test_what_should_be_known_is_said(tmp_path: Path) -> None:
    ours = generator()
    tensors = {k: t for k, t in nvidia_tensors(ours).items() if k != "mapping.w_avg"}
    path = write(tmp_path / "cats.pkl", nvidia_network(ours, tensors=tensors))
    with pytest.warns(CheckpointWarning) as said:
        open_generator(path)
    note = "the file has no mean of w: computed from 10,000 samples"
    assert str(said[0].message) == f"{path}: {note}"
    assert len(said) == 2


def test_a_hostile_file_is_refused(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    path = tmp_path / "cats.pkl"
    path.write_bytes(f"cposix\nsystem\n(S'touch {marker}'\ntR.".encode())
    with pytest.raises(RegenError, match="posix.system"):
        open_generator(path)
    assert not marker.exists()
