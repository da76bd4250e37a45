"""RFR for the registry: the one name that the rest of regen takes from this folder.

Every function imports what it needs when it is called; see `regen.generators.family`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regen.generators.family import Checkpoint, Family, ForeignFormat, StoredDiscriminator

if TYPE_CHECKING:
    from regen.generators.native import GeneratorFile
    from regen.generators.protocol import Generator
    from regen.generators.rfr.generator import Inpainter


def _checked(generator: Generator) -> Inpainter:
    from regen.generators.rfr.generator import Inpainter

    assert isinstance(generator, Inpainter)  # the registry goes by `Generator.family`
    return generator


def _load(file: GeneratorFile) -> Inpainter:
    from regen.generators.rfr.files import read_generator

    return read_generator(file)


def _save(
    path: Path | str,
    generator: Generator,
    *,
    card: Mapping[str, Any],
    half: bool = False,
    discriminator: StoredDiscriminator | None = None,
) -> None:
    from regen.generators.rfr.files import save_rfr

    assert discriminator is None  # no file of this family has one
    save_rfr(path, _checked(generator), card=card, half=half)


def _describe(generator: Generator) -> dict[str, Any]:
    from regen.generators.rfr.original import LICENCE

    config = _checked(generator).config
    facts: dict[str, Any] = {"architecture": asdict(config), "fills": "white, or inside, of a hole"}
    return facts if generator.oracle is not None else {**facts, "original_licence": LICENCE}


def _read_foreign(value: object, which: str, where: str) -> Checkpoint | None:
    from regen.generators.rfr.original import read_original

    return read_original(value, which, where)


def _write_original(
    path: Path, generator: Generator, discriminator: StoredDiscriminator | None
) -> list[str]:
    from regen.generators.rfr.original import write_original

    return write_original(path, _checked(generator))


FAMILY = Family(
    name="rfr",
    load=_load,
    save=_save,
    describe=_describe,
    read_foreign=_read_foreign,
    foreign_files=("RFR-Inpainting",),
    foreign_formats={"rfr": ForeignFormat(".pth", _write_original)},
)
