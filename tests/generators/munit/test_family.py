"""The record by which the registry knows MUNIT."""

from __future__ import annotations

from pathlib import Path

from regen.generators.munit.family import FAMILY
from regen.generators.native import open_file
from regen.unpickling import read_torch_file
from tests.helpers.munit import lively


def test_a_generator_is_described_with_its_layout_and_licence() -> None:
    generator = lively("2021")
    facts = FAMILY.describe(generator)
    assert facts["architecture"]["layout"] == "2021" and facts["architecture"]["width"] == 4
    assert "original_licence" not in facts
    generator.original_licence = "not for sale"
    assert FAMILY.describe(generator)["original_licence"] == "not for sale"


def test_what_it_saves_it_loads(tmp_path: Path) -> None:
    generator, path = lively(), tmp_path / "g.safetensors"
    FAMILY.save(path, generator, card={})
    with open_file(path) as file:
        assert FAMILY.load(file).digest() == generator.digest()
        assert FAMILY.load_discriminator(file) is None


def test_the_format_that_it_writes_it_reads(tmp_path: Path) -> None:
    generator, path = lively(), tmp_path / "g.pt"
    FAMILY.foreign_formats["munit"].write(path, generator, None)
    found = FAMILY.read_foreign(read_torch_file(path), "G_ema", "it")
    assert found is not None and found.generator.digest() == generator.digest()
    assert FAMILY.read_foreign({"weights": 3}, "G_ema", "it") is None
