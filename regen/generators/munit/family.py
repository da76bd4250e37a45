"""MUNIT for the registry: the one name that the rest of regen takes from this folder.

Every function imports what it needs when it is called; see `regen.generators.family`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regen.generators.family import Checkpoint, Family, ForeignFormat, StoredDiscriminator

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


def _read_foreign(value: object, which: str, where: str) -> Checkpoint | None:
    from regen.generators.munit.improved import read_improved
    from regen.generators.munit.mistakes import check_mistakes
    from regen.generators.munit.original import read_original
    from regen.generators.munit.reading import as_dict

    found = read_original(value, which, where) or read_improved(value, which, where)
    if found is None:
        check_mistakes(as_dict(value), where)
    return found


def _write_original(
    path: Path, generator: Generator, discriminator: StoredDiscriminator | None
) -> list[str]:
    from regen.generators.munit.original import write_original

    return write_original(path, _checked(generator))


FAMILY = Family(
    name="munit",
    load=_load,
    save=_save,
    describe=_describe,
    read_foreign=_read_foreign,
    networks=("G_ema", "G", "b2a"),
    foreign_files=("MUNIT", "imaginaire's MUNIT"),
    foreign_formats={"munit": ForeignFormat(".pt", _write_original)},
)
