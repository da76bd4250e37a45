"""Networks put together from files."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from regen.errors import GeneratorError, StoreError
from regen.generators.assembling import check_names, read_architecture, with_tensors
from regen.generators.munit.config import MUNITConfig
from regen.generators.munit.files import save_munit
from regen.generators.munit.generator import Translator
from regen.generators.native import open_file
from tests.helpers.munit import lively


def test_a_generator_takes_copies() -> None:
    donor = lively()
    with torch.device("meta"):
        empty = Translator(donor.config)
    tensors = donor.state_dict()
    filled = with_tensors(empty, {name: t.half() for name, t in tensors.items()}, "it")
    assert (
        filled.digest()
        == with_tensors(
            lively(seed=1), {name: t.half().float() for name, t in tensors.items()}, "it"
        ).digest()
    )
    assert not filled.training and not any(p.requires_grad for p in filled.parameters())
    filled.network.last.bias.zero_()
    assert donor.network.last.bias.any()


def test_tensors_that_do_not_fit() -> None:
    tensors = lively().state_dict()
    name = "network.last.bias"
    with pytest.raises(GeneratorError, match="it: weights: got NaN or infinity in network.last.b"):
        with_tensors(lively(), {**tensors, name: tensors[name] * torch.nan}, "it")
    with pytest.raises(StoreError, match=r"it does not fit: network.last.bias is \[4\]"):
        with_tensors(lively(), {**tensors, name: torch.zeros(4)}, "it")


def test_an_architecture_in_a_header(tmp_path: Path) -> None:
    save_munit(tmp_path / "g.safetensors", lively(), card={})
    with open_file(tmp_path / "g.safetensors") as file:
        assert read_architecture(file, MUNITConfig) == lively().config
        file.header["architecture"] = None
        with pytest.raises(GeneratorError, match="architecture: got None, expected an object"):
            read_architecture(file, MUNITConfig)


def test_names_of_a_foreign_file() -> None:
    a, b = torch.zeros(1), torch.ones(1)
    assert check_names({"a": a, "b": b}, {"a"}, {"b"}, "X", "it") == {"a": a}
    with pytest.raises(GeneratorError, match="it: tensors of X: got unknown b; no c, expected"):
        check_names({"a": a, "b": b}, {"a", "c"}, set(), "X", "it")
    with pytest.raises(GeneratorError, match="got no a, b, c and 1 more, expected those of the"):
        check_names({}, set("abcd"), set(), "X", "it")
    with pytest.raises(GeneratorError, match="it: a: got int, expected a tensor"):
        check_names({"a": 3}, {"a"}, set(), "X", "it")
