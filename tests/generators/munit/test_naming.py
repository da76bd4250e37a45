"""Names in the originals' files."""

from __future__ import annotations

import pytest
import torch

from regen.generators.munit.config import MUNITConfig
from regen.generators.munit.naming import tensor_names
from regen.generators.munit.network import MUNIT


def names(layout: str, blocks: int = 4) -> dict[str, list[int]]:
    """Names in the original's file, with shapes, of a network of the original's size."""
    with torch.device("meta"):
        network = MUNIT(MUNITConfig(layout, blocks=blocks))
    own = network.state_dict()
    return {theirs: list(own[name].shape) for theirs, name in tensor_names(network)}


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("enc_style.model.4.conv.weight", [256, 256, 4, 4]),
        ("enc_style.model.6.weight", [8, 256, 1, 1]),
        ("enc_content.model.3.model.3.model.1.conv.bias", [256]),
        ("dec.model.0.model.2.model.0.conv.weight", [256, 256, 3, 3]),
        ("dec.model.2.norm.gamma", [128]),
        ("dec.model.4.norm.beta", [64]),
        ("dec.model.5.conv.weight", [3, 64, 7, 7]),
        ("mlp.model.2.fc.weight", [4096, 256]),
    ],
)
def test_the_names_of_2018(name: str, shape: list[int]) -> None:
    assert names("2018")[name] == shape


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("style_encoder.model.2.layers.conv.weight", [256, 128, 4, 4]),
        ("style_encoder.model.6.bias", [8]),
        ("content_encoder.model.1.layers.norm.weight", [128]),
        ("content_encoder.model.6.conv_block_1.layers.conv.weight", [256, 256, 3, 3]),
        ("decoder.decoder.3.conv_block_0.layers.norm.fc.layers.conv.weight", [512, 256]),
        ("decoder.decoder.7.layers.norm.fc.layers.conv.bias", [128]),
        ("decoder.decoder.8.layers.conv.weight", [3, 64, 7, 7]),
        ("mlp.model.1.layers.conv.weight", [256, 256]),
    ],
)
def test_the_names_of_2021(name: str, shape: list[int]) -> None:
    assert names("2021")[name] == shape


def test_places_follow_the_number_of_blocks() -> None:
    assert "decoder.decoder.6.layers.conv.weight" in names("2021", blocks=2)
    assert "dec.model.5.conv.weight" in names("2018", blocks=2)
