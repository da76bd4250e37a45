"""regen's own generator file, with tensors of no family in particular."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from regen.errors import GeneratorError, StoreError
from regen.files import tensor_file
from regen.generators.native import open_file, save_discriminator, save_file

TENSORS = {"a": torch.randn(3, 2), "b": torch.randn(5)}


@dataclass(frozen=True)
class Judge:
    """A `StoredDiscriminator`."""

    tensors: Mapping[str, Tensor]
    image_size: tuple[int, int] = (8, 12)

    def header(self) -> dict[str, Any]:
        return {"depth": 3}


JUDGE = Judge({"a": torch.randn(2), "c": torch.randn(4)})


def save(path: Path, **changes: Any) -> Path:
    given = {"family": "toy", "architecture": {"width": 2}, "card": {"licence": "CC0"}}
    save_file(path, TENSORS, **{**given, **changes})
    return path


def test_a_generator_alone(tmp_path: Path) -> None:
    with open_file(save(tmp_path / "g.safetensors")) as file:
        assert file.path == tmp_path / "g.safetensors" and file.discriminator is None
        assert (file.header["family"], file.header["architecture"]) == ("toy", {"width": 2})
        assert file.header["licence"] == "CC0" and "digests" not in file.header
        read = file.generator_tensors()
    assert tensor_file.digest(read) == tensor_file.digest(TENSORS) == file.header["digest"]


def test_a_discriminator_travels_along(tmp_path: Path) -> None:
    with open_file(save(tmp_path / "g.safetensors", discriminator=JUDGE)) as file:
        assert file.discriminator == {"depth": 3}
        assert tensor_file.digest(file.generator_tensors()) == tensor_file.digest(TENSORS)
        assert tensor_file.digest(file.discriminator_tensors()) == tensor_file.digest(JUDGE.tensors)


@pytest.mark.parametrize("part", ["generator", "discriminator"])
def test_each_part_is_verified_by_itself(tmp_path: Path, part: str) -> None:
    path = save(tmp_path / "g.safetensors", discriminator=JUDGE)
    data = bytearray(path.read_bytes())
    length = int.from_bytes(data[:8], "little")
    entry = json.loads(data[8 : 8 + length])["a" if part == "generator" else "discriminator.a"]
    data[8 + length + entry["data_offsets"][0]] ^= 1
    path.write_bytes(data)
    with open_file(path) as file:
        good, bad = file.generator_tensors, file.discriminator_tensors
        if part == "generator":
            good, bad = bad, good
        good()
        with pytest.raises(StoreError, match="is damaged: its tensors are not those that were"):
            bad()


def test_half_precision(tmp_path: Path) -> None:
    with open_file(save(tmp_path / "g.safetensors", half=True, discriminator=JUDGE)) as file:
        read = {**file.generator_tensors(), **file.discriminator_tensors()}
    assert {tensor.dtype for tensor in read.values()} == {torch.float16}
    large = {"a": torch.tensor([1e6])}
    with pytest.raises(GeneratorError, match="a has values that float16 cannot hold"):
        save_file(tmp_path / "h", large, family="toy", architecture={}, card={}, half=True)
    assert not (tmp_path / "h").exists()


def test_a_card_replaces_nothing_that_loading_needs(tmp_path: Path) -> None:
    card = {"format": "x", "version": 9, "family": "x", "architecture": 1, "discriminator": 1}
    with open_file(save(tmp_path / "g.safetensors", card=card, discriminator=JUDGE)) as file:
        names = ("format", "version", "family", "architecture", "discriminator")
        wanted = ["generator", 1, "toy", {"width": 2}, {"depth": 3}]
        assert [file.header[name] for name in names] == wanted


def test_a_discriminator_alone(tmp_path: Path) -> None:
    digest = save_discriminator(tmp_path / "d.safetensors", "toy", JUDGE)
    stored = tensor_file.load(tmp_path / "d.safetensors", format="discriminator")
    assert stored.header["digest"] == digest == tensor_file.digest(JUDGE.tensors)
    assert (stored.header["family"], stored.header["architecture"]) == ("toy", {"depth": 3})
    with pytest.raises(StoreError, match="got a discriminator, expected a generator"):
        open_file(tmp_path / "d.safetensors").__enter__()
