"""Discriminators written as NVIDIA's code has them, and read again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from regen.generators.stylegan2.discriminator import Discriminator, DiscriminatorConfig
from regen.generators.stylegan2.foreign.emitter import emit
from regen.generators.stylegan2.foreign.modules import Network
from regen.generators.stylegan2.foreign.nvidia_discriminator import read_discriminator
from regen.generators.stylegan2.foreign.nvidia_discriminator_writer import discriminator_object
from regen.unpickling import read_pickle

LABELS = {"label_dim": 3, "label_features": 6, "mapping_layers": 2, "mapping_lr_multiplier": 0.02}


def written(config: DiscriminatorConfig, path: Path) -> tuple[Discriminator, Network]:
    made = Discriminator(config, {name: torch.randn(shape) for name, shape in config.shapes()})
    with path.open("wb") as file:
        emit(discriminator_object(made), file)
    return made, Network.of(read_pickle(path), "d")


@pytest.mark.parametrize("architecture", ["resnet", "skip", "orig"])
@pytest.mark.parametrize("more", [{}, LABELS, {"stddev_channels": 0, "stddev_group": None}])
def test_what_is_written_is_read_back(
    tmp_path: Path, architecture: Any, more: dict[str, Any]
) -> None:
    config = DiscriminatorConfig(
        16, architecture, (4, 6, 8), conv_clamp=256.0, num_fp16_res=1, **more
    )
    made, network = written(config, tmp_path / "d.pkl")
    found = read_discriminator(network, "d")
    assert found.config == config
    assert found.tensors.keys() == made.tensors.keys()
    assert all(torch.equal(found.tensors[name], tensor) for name, tensor in made.tensors.items())


def test_layers_are_counted_and_only_some_are_clamped(tmp_path: Path) -> None:
    config = DiscriminatorConfig(16, "resnet", (4, 6, 8), conv_clamp=256.0)
    _, network = written(config, tmp_path / "d.pkl")
    assert [network.modules[f"b{r}"]["first_layer_idx"] for r in (16, 8)] == [0, 4]
    clamps = {name: module.get("conv_clamp") for name, module in network.modules.items()}
    assert clamps["b16.conv0"] == clamps["b16.fromrgb"] == 256 and clamps["b16.skip"] is None
    arguments = network.modules[""]["_init_kwargs"]
    assert (arguments["channel_base"], arguments["channel_max"]) == (64, 8)
