"""The families of generators: one line each with the path of its record, imported on first use."""

from __future__ import annotations

import importlib

from regen.errors import GeneratorError
from regen.generators.family import Family
from regen.generators.trainer import FamilyTrainer

FAMILIES = {
    "stylegan2": "regen.generators.stylegan2.family",
    "rfr": "regen.generators.rfr.family",
    "munit": "regen.generators.munit.family",
}


def family(name: object) -> Family:
    """The family with a name.

    Raises:
        GeneratorError: If there is none.
    """
    if not isinstance(name, str) or name not in FAMILIES:
        raise GeneratorError(
            "family", got=name, expected=" or ".join(FAMILIES), remedy="update regen"
        )
    record = importlib.import_module(FAMILIES[name]).FAMILY
    assert isinstance(record, Family) and record.name == name
    return record


def families() -> list[Family]:
    """All of them."""
    return [family(name) for name in FAMILIES]


def trainer_of(name: str) -> FamilyTrainer:
    """The trainer of a family's generators.

    Raises:
        GeneratorError: If there is no such family, or its generators cannot be trained.
    """
    trainer = family(name).trainer
    if trainer is None:
        raise GeneratorError(f"generators of the family {name} cannot be trained")
    return trainer
