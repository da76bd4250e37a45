from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from regen.errors import ProjectorError, StoreError
from regen.files import tensor_file
from regen.generators import bundled
from regen.generators.stylegan2.generator import StyleGAN2
from regen.generators.stylegan2.split import StyleGAN2Split
from regen.projector.config import ProjectorConfig
from regen.projector.files import (
    load_projector,
    open_projector,
    projectors_of,
    save_projector,
)
from regen.projector.network import BackwardProjector

CARD = {"training": {"kimg": 1.0}, "provenance": "a test", "licence": "Apache-2.0"}


@pytest.fixture
def projector(tiny_split: StyleGAN2Split) -> BackwardProjector:
    made = BackwardProjector(
        ProjectorConfig.for_split(tiny_split, tiny_split.generator, widths=(4, 4))
    )
    made.value_mean.normal_()
    return made


@pytest.fixture
def saved(tmp_path: Path, tiny: StyleGAN2, projector: BackwardProjector) -> Path:
    path = tmp_path / "b.safetensors"
    save_projector(path, projector, tiny, 3, card=CARD)
    return path


def test_a_projector_comes_back_as_it_was(
    saved: Path, tiny: StyleGAN2, projector: BackwardProjector
) -> None:
    back, image = load_projector(saved, tiny), torch.rand(1, 3, 16, 16)
    assert torch.equal(back(image), projector(image))
    assert back.value_layer == 3 and back.name == str(saved)
    assert not back.network.training
    assert not any(p.requires_grad for p in back.network.parameters())


def test_reading_one_draws_no_random_numbers(saved: Path, tiny: StyleGAN2) -> None:
    before = torch.get_rng_state()
    load_projector(saved, tiny)
    assert torch.equal(torch.get_rng_state(), before)


def test_the_header_says_what_it_is(saved: Path, tiny: StyleGAN2) -> None:
    header = tensor_file.read_header(saved)
    assert header["format"] == "projector" and header["version"] == 1
    assert header["family"] == "stylegan2" and header["base"] == tiny.digest()
    assert header["value_layer"] == 3 and header["architecture"]["value_size"] == 8
    assert {name: header[name] for name in CARD} == CARD


def test_half_precision_halves_the_file(
    saved: Path, tmp_path: Path, tiny: StyleGAN2, projector: BackwardProjector
) -> None:
    half = tmp_path / "half.safetensors"
    save_projector(half, projector, tiny, 3, card=CARD, half=True)
    assert tensor_file.load(half).tensors["last.weight"].dtype == torch.float16
    image = torch.rand(1, 3, 16, 16)
    back = load_projector(half, tiny)
    assert back(image).dtype == torch.float32
    assert torch.allclose(back(image), projector(image), atol=0.02)


def test_the_projector_of_another_generator_is_refused(saved: Path, tiny: StyleGAN2) -> None:
    with torch.no_grad():
        tiny.synthesis.const[0, 0, 0] += 1
    message = (
        r"b.safetensors belongs to another generator: digest of the generator: got [0-9a-f]{12}, "
        r"expected [0-9a-f]{12}; use the projector of this generator, or train one"
    )
    with pytest.raises(ProjectorError, match=message):
        load_projector(saved, tiny)


def test_another_layer_is_refused(saved: Path, tiny: StyleGAN2) -> None:
    projector = load_projector(saved, tiny)
    projector.check_layer(3)
    message = "value layer of .*: got 4, expected 3, for which it was trained; use that layer"
    with pytest.raises(ProjectorError, match=message):
        projector.check_layer(4)


def altered(path: Path, **entries: Any) -> None:
    """Write the file again with other entries in its header."""
    stored = tensor_file.load(path)
    tensor_file.save(path, stored.tensors, {**stored.header, **entries})


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"value_layer": 9}, "value layer: got 9, expected 1 to 5"),
        ({"value_layer": "3"}, "value_layer: got 3, expected an integer"),
        ({"value_layer": 2}, "channels, size, resolution and guides: got"),
        ({"architecture": None}, "architecture: got missing or unknown all of it"),
        ({"architecture": {"widths": [4]}}, "architecture: got missing or unknown"),
        ({"format": "generator"}, "got a generator, expected a projector"),
        ({"version": 2}, "version of the projector format: got 2, expected at most 1"),
    ],
)
def test_headers_that_make_no_sense(
    saved: Path, tiny: StyleGAN2, entries: dict[str, Any], message: str
) -> None:
    if entries.get("value_layer") == 2:
        tiny.split(2, 1)
        entries = {"value_layer": 1}  # 4x4, where the file has 8x8
    altered(saved, **entries)
    with pytest.raises((ProjectorError, StoreError), match=message):
        load_projector(saved, tiny)


def test_sizes_of_another_kind_than_numbers(saved: Path, tiny: StyleGAN2) -> None:
    architecture = {**tensor_file.read_header(saved)["architecture"], "resolution": "16"}
    altered(saved, architecture=architecture)
    with pytest.raises(ProjectorError, match="architecture: got"):
        load_projector(saved, tiny)


@pytest.mark.parametrize(
    ("widths", "blocks"),
    [([1 << 40, 4], [1, 1]), ([50_000, 4], [1, 1]), ([4, 4], [10**6, 1]), ([4.5, 4], [1, 1])],
)
def test_a_network_that_its_file_does_not_hold_is_never_made(
    saved: Path, tiny: StyleGAN2, widths: list[Any], blocks: list[Any]
) -> None:
    changes = {"widths": widths, "blocks": blocks}
    altered(saved, architecture={**tensor_file.read_header(saved)["architecture"], **changes})
    with pytest.raises(
        ProjectorError, match=r"b.safetensors: architecture: widths and blocks: got"
    ):
        load_projector(saved, tiny)


def test_tensors_of_another_architecture(saved: Path, tiny: StyleGAN2) -> None:
    architecture = {**tensor_file.read_header(saved)["architecture"], "widths": [4, 8]}
    altered(saved, architecture=architecture)
    with pytest.raises(StoreError, match=r"b.safetensors does not fit: alignment\."):
        load_projector(saved, tiny)


@pytest.mark.parametrize("length", [0, 100, -50])
def test_a_truncated_file(saved: Path, tiny: StyleGAN2, length: int) -> None:
    whole = saved.read_bytes()
    saved.write_bytes(whole[:length])
    with pytest.raises(StoreError, match="b.safetensors is"):
        load_projector(saved, tiny)


def test_a_file_with_a_flipped_bit(saved: Path, tiny: StyleGAN2) -> None:
    whole = bytearray(saved.read_bytes())
    whole[-8] ^= 1
    saved.write_bytes(bytes(whole))
    with pytest.raises(StoreError, match="its tensors are not those that were saved"):
        load_projector(saved, tiny)


def test_opening_by_path_and_by_digest(
    saved: Path, tiny: StyleGAN2, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert open_projector(saved, tiny).name == str(saved)
    monkeypatch.setattr(bundled, "BUNDLED_FOLDER", saved.parent)
    monkeypatch.setattr(bundled, "_projectors", bundled._projectors.__wrapped__)
    assert bundled.projectors_of(tiny.digest()) == {}
    path = saved.rename(saved.parent / "any_projector3.safetensors")
    assert bundled.projectors_of(tiny.digest()) == {3: path}
    assert open_projector(None, tiny).value_layer == 3  # the preferred is not there
    assert open_projector(None, tiny, value_layer=np.int64(3)).value_layer == 3  # type: ignore[arg-type]
    for layer in (2, True, "3", [3]):
        with pytest.raises(
            ProjectorError, match="value layer of this generator: got .*, expected 3"
        ):
            open_projector(None, tiny, value_layer=layer)  # type: ignore[arg-type]


def test_rewrites_may_do_without_a_bundled_projector(
    saved: Path, tiny: StyleGAN2, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = saved.parent / "any_projector3.safetensors"
    network = load_projector(saved, tiny).network
    save_projector(path, network, tiny, 3, card={bundled.REWRITES: False})
    monkeypatch.setattr(bundled, "BUNDLED_FOLDER", saved.parent)
    monkeypatch.setattr(bundled, "_projectors", bundled._projectors.__wrapped__)
    assert bundled.projectors_of(tiny.digest()) == {3: path}
    assert bundled.projectors_of(tiny.digest(), rewriting=True) == {} and projectors_of(tiny) == []
    assert open_projector(None, tiny).value_layer == 3


@pytest.mark.parametrize("path", [3, b"p.safetensors", ["p.safetensors"], ""])
def test_what_is_no_path_is_told(tiny: StyleGAN2, path: Any) -> None:
    with pytest.raises(ProjectorError, match="^projector: got .*, expected the path of one$"):
        open_projector(path, tiny)


def test_a_run_folder_stands_for_its_projector(saved: Path, tiny: StyleGAN2) -> None:
    saved.rename(saved.parent / "projector.safetensors")
    assert load_projector(saved.parent, tiny).value_layer == 3


def test_a_generator_without_a_known_projector(tiny: StyleGAN2) -> None:
    tiny.source_name = "my.safetensors"
    message = "no projector is known for my.safetensors; name one, or train one with"
    with pytest.raises(ProjectorError, match=message):
        open_projector(None, tiny)
