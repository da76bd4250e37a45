"""MUNIT for the registry: the one name that the rest of regen takes from this folder.

Every function imports what it needs when it is called; see `regen.generators.family`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regen.generators.family import Family, StoredDiscriminator

if TYPE_CHECKING:
    from regen.generators.munit.generator import Translator
    from regen.generators.native import GeneratorFile
    from regen.generators.protocol import Generator


def _checked(generator: Generator) -> Translator:
    from regen.generators.munit.generator import Translator

    assert isinstance(generator, Translator)  # the registry goes by `Generator.family`
    return generator


def _load(file: GeneratorFile) -> Translator:
    from regen.generators.munit.files import read_generator

    return read_generator(file)


def _save(
    path: Path | str,
    generator: Generator,
    *,
    card: Mapping[str, Any],
    half: bool = False,
    discriminator: StoredDiscriminator | None = None,
) -> None:
    from regen.generators.munit.files import save_munit

    assert discriminator is None  # no file of this family has one
    save_munit(path, _checked(generator), card=card, half=half)


def _describe(generator: Generator) -> dict[str, Any]:
    translator = _checked(generator)
    facts = {"architecture": asdict(translator.config)}
    licence = translator.original_licence
    return {**facts, "original_licence": licence} if licence else facts


FAMILY = Family(name="munit", load=_load, save=_save, describe=_describe)
