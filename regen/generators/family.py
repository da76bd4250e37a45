"""What a family of generators provides to the rest of regen: one record, found by `registry`.

A family is a folder beside this file. Its ``family.py`` exports ``FAMILY``, and nothing outside the
folder imports anything else from it. Looking a record up should cost nothing, so the functions in
it import what they need when they are called.

    native file     regen's own, see `native`; it names its family
    foreign value   what `regen.unpickling` read from a file of another tool, as plain data, or the
                    tensors by name of a safetensors file without regen's header
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from torch import Tensor

    from regen.generators.native import GeneratorFile
    from regen.generators.protocol import Generator
    from regen.generators.trainer import FamilyTrainer


class StoredDiscriminator(Protocol):
    """A discriminator as data, so that training can continue elsewhere; it is never run here."""

    @property
    def tensors(self) -> Mapping[str, Tensor]:
        """By name, float32."""
        ...

    @property
    def image_size(self) -> tuple[int, int]:
        """Height and width of the images it judges, in pixels."""
        ...

    def header(self) -> dict[str, Any]:
        """Its architecture as JSON values."""
        ...


@dataclass(frozen=True)
class Checkpoint:
    """What a file of any kind held.

    Attributes:
        generator: The requested network.
        discriminator: Its discriminator, or None where the file has none that could be kept.
        origin: What kind of file it is, in words: "pickle of NVIDIA's, G_ema".
        notes: Sentences the generator's user must know, without a full stop.
        left_behind: Why the file's discriminator was not kept, or None.
    """

    generator: Generator
    discriminator: StoredDiscriminator | None
    origin: str
    notes: tuple[str, ...] = ()
    left_behind: str | None = None


class SaveGenerator(Protocol):
    """Writes a native file."""

    def __call__(
        self,
        path: Path | str,
        generator: Generator,
        *,
        card: Mapping[str, Any],
        half: bool = False,
        discriminator: StoredDiscriminator | None = None,
    ) -> None:
        """Arguments and errors are those of `native.save_file`."""
        ...


@dataclass(frozen=True)
class ForeignFormat:
    """A format of another tool that a family can write.

    Attributes:
        suffix: File name suffix that selects the format, ".pkl" for instance.
        write: Takes path, generator and discriminator; returns what the user must know, sentences
            without a full stop. Raises GeneratorError if the format cannot hold the generator.
        readable: Whether regen reads such files back.
    """

    suffix: str
    write: Callable[[Path, Generator, StoredDiscriminator | None], list[str]]
    readable: bool = True


def _nothing(*_: object) -> None:
    """What a family without discriminators, or without foreign files, reads."""


@dataclass(frozen=True)
class Family:
    """A family of generators. The first four fields are required; the others are optional.

    Attributes:
        name: As native files and `Generator.family` have it.
        load: The generator in a native file of this family; reads nothing of a discriminator.
        save: Writes a native file.
        describe: Facts about a generator that are specific to the family, above all its
            architecture; JSON values.
        load_discriminator: The discriminator in a native file, None where there is none.
        read_foreign: Takes a foreign value, which network to take (one of `networks`), and a prefix
            for messages. Returns None where the value is not of this family, and raises
            GeneratorError or StoreError where it is, but regen cannot open it.
        networks: Which networks of a file can be asked for.
        foreign_files: Names of the tools whose files `read_foreign` knows.
        foreign_formats: Formats of other tools that it can write, by name.
        trainer: Trains new generators; None for a family that cannot be trained.
    """

    name: str
    load: Callable[[GeneratorFile], Generator]
    save: SaveGenerator
    describe: Callable[[Generator], dict[str, Any]]
    load_discriminator: Callable[[GeneratorFile], StoredDiscriminator | None] = _nothing
    read_foreign: Callable[[object, str, str], Checkpoint | None] = _nothing
    networks: tuple[str, ...] = ("G_ema", "G")
    foreign_files: tuple[str, ...] = ()
    foreign_formats: Mapping[str, ForeignFormat] = field(default_factory=dict)
    trainer: FamilyTrainer | None = None
