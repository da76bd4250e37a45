"""The table of families, and what a record of it costs."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest

from regen.errors import GeneratorError
from regen.generators import families as table
from regen.generators.families import FAMILIES, families, family, trainer_of
from regen.generators.family import Family
from tests.helpers.processes import HANGING_SECONDS


@pytest.mark.parametrize("name", FAMILIES)
def test_a_record_is_found_by_its_name(name: str) -> None:
    found = family(name)
    assert isinstance(found, Family) and found.name == name and found in families()
    suffixes = [form.suffix for form in found.foreign_formats.values()]
    assert ".safetensors" not in suffixes and len(set(suffixes)) == len(suffixes)


@pytest.mark.parametrize("name", ["biggan", None, ["stylegan2"], 3])
def test_other_names(name: object) -> None:
    with pytest.raises(GeneratorError, match="expected stylegan2 or rfr or munit; update regen"):
        family(name)


def test_a_family_without_a_trainer(monkeypatch: pytest.MonkeyPatch) -> None:
    untrained = replace(family("stylegan2"), trainer=None)
    monkeypatch.setattr(table, "family", lambda name: untrained)
    with pytest.raises(GeneratorError, match="generators of the family stylegan2 cannot be trai"):
        trainer_of("stylegan2")


def test_the_defaults_of_a_trainer_need_no_torch() -> None:
    """The help of `regen train-generator` shows them, and should not take seconds."""
    program = (
        "import sys; from regen.generators.families import trainer_of; "
        "print(trainer_of('stylegan2').options(256)['r1_gamma'], 'torch' in sys.modules)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        timeout=HANGING_SECONDS,
    )
    assert ran.stdout.split() == ["0.8192", "False"]
