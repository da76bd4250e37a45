"""Pickles of NVIDIA's torch code: whatever release wrote them, the same generator comes out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from regen.errors import GeneratorError, StoreError
from regen.generators.stylegan2.foreign.files import read_checkpoint
from tests.generators.stylegan2.foreign.checkpoints import (
    KERNEL,
    discriminator_network,
    discriminator_tensors,
    generator,
    image,
    nvidia_network,
    nvidia_tensors,
    snapshot,
    write,
)
from tests.unpickling import writer

CONDITIONAL = {"label_dim": 3, "mapping_layers": 1, "z_dim": 6}


@pytest.mark.parametrize("changes", [{}, CONDITIONAL, {"conv_clamp": 256.0, "resolution": 64}])
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


def test_a_network_without_noise_draws_without(tmp_path: Path) -> None:
    ours = generator()
    tensors = {k: t for k, t in nvidia_tensors(ours).items() if ".noise_" not in k}
    found = read_checkpoint(write(tmp_path / "g.pkl", nvidia_network(ours, tensors=tensors)))
    for layer in range(1, ours.convolutions + 1):
        ours.conv(layer).noise_strength.zero_()
    assert torch.equal(image(found.generator), image(ours))
    assert found.notes == ()


def test_a_missing_mean_of_w_is_computed_and_said(tmp_path: Path) -> None:
    ours = generator(**CONDITIONAL)
    tensors = {k: t for k, t in nvidia_tensors(ours).items() if k != "mapping.w_avg"}
    path = write(tmp_path / "g.pkl", nvidia_network(ours, tensors=tensors))
    first, again = read_checkpoint(path), read_checkpoint(path)
    assert first.notes == ("the file has no mean of w: computed from 10,000 samples",)
    assert first.generator.digest() == again.generator.digest()
    z, label = torch.randn(3000, 6), torch.eye(3)[torch.arange(3000) % 3]
    w = ours.mapping(z, label)
    error = (first.generator.mapping.w_mean - w.mean(0)).abs() / w.std(0)
    assert error.max() < 0.1


def test_weights_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    ours = generator()
    ours.conv(3).bias[0] = float("nan")
    ours.synthesis.const[0, 0, 0] = float("inf")
    path = write(tmp_path / "g.pkl", nvidia_network(ours))
    message = "g.pkl: weights: got NaN or infinity in synthesis.const, synthesis.convs.3.bias, exp"
    with pytest.raises(GeneratorError, match=message):
        read_checkpoint(path)


@pytest.mark.parametrize("taps", [(1.0, 2.0, 1.0), (1.0, 1.0)])
def test_another_filter(tmp_path: Path, taps: tuple[float, ...]) -> None:
    ours = generator(resample_taps=taps)
    tensors = nvidia_tensors(ours)
    for name in tensors:
        if name.endswith("resample_filter") and ".conv1." not in name:
            tensors[name] = ours.synthesis.resample_filter.clone()
    found = read_checkpoint(write(tmp_path / "g.pkl", nvidia_network(ours, tensors=tensors)))
    assert torch.equal(image(found.generator), image(ours))


def test_another_filter_for_the_image(tmp_path: Path) -> None:
    ours = generator(resample_taps=(1.0, 2.0, 1.0), rgb_resample_taps=(1.0, 3.0, 3.0, 1.0))
    tensors = nvidia_tensors(ours)
    for name in tensors:
        if name.endswith("conv0.resample_filter"):
            tensors[name] = ours.conv(2).resample_filter.clone()
    found = read_checkpoint(write(tmp_path / "g.pkl", nvidia_network(ours, tensors=tensors)))
    assert torch.equal(image(found.generator), image(ours))
    assert not torch.equal(image(generator()), image(ours))


def lopsided(tensors: dict[str, Any]) -> None:
    for name in tensors:
        if name.endswith("resample_filter"):
            tensors[name] = KERNEL * torch.tensor([1.0, 1.0, 1.0, 0.5])


def two_filters(tensors: dict[str, Any]) -> None:
    tensors["synthesis.b16.conv0.resample_filter"] = KERNEL.roll(1, 0)


def grey(tensors: dict[str, Any]) -> None:
    for name, tensor in tensors.items():
        if name.endswith(("torgb.weight", "torgb.bias")):
            tensors[name] = tensor[:1]


def wide(tensors: dict[str, Any]) -> None:
    tensors["synthesis.b4.const"] = torch.randn(8, 8, 4)


def narrow_mapping(tensors: dict[str, Any]) -> None:
    tensors["mapping.fc0.weight"] = tensors["mapping.fc0.weight"][:4]
    tensors["mapping.fc0.bias"] = tensors["mapping.fc0.bias"][:4]
    tensors["mapping.fc1.weight"] = tensors["mapping.fc1.weight"][:, :4]


def hourglass(tensors: dict[str, Any]) -> None:
    tensors["synthesis.b8.conv1.bias"] = torch.randn(4)


def holes(tensors: dict[str, Any]) -> None:
    del tensors["synthesis.b16.conv0.weight"], tensors["synthesis.b32.torgb.bias"]


def flat_weight(tensors: dict[str, Any]) -> None:
    tensors["synthesis.b8.conv0.weight"] = tensors["synthesis.b8.conv0.weight"].flatten()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lopsided, r"resampling filter: got one of \[4, 4\] that is not a product"),
        (
            two_filters,
            "got two that differ, synthesis.b8.conv0.* and synthesis.b16.conv0.res",
        ),
        (grey, "colour channels: got 1, expected 3; regen draws"),
        (wide, "constant input: got 8 x 4, expected 4 x 4; regen draws"),
        (narrow_mapping, r"mapping network: got layers of \[4, 8\], expected all of 8"),
        (hourglass, r"channels by resolution: got 8 at 4, 4 at 8, 8 at 16, 4 at 32, expected min"),
        (holes, r"lacks synthesis.convs.4.weight, synthesis.rgbs.7.bias \(by regen's names\)"),
        (flat_weight, r"synthesis.b8.conv0.weight: got \[576\], expected floats of 4 dim"),
    ],
)
def test_what_cannot_be_rebuilt_is_refused_with_the_reason(
    tmp_path: Path, damage: Any, message: str
) -> None:
    ours = generator()
    tensors = nvidia_tensors(ours)
    damage(tensors)
    path = write(tmp_path / "g.pkl", nvidia_network(ours, tensors=tensors))
    with pytest.raises(GeneratorError, match=message):
        read_checkpoint(path)


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


@pytest.mark.parametrize("labels", [{}, {"classes": 3}])
def test_the_discriminator_comes_along(tmp_path: Path, labels: dict[str, int]) -> None:
    tensors = discriminator_tensors(**labels)
    networks = snapshot(nvidia_network(generator()), D=discriminator_network(tensors))
    found = read_checkpoint(write(tmp_path / "g.pkl", networks))
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
    networks = snapshot(nvidia_network(generator()), D=discriminator_network(tensors))
    found = read_checkpoint(write(tmp_path / "g.pkl", networks))
    assert found.notes == () and found.discriminator is None
    assert "discriminator does not fit: b4.fc.weight is [8, 99]" in str(found.left_behind)


def test_a_pickle_of_something_else(tmp_path: Path) -> None:
    path = write(tmp_path / "g.pkl", {"weights": torch.zeros(3)})
    with pytest.raises(
        GeneratorError, match=r"g.pkl holds no StyleGAN2 generator: expected a file of"
    ):
        read_checkpoint(path)
