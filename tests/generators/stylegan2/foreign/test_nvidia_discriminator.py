"""Discriminators in pickles of NVIDIA's torch code."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from regen.generators.registry import read_checkpoint
from tests.generators.stylegan2.foreign.checkpoints import (
    discriminator_tensors,
    generator,
    whole_snapshot,
    write,
)


@pytest.mark.parametrize("labels", [{}, {"classes": 3}])
def test_the_discriminator_comes_along(tmp_path: Path, labels: dict[str, int]) -> None:
    tensors = discriminator_tensors(**labels)
    found = read_checkpoint(write(tmp_path / "g.pkl", whole_snapshot(generator(), tensors)))
    assert found.notes == () and found.discriminator is not None
    assert {k: t.tolist() for k, t in found.discriminator.tensors.items()} == {
        k: t.tolist() for k, t in tensors.items()
    }
    config = found.discriminator.config
    assert (config.resolution, config.architecture, config.channels) == (32, "resnet", (8,) * 4)
    assert (config.label_dim, config.stddev_group, config.stddev_channels) == (
        *(labels.get("classes", 0), 4, 1),
    )
    assert (config.conv_clamp, config.num_fp16_res) == (256, 2)


def test_why_a_discriminator_is_left_behind(tmp_path: Path) -> None:
    tensors = discriminator_tensors()
    tensors["b4.fc.weight"] = torch.randn(8, 99)
    found = read_checkpoint(write(tmp_path / "g.pkl", whole_snapshot(generator(), tensors)))
    assert found.notes == () and found.discriminator is None
    assert "discriminator does not fit: b4.fc.weight is [8, 99]" in str(found.left_behind)
