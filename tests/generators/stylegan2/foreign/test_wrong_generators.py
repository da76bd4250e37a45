"""Files that would open as another generator than they are, without a word."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from regen.errors import GeneratorError
from regen.generators.registry import read_checkpoint, write_checkpoint
from regen.generators.stylegan2.files import load_stylegan2, save_stylegan2
from regen.generators.stylegan2.generator import StyleGAN2
from stylegan2_ops import filter_from_taps
from tests.generators.stylegan2.foreign.checkpoints import (
    generator,
    image,
    nvidia_network,
    nvidia_tensors,
    rosinality_tensors,
    save,
    tensorflow_network,
    tensorflow_variables,
    write,
)
from tests.unpickling import writer

LEFT_OUT = (
    "first layer of the mapping: got 16 inputs for a w of 8, and no embedding of classes, "
    "expected 8 inputs; it has another z, or classes whose embedding was left out when it was "
)
NONE = (
    "embedding of classes: got none, expected one, since the network has classes; it was left out"
)


def conditional() -> StyleGAN2:
    return generator(label_dim=3)


def without_embedding(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor for name, tensor in tensors.items() if "embed" not in name}


def test_rosinality_s_format_without_the_embedding(tmp_path: Path) -> None:
    path = save(tmp_path / "g.pt", {"g_ema": rosinality_tensors(conditional())})
    with pytest.raises(GeneratorError, match=LEFT_OUT) as caught:
        read_checkpoint(path)
    assert str(caught.value).startswith(str(path))


def test_rosinality_s_networks_have_z_as_wide_as_w(tmp_path: Path) -> None:
    path = save(tmp_path / "g.pt", {"g_ema": rosinality_tensors(generator(z_dim=4))})
    with pytest.raises(GeneratorError, match="got 4 inputs for a w of 8"):
        read_checkpoint(path)


def test_a_state_dict_without_the_embedding(tmp_path: Path) -> None:
    state = without_embedding(nvidia_tensors(conditional()))
    with pytest.raises(GeneratorError, match=LEFT_OUT):
        read_checkpoint(save(tmp_path / "g.pt", {"G_ema": state}))
    narrow = generator(z_dim=4)  # which cannot be one with classes
    state = without_embedding(nvidia_tensors(narrow))
    found = read_checkpoint(save(tmp_path / "g.pt", {"G_ema": state}))
    assert torch.equal(image(found.generator), image(narrow))


@pytest.mark.parametrize("place", ["arguments", "mapping"])
def test_a_pickle_without_the_embedding(tmp_path: Path, place: str) -> None:
    def change(name: str, attributes: dict[str, Any]) -> None:
        if name == "mapping" and place == "mapping":
            attributes["c_dim"] = 3

    arguments = {"c_dim": 3} if place == "arguments" else {}
    tensors = without_embedding(nvidia_tensors(conditional()))
    network = nvidia_network(conditional(), tensors=tensors, change=change, **arguments)
    with pytest.raises(GeneratorError, match=NONE):
        read_checkpoint(write(tmp_path / "g.pkl", network))


def test_a_pickle_whose_z_is_not_as_wide_as_it_says(tmp_path: Path) -> None:
    network = nvidia_network(generator(z_dim=16), z_dim=8)
    with pytest.raises(GeneratorError, match="z_dim: got 8, expected 16, as its shapes say"):
        read_checkpoint(write(tmp_path / "g.pkl", network))


def test_a_wide_z_that_the_pickle_states_is_believed(tmp_path: Path) -> None:
    ours = generator(z_dim=16)
    found = read_checkpoint(write(tmp_path / "g.pkl", nvidia_network(ours)))
    assert torch.equal(image(found.generator), image(ours))


def test_tensorflow_s_without_the_embedding(tmp_path: Path) -> None:
    ours = conditional()
    arguments = {"resolution": 32, "label_size": 3}
    found = tensorflow_variables(ours)
    found["mapping"] = {n: v for n, v in found["mapping"].items() if "LabelEmbed" not in n}
    parts = {
        name: writer.tensorflow_network(f"G_{name}", arguments, found[name])
        for name in ("mapping", "synthesis")
    }
    network = writer.tensorflow_network("Gs", arguments, found["own"], **parts)
    with pytest.raises(GeneratorError, match=NONE):
        read_checkpoint(write(tmp_path / "g.pkl", network))
    assert read_checkpoint(write(tmp_path / "h.pkl", tensorflow_network(ours))).notes == ()


CONVOLUTIONS, IMAGE = (0.25, 0.5, 0.25), (1.0, 3.0, 3.0, 1.0)


def two_filters(**changes: Any) -> tuple[StyleGAN2, dict[str, Tensor]]:
    """A generator whose image is enlarged by another filter, and rosinality's state of it."""
    ours = generator(resample_taps=CONVOLUTIONS, rgb_resample_taps=IMAGE, **changes)
    tensors = rosinality_tensors(ours)
    for name in tensors:
        if name.endswith(".kernel"):
            taps = IMAGE if "upsample" in name else CONVOLUTIONS
            tensors[name] = filter_from_taps(taps) * 4
    return ours, tensors


def test_two_filters_draw_as_they_should(tmp_path: Path) -> None:
    ours, tensors = two_filters()
    path = save(tmp_path / "g.pt", {"g_ema": tensors, "latent_avg": ours.mapping.w_mean})
    found = read_checkpoint(path)
    assert found.generator.config == ours.config
    assert found.generator.digest() == ours.digest()
    assert torch.equal(image(found.generator), image(ours))
    shapes = [list(found.generator.conv(2).resample_filter.shape)]
    shapes += [list(found.generator.synthesis.resample_filter.shape)]
    assert shapes == [[3, 3], [4, 4]]


def test_the_image_s_filter_is_used_for_the_image() -> None:
    one, two = generator(resample_taps=CONVOLUTIONS), generator(rgb_resample_taps=CONVOLUTIONS)
    both, _ = two_filters()
    state = both.state_dict()
    for other in (one, two):
        names = [name for name in state if "resample_filter" not in name]
        other.load_state_dict({name: state[name] for name in names}, strict=False)
        assert not torch.allclose(image(other), image(both), atol=1e-3)
    split = both.split(5, 2)
    latent = both.seed_latents([0, 1], 0.7)
    assert torch.equal(split.tail(split.memory(split.head(latent))), image(both))


@pytest.mark.parametrize("format", ["native", "nvidia", "rosinality"])
def test_two_filters_survive_every_format(tmp_path: Path, format: str) -> None:
    ours, _ = two_filters()
    path = tmp_path / "g.bin"
    write_checkpoint(path, ours, None, format, origin="test")
    found = read_checkpoint(path).generator
    assert (found.config, found.digest()) == (ours.config, ours.digest())


@pytest.mark.parametrize("name", ["to_rgbs.1.upsample.kernel", "convs.4.conv.blur.kernel"])
def test_a_filter_that_differs_in_one_layer_is_refused(tmp_path: Path, name: str) -> None:
    tensors = rosinality_tensors(generator())
    tensors[name] = filter_from_taps((1.0, 2.0, 2.0, 1.0)) * 4
    with pytest.raises(GeneratorError, match=f"resampling filters: got two that differ, .*{name}"):
        read_checkpoint(save(tmp_path / "g.pt", {"g_ema": tensors}))


@pytest.mark.parametrize(
    ("kernel", "message"),
    [
        (
            torch.ones(2000, 2000),
            "convs.0.conv.blur.kernel: got something else, expected a",
        ),
        (torch.ones(100_000_000 // 4).to(torch.float16), "got something else, expected a filter"),
        (torch.ones(4, 4, dtype=torch.complex64), "got something else, expected a filter"),
        (3, "got something else, expected a filter"),
        (
            torch.ones(4, 4) / 16,
            r"one of \[4, 4\] that is not a product .*, summing to 1, ex",
        ),
        (torch.full((4, 4), float("nan")), "blur.kernel: got something else, expected a filter"),
        (torch.zeros(0, 4), r"one of \[0, 4\] that is not a product"),
        (torch.tensor(0.5), r"one of \[\] that is not a product"),
    ],
    ids=["2000 x 2000", "100 MB", "complex", "a number", "sum of 1", "NaN", "empty", "scalar"],
)
def test_filters_that_are_none(tmp_path: Path, kernel: object, message: str) -> None:
    tensors: dict[str, Any] = rosinality_tensors(generator())
    for name in tensors:
        if name.endswith(".kernel"):
            tensors[name] = kernel
    with pytest.raises(GeneratorError, match=message):
        read_checkpoint(save(tmp_path / "g.pt", {"g_ema": tensors}))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("form", ["native", "nvidia", "rosinality", "tensorflow"])
def test_weights_that_are_not_finite_are_refused_in_every_format(
    tmp_path: Path, form: str, value: float
) -> None:
    ours, path = generator(), tmp_path / "g.bin"
    for parameter in ours.parameters():
        parameter.fill_(value)
    if form == "native":
        save_stylegan2(path, ours, card={})
    elif form == "nvidia":
        write(path, nvidia_network(ours))
    elif form == "rosinality":
        save(path, {"g_ema": rosinality_tensors(ours), "latent_avg": ours.mapping.w_mean})
    else:
        write(path, tensorflow_network(ours))
    with pytest.raises(GeneratorError) as caught:
        read_checkpoint(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: weights: got NaN or infinity in mapping.layers.0.weight, ")
    assert message.endswith("training diverged or the file is damaged: take an earlier one")


def test_weights_whose_sum_is_too_large_are_not_taken_for_it(tmp_path: Path) -> None:
    ours = generator()
    ours.conv(2).weight.fill_(3e38)
    save_stylegan2(tmp_path / "g.safetensors", ours, card={})
    assert load_stylegan2(tmp_path / "g.safetensors").digest() == ours.digest()
