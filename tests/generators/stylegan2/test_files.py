from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch

from regen.errors import GeneratorError, StoreError
from regen.files import tensor_file
from regen.generators.stylegan2.files import load_stylegan2, save_stylegan2
from regen.generators.stylegan2.generator import StyleGAN2

Build = Callable[..., StyleGAN2]
CARD = {"licence": "CC0", "measures": {"lpips": 0.1}}


def header_of(generator: StyleGAN2, **changes: Any) -> dict[str, Any]:
    header = {
        "format": "generator",
        "version": 1,
        "family": "stylegan2",
        "architecture": asdict(generator.config),
    }
    return {**header, **changes}


def architecture(generator: StyleGAN2, **changes: Any) -> dict[str, Any]:
    return {**asdict(generator.config), **changes}


@pytest.mark.parametrize(
    "changes", [{}, {"label_dim": 2, "conv_clamp": 256.0, "mapping_layers": 1}]
)
def test_a_generator_comes_back_exactly(
    build: Build, tmp_path: Path, changes: dict[str, Any]
) -> None:
    generator, path = build(**changes), tmp_path / "g.safetensors"
    save_stylegan2(path, generator, card=CARD)
    loaded = load_stylegan2(path)
    assert loaded.config == generator.config
    assert loaded.digest() == generator.digest()
    label = torch.eye(2) if generator.config.label_dim else None
    latents = [g.seed_latents([1, 2], 0.5, label=label) for g in (generator, loaded)]
    assert torch.equal(generator(latents[0]), loaded(latents[1]))


def test_a_loaded_generator_is_ready_to_draw(build: Build, tmp_path: Path) -> None:
    save_stylegan2(tmp_path / "g.safetensors", build().train().requires_grad_(), card={})
    state = torch.get_rng_state()
    loaded = load_stylegan2(tmp_path / "g.safetensors")
    assert torch.equal(torch.get_rng_state(), state)
    assert not any(module.training for module in loaded.modules())
    assert not any(parameter.requires_grad for parameter in loaded.parameters())
    assert all(t.device.type == "cpu" for t in loaded.state_dict().values())
    assert loaded.conv(3).weight.is_contiguous(memory_format=torch.channels_last)


def test_half_precision_halves_the_file_and_rounds_once(build: Build, tmp_path: Path) -> None:
    generator = build(channel_max=64, channel_base=1024)
    whole, half, again = (tmp_path / f"{name}.safetensors" for name in ("whole", "half", "again"))
    save_stylegan2(whole, generator, card=CARD)
    save_stylegan2(half, generator, card=CARD, half=True)
    assert half.stat().st_size < 0.55 * whole.stat().st_size
    loaded = load_stylegan2(half)
    for name, tensor in generator.state_dict().items():
        found = loaded.state_dict()[name]
        assert found.dtype == torch.float32
        assert torch.equal(found, tensor.half().float())
    assert loaded.digest() != generator.digest()
    save_stylegan2(again, loaded, card=CARD, half=True)
    assert again.read_bytes() == half.read_bytes()
    assert load_stylegan2(again).digest() == loaded.digest()


def test_half_precision_refuses_what_it_cannot_hold(build: Build, tmp_path: Path) -> None:
    generator = build()
    generator.synthesis.const.data[0, 0, 0] = 1e5
    message = "synthesis.const has values that float16 cannot hold; save it without half"
    with pytest.raises(GeneratorError, match=message):
        save_stylegan2(tmp_path / "g.safetensors", generator, card={}, half=True)
    assert list(tmp_path.iterdir()) == []


def test_the_card_is_in_the_header_and_cannot_replace_the_architecture(
    build: Build, tmp_path: Path
) -> None:
    generator, path = build(), tmp_path / "g.safetensors"
    card = {**CARD, "family": "munit", "architecture": {}, "version": 9, "format": "rewrite"}
    save_stylegan2(path, generator, card=card)
    header = tensor_file.read_header(path, format="generator")
    assert (header["family"], header["licence"], header["measures"]["lpips"]) == (
        "stylegan2",
        "CC0",
        0.1,
    )
    assert load_stylegan2(path).digest() == generator.digest()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"family": "munit"}, "family: got munit, expected stylegan2"),
        ({"architecture": None}, "architecture: got None, expected an object"),
        ({"architecture": {}}, "architecture: got missing or unknown channel_base, channel_max"),
    ],
)
def test_headers_of_something_else(
    build: Build, tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    generator, path = build(), tmp_path / "g.safetensors"
    tensor_file.save(path, generator.state_dict(), header_of(generator, **changes))
    with pytest.raises(GeneratorError, match=f"g.safetensors: {message}"):
        load_stylegan2(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"depth": 3}, "architecture: got missing or unknown depth"),
        ({"resolution": 20}, "architecture: resolution: got 20, expected a power of two; the file"),
        ({"resolution": "16"}, "architecture: resolution: got '16', expected an integer from 8"),
        ({"z_dim": 1.5}, "architecture: z_dim: got 1.5, expected an integer from 1"),
        ({"resample_taps": "abc"}, "architecture: resample_taps: got 'abc', expected a list"),
    ],
)
def test_damaged_architectures(
    build: Build, tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    generator, path = build(), tmp_path / "g.safetensors"
    header = header_of(generator, architecture=architecture(generator, **changes))
    tensor_file.save(path, generator.state_dict(), header)
    with pytest.raises(GeneratorError, match=f"g.safetensors: {message}"):
        load_stylegan2(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"resolution": 32}, r"synthesis.convs.6.weight is missing"),
        ({"channel_max": 4}, r"synthesis.const is \[8, 4, 4\], expected \[4, 4, 4\]"),
        ({"channel_max": 2**18, "channel_base": 2**20}, r"const is \[8, 4, 4\], expected \[262144"),
        ({"label_dim": 2}, r"mapping.embed.weight is missing"),
        ({"mapping_layers": 1}, r"mapping.layers.1.weight is unexpected"),
    ],
)
def test_tensors_of_another_architecture_are_named_before_any_is_allocated(
    build: Build, tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    generator, path = build(), tmp_path / "g.safetensors"
    header = header_of(generator, architecture=architecture(generator, **changes))
    tensor_file.save(path, generator.state_dict(), header)
    with pytest.raises(StoreError, match=rf"g.safetensors does not fit: .*{message}"):
        load_stylegan2(path)


def test_a_truncated_file_is_damaged(build: Build, tmp_path: Path) -> None:
    path = tmp_path / "g.safetensors"
    save_stylegan2(path, build(), card={})
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(StoreError, match="is damaged: truncated at"):
        load_stylegan2(path)


def test_a_loaded_generator_does_not_depend_on_its_file_any_more(
    build: Build, tmp_path: Path
) -> None:
    generator, path = build(), tmp_path / "g.safetensors"
    save_stylegan2(path, generator, card={})
    loaded = load_stylegan2(path)
    with path.open("r+b") as file:  # in place, so the very bytes that were read are gone
        file.write(bytes(path.stat().st_size))
    assert loaded.digest() == generator.digest()
