"""regen's own file of an RFR network: round trip, and headers that are refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from regen.errors import GeneratorError, StoreError
from regen.generators.native import open_file, save_file
from regen.generators.registry import open_generator
from regen.generators.rfr.files import read_generator, save_rfr
from regen.generators.rfr.generator import Inpainter
from tests.helpers.rfr import lively


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    generator, path = lively(batches=tuple(range(18))), tmp_path / "g.safetensors"
    save_rfr(path, generator, card={"licence": "CC0-1.0"})
    again = open_generator(path)
    assert isinstance(again, Inpainter) and again.config == generator.config
    assert again.digest() == generator.digest() and not again.training
    assert again.oracle is None and not any(p.requires_grad for p in again.parameters())


def test_half_precision(tmp_path: Path) -> None:
    generator, path = lively(), tmp_path / "g.safetensors"
    save_rfr(path, generator, card={}, half=True)
    for mine, theirs in zip(generator.parameters(), open_generator(path).parameters(), strict=True):
        assert torch.equal(mine.half().float(), theirs)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"width": 1 << 30}, "g.safetensors: architecture: width: got 1073741824"),
        ({"rounds": -1}, "architecture: rounds: got -1"),
        ({"size": 100_000}, "architecture: size: got 100000, expected an integer from 16 to 704"),
        ({"batches": "many"}, "architecture: batches: got 'many'"),
        ({"odd": 1}, "architecture: got missing or unknown odd"),
        ({"width": 16}, "does not fit: network.first.weight is"),
        (None, "architecture: got None, expected an object"),
    ],
)
def test_headers_that_are_refused(change: dict[str, Any] | None, message: str, tmp_path) -> None:
    generator, path = lively(), tmp_path / "g.safetensors"
    architecture = (
        None if change is None else json.loads(json.dumps(vars(generator.config) | change))
    )
    save_file(path, generator.state_dict(), family="rfr", architecture=architecture or {}, card={})
    with open_file(path) as file:
        if change is None:
            file.header["architecture"] = None
        with pytest.raises((GeneratorError, StoreError)) as error:
            read_generator(file)
    assert message in str(error.value)
