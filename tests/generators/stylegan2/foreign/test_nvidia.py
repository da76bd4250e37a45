"""Pickles of NVIDIA's torch code: whatever release wrote them, the same generator comes out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from regen.errors import GeneratorError, StoreError
from regen.generators.registry import read_checkpoint
from tests.generators.stylegan2.foreign.checkpoints import (
    generator,
    image,
    nvidia_network,
    nvidia_tensors,
    snapshot,
    write,
)
from tests.unpickling import writer


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"label_dim": 3, "mapping_layers": 1, "z_dim": 6},
        {"conv_clamp": 256.0, "resolution": 64},
    ],
)
def test_the_generator_comes_back(tmp_path: Path, changes: dict[str, Any]) -> None:
    ours = generator(**changes)
    path = write(tmp_path / "g.pkl", snapshot(nvidia_network(ours)))
    found = read_checkpoint(path)
    assert found.generator.digest() == ours.digest()
    assert torch.equal(image(found.generator), image(ours))
    expected = {**vars(ours.config), "num_fp16_res": found.generator.config.num_fp16_res}
    assert vars(found.generator.config) == expected
    assert (found.origin, found.notes, found.discriminator) == (
        "pickle of NVIDIA's, G_ema",
        (),
        None,
    )
    assert not any(p.requires_grad for p in found.generator.parameters())
    for layer in (1, 2):  # in memory too, so that they are convolved in the same order
        assert found.generator.conv(layer).weight.stride() == ours.conv(layer).weight.stride()


def test_which_network(tmp_path: Path) -> None:
    trained, average = generator(), generator()
    networks = snapshot(nvidia_network(average), G=nvidia_network(trained))
    path = write(tmp_path / "g.pkl", networks)
    assert read_checkpoint(path).generator.digest() == average.digest()
    assert read_checkpoint(path, "G").generator.digest() == trained.digest()
    alone = write(tmp_path / "alone.pkl", nvidia_network(average))
    assert read_checkpoint(alone).generator.digest() == average.digest()
    lacking = write(tmp_path / "lacking.pkl", {"G": nvidia_network(trained)})
    with pytest.raises(GeneratorError, match="got G_ema, expected G; regen convert --which G FILE"):
        read_checkpoint(lacking)


def without(*names: str) -> Any:
    def change(_: str, attributes: dict[str, Any]) -> None:
        for name in names:
            attributes.pop(name, None)

    return change


@pytest.mark.parametrize("nested", [True, False], ids=["ada-pytorch", "stylegan3"])
def test_where_attributes_are_missing_the_arguments_count(tmp_path: Path, nested: bool) -> None:
    ours = generator(conv_clamp=128.0, mapping_lr_multiplier=0.02, channel_base=500)
    parts = {"conv_clamp": 128, "channel_base": 500}
    arguments = {"synthesis_kwargs": writer.easy(parts)} if nested else parts
    network = nvidia_network(
        ours,
        change=without("conv_clamp", "bias_gain", "architecture", "activation", "use_fp16"),
        mapping_kwargs=writer.easy({"lr_multiplier": 0.02}),
        **arguments,
    )
    found = read_checkpoint(write(tmp_path / "g.pkl", snapshot(network))).generator
    assert found.config == ours.config
    assert torch.equal(image(found), image(ours))


def test_half_precision_layers_are_counted(tmp_path: Path) -> None:
    ours = generator()
    path = write(tmp_path / "g.pkl", nvidia_network(ours))
    assert read_checkpoint(path).generator.config.num_fp16_res == 2  # 16 and 32, see checkpoints
    stated = nvidia_network(ours, change=lambda n, a: a.update(num_fp16_res=4 if n else None))
    assert read_checkpoint(write(path, stated)).generator.config.num_fp16_res == 4


def test_shapes_that_contradict_each_other(tmp_path: Path) -> None:
    tensors = nvidia_tensors(generator())
    tensors["synthesis.b8.conv0.affine.bias"] = torch.randn(9)
    path = write(tmp_path / "g.pkl", nvidia_network(generator(), tensors=tensors))
    with pytest.raises(StoreError, match=r"convs.2.affine.bias is \[9\], expected \[8\]"):
        read_checkpoint(path)


def at(place: str, **changes: Any) -> Any:
    return lambda name, attributes: attributes.update(changes) if name == place else None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (at("synthesis.b16", architecture="resnet"), "architecture of the generator: got resnet"),
        (at("synthesis.b16", architecture="orig"), "got orig, expected skip"),
        (at("synthesis.b8.conv1", activation="relu"), "activation: got relu, expected lrelu"),
        (at("mapping.fc0", activation="swish"), "activation: got swish, expected lrelu"),
        (at("synthesis.b8.conv1", conv_clamp=7), "conv_clamp: got .*7.0.*, expected one"),
    ],
)
def test_other_forms_are_refused_with_the_reason(tmp_path: Path, change: Any, message: str) -> None:
    path = write(tmp_path / "g.pkl", nvidia_network(generator(), change=change))
    with pytest.raises(GeneratorError, match=message):
        read_checkpoint(path)


def test_stylegan3_is_refused_by_name(tmp_path: Path) -> None:
    tensors = nvidia_tensors(generator())
    tensors |= {"synthesis.input.weight": torch.randn(4, 4), "synthesis.L0_36.bias": torch.zeros(4)}
    path = write(tmp_path / "g.pkl", nvidia_network(generator(), tensors=tensors))
    with pytest.raises(GeneratorError, match=r"StyleGAN3 \(alias-free\) generator"):
        read_checkpoint(path)


def test_another_class_is_refused(tmp_path: Path) -> None:
    network = nvidia_network(generator(), class_name="TriPlaneGenerator")
    with pytest.raises(GeneratorError, match="class of the network: got TriPlaneGenerator"):
        read_checkpoint(write(tmp_path / "g.pkl", network))


def test_a_pickle_of_something_else(tmp_path: Path) -> None:
    path = write(tmp_path / "g.pkl", {"weights": torch.zeros(3)})
    with pytest.raises(GeneratorError, match="g.pkl does not hold a generator that regen knows: "):
        read_checkpoint(path)
