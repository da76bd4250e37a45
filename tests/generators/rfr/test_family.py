"""The record by which the registry knows RFR."""

from __future__ import annotations

from pathlib import Path

from regen.generators.native import open_file
from regen.generators.rfr.family import FAMILY
from regen.unpickling import read_torch_file
from tests.helpers.rfr import lively


def test_a_generator_is_described_with_the_licence_and_the_polarity() -> None:
    facts = FAMILY.describe(lively())
    assert facts["architecture"]["width"] == 8 and "white" in facts["fills"]
    assert facts["original_licence"].startswith("MIT for the code")
    assert "original_licence" not in FAMILY.describe(lively(people=True))


def test_what_it_saves_it_loads(tmp_path: Path) -> None:
    generator, path = lively(), tmp_path / "g.safetensors"
    FAMILY.save(path, generator, card={})
    with open_file(path) as file:
        assert FAMILY.load(file).digest() == generator.digest()
        assert FAMILY.load_discriminator(file) is None


def test_the_format_that_it_writes_it_reads(tmp_path: Path) -> None:
    generator, path = lively(), tmp_path / "g.pth"
    FAMILY.foreign_formats["rfr"].write(path, generator, None)
    found = FAMILY.read_foreign(read_torch_file(path), "G_ema", "it")
    assert found is not None and found.generator.digest() == generator.digest()
    assert FAMILY.read_foreign({"weights": 3}, "G_ema", "it") is None
