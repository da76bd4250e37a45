"""regen's own file of a MUNIT network: round trip, and headers that are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from regen.errors import GeneratorError, StoreError
from regen.files import tensor_file
from regen.generators.munit.files import read_generator, save_munit
from regen.generators.munit.generator import Translator
from regen.generators.native import open_file, save_file
from regen.generators.registry import open_generator
from tests.helpers.munit import lively


@pytest.mark.parametrize("layout", ["2018", "2021"])
def test_what_is_saved_is_loaded(layout: str, tmp_path: Path) -> None:
    generator, path = lively(layout), tmp_path / "g.safetensors"
    save_munit(path, generator, card={"licence": "CC0-1.0"})
    again = open_generator(path)
    assert isinstance(again, Translator) and again.config == generator.config
    assert again.digest() == generator.digest() and not again.training
    assert again.oracle is None and not any(p.requires_grad for p in again.parameters())
    assert again.original_licence == ""


def test_a_licence_that_came_with_the_weights_stays(tmp_path: Path) -> None:
    generator, path = lively(), tmp_path / "g.safetensors"
    generator.original_licence = "not for sale"
    save_munit(path, generator, card={})
    again = open_generator(path)
    assert isinstance(again, Translator) and again.original_licence == "not for sale"
    header = tensor_file.read_header(path, format="generator")
    assert header["original_licence"] == "not for sale"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"width": 1 << 30}, "g.safetensors: architecture: width: got 1073741824"),
        ({"blocks": 10**6}, "architecture: blocks: got 1000000, expected an integer from 1 to 64"),
        ({"style": -1}, "architecture: style: got -1"),
        ({"mapping": 1 << 40}, "architecture: mapping: got 1099511627776"),
        ({"size": 100_000}, "architecture: size: got 100000, expected an integer from 16 to 704"),
        ({"layout": {}}, "architecture: layout: got {}, expected 2018 or 2021"),
        ({"odd": 1}, "architecture: got missing or unknown odd"),
        ({"width": 8}, "does not fit: network.content_encoder.blocks.0.convolution.weight is"),
        ({"layout": "2021"}, "is missing"),
    ],
)
def test_headers_that_are_refused(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    generator, path = lively(), tmp_path / "g.safetensors"
    architecture = vars(generator.config) | change
    state = generator.state_dict()
    save_file(path, state, family="munit", architecture=architecture, card={})
    with open_file(path) as file, pytest.raises((GeneratorError, StoreError)) as error:
        read_generator(file)
    assert message in str(error.value)
