"""Discriminators in pickles of NVIDIA's TensorFlow code."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from regen.generators.registry import read_checkpoint
from tests.generators.stylegan2.foreign.checkpoints import (
    discriminator_tensors,
    generator,
    tensorflow_network,
    write,
)
from tests.unpickling import writer


@pytest.mark.parametrize("labels", [{}, {"classes": 3}])
def test_the_discriminator_comes_along(tmp_path: Path, labels: dict[str, int]) -> None:
    tensors = discriminator_tensors(**labels)
    layers = {"fromrgb": "FromRGB", "conv0": "Conv0", "conv1": "Conv1_down", "skip": "Skip"}
    last = {"b4.conv": "4x4/Conv", "b4.fc": "4x4/Dense0", "b4.out": "Output"}
    last |= {"mapping.embed": "LabelEmbed", "mapping.fc0": "Mapping0"}
    variables: dict[str, np.ndarray] = {"lod": np.float32(0)}
    for name, tensor in tensors.items():
        place, _, part = name.rpartition(".")
        side, _, kind = place[1:].partition(".")
        to = last.get(place) or f"{side}x{side}/{layers[kind]}"
        axes = (2, 3, 1, 0) if tensor.ndim == 4 else None
        variables[f"{to}/{part}"] = tensor.numpy().transpose(axes)
    discriminator = writer.tensorflow_network(
        "D", {"mbstd_group_size": 8, "fmap_base": 128}, variables
    )
    networks = (tensorflow_network(generator()), discriminator, tensorflow_network(generator()))
    found = read_checkpoint(write(tmp_path / "g.pkl", networks))
    assert found.notes == () and found.discriminator is not None
    for name, tensor in tensors.items():
        assert torch.equal(found.discriminator.tensors[name], tensor)
    assert found.discriminator.config.label_dim == labels.get("classes", 0)
    assert found.discriminator.config.stddev_group == 8
