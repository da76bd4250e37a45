from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from regen.files.tensor_file import digest
from regen.generators.stylegan2.config import StyleGAN2Config
from regen.generators.stylegan2.files import load_discriminator, save_stylegan2
from regen.generators.stylegan2.generator import StyleGAN2
from regen.generators.stylegan2.training.discriminator import Discriminator
from regen.generators.stylegan2.training.discriminator_init import (
    as_stored,
    initialize_discriminator,
)

CONFIG = StyleGAN2Config(16, 8, 8, channel_base=128, channel_max=8, mapping_layers=2)


def test_a_new_one_depends_on_the_seed_alone() -> None:
    made = [
        initialize_discriminator(CONFIG, None, group=4, seed=seed).discriminator.state_dict()
        for seed in (1, 1, 2)
    ]
    assert digest(made[0]) == digest(made[1]) != digest(made[2])


def test_it_goes_through_a_generators_file(tmp_path: Path) -> None:
    discriminator = Discriminator(CONFIG, group=2)
    path = tmp_path / "g.safetensors"
    save_stylegan2(path, StyleGAN2(CONFIG), card={}, discriminator=as_stored(discriminator))
    read = load_discriminator(path)
    assert read is not None and read.config.stddev_group == 2
    started = initialize_discriminator(CONFIG, read, group=2, seed=0)
    assert started.summary == "18 tensors taken over, 0 new"
    x = torch.randn(2, 3, 16, 16)
    assert torch.equal(started.discriminator(x), discriminator(x))


def test_other_sizes_share_the_last_layers() -> None:
    old = as_stored(Discriminator(CONFIG))
    smaller = initialize_discriminator(replace(CONFIG, resolution=8), old, group=4, seed=0)
    assert smaller.summary == "11 tensors taken over, 2 new (b8)"
    larger = initialize_discriminator(replace(CONFIG, resolution=32), old, group=4, seed=0)
    assert larger.summary.endswith("new (b32)")


def test_one_with_classes_is_of_no_use() -> None:
    old = as_stored(Discriminator(CONFIG))
    labelled = replace(old, config=replace(old.config, label_dim=2, label_features=8))
    assert initialize_discriminator(CONFIG, labelled, group=4, seed=0).summary == ""
