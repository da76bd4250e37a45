"""StyleGAN2 for the registry: the one name that the rest of regen takes from this folder.

Every function imports what it needs when it is called; see `regen.generators.family`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regen.generators.family import Checkpoint, Family, ForeignFormat, StoredDiscriminator
from regen.generators.stylegan2.training.plan import StyleGAN2Trainer

if TYPE_CHECKING:
    from regen.generators.native import GeneratorFile
    from regen.generators.protocol import Generator
    from regen.generators.stylegan2.discriminator import Discriminator
    from regen.generators.stylegan2.generator import StyleGAN2


def _checked(generator: Generator) -> StyleGAN2:
    from regen.generators.stylegan2.generator import StyleGAN2

    assert isinstance(generator, StyleGAN2)  # the registry goes by `Generator.family`
    return generator


def _checked_discriminator(discriminator: StoredDiscriminator | None) -> Discriminator | None:
    from regen.generators.stylegan2.discriminator import Discriminator

    assert discriminator is None or isinstance(discriminator, Discriminator)
    return discriminator


def _load(file: GeneratorFile) -> StyleGAN2:
    from regen.generators.stylegan2.files import read_generator

    return read_generator(file)


def _load_discriminator(file: GeneratorFile) -> Discriminator | None:
    from regen.generators.stylegan2.files import read_discriminator

    return read_discriminator(file)


def _save(
    path: Path | str,
    generator: Generator,
    *,
    card: Mapping[str, Any],
    half: bool = False,
    discriminator: StoredDiscriminator | None = None,
) -> None:
    from regen.generators.stylegan2.files import save_stylegan2

    judge = _checked_discriminator(discriminator)
    save_stylegan2(path, _checked(generator), card=card, half=half, discriminator=judge)


def _describe(generator: Generator) -> dict[str, Any]:
    config = _checked(generator).config
    return {"architecture": asdict(config), "resolution": config.resolution}


def _read_foreign(value: object, which: str, where: str) -> Checkpoint | None:
    from regen.generators.stylegan2.foreign.reading import read_foreign

    return read_foreign(value, which, where)


def _write_nvidia(
    path: Path, generator: Generator, discriminator: StoredDiscriminator | None
) -> list[str]:
    from regen.generators.stylegan2.foreign.nvidia_writer import write_nvidia

    return write_nvidia(path, _checked(generator), _checked_discriminator(discriminator))


def _write_rosinality(
    path: Path, generator: Generator, discriminator: StoredDiscriminator | None
) -> list[str]:
    from regen.generators.stylegan2.foreign.rosinality import write_rosinality

    return write_rosinality(path, _checked(generator), _checked_discriminator(discriminator))


def _write_onnx(
    path: Path, generator: Generator, discriminator: StoredDiscriminator | None
) -> list[str]:
    from regen.generators.stylegan2.onnx_writer import write_onnx

    return write_onnx(path, _checked(generator))


FAMILY = Family(
    name="stylegan2",
    load=_load,
    load_discriminator=_load_discriminator,
    save=_save,
    describe=_describe,
    read_foreign=_read_foreign,
    foreign_files=(
        "stylegan2-ada-pytorch",
        "stylegan3",
        "stylegan2 (TensorFlow)",
        "rosinality's stylegan2-pytorch",
    ),
    foreign_formats={
        "nvidia": ForeignFormat(".pkl", _write_nvidia),
        "rosinality": ForeignFormat(".pt", _write_rosinality),
        "onnx": ForeignFormat(".onnx", _write_onnx, readable=False),
    },
    trainer=StyleGAN2Trainer(),
)
