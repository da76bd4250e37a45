"""Generators that `regen` can open and write: any family, any file that one of them reads.

A file is opened once: its first bytes show whether it is one of regen's, which names its family, or
another tool's (a pickle, a file of torch's, safetensors without regen's header), which each family
in turn tries to read. Opening another tool's file gives a
`CheckpointWarning` with what its user should know.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch

from regen.errors import GeneratorError
from regen.files import tensor_file
from regen.generators import bundled
from regen.generators.families import families, family
from regen.generators.family import Checkpoint, Family, StoredDiscriminator
from regen.generators.names import BUNDLED, BUNDLED_FOLDER, generator_path
from regen.generators.native import GeneratorFile
from regen.generators.protocol import Generator
from regen.surroundings import unaffected
from regen.unpickling import format_of, opened, value_of

__all__ = [
    "BUNDLED",
    "BUNDLED_FOLDER",
    "NATIVE",
    "CheckpointWarning",
    "family",
    "format_for",
    "formats",
    "generator_path",
    "open_checkpoint",
    "open_generator",
    "read_checkpoint",
    "write_checkpoint",
]

NATIVE, NATIVE_SUFFIX = "native", ".safetensors"
_OWN = "regen's own file"
_FASTER_BELOW = 0.6  # share of a pickle that is the generator, below which converting saves time


class CheckpointWarning(UserWarning):
    """What the user of another tool's file should know about it."""


def open_generator(name_or_path: str | Path, *, device: torch.device | str = "cpu") -> Generator:
    """Open a generator.

    Args:
        name_or_path: A bundled name ("portraits"), the folder of a training of a generator, or
            the path of a generator file: one of regen's, or of another tool that a family can
            read (`Family.foreign_files`). No code in it is run.
        device: Where to put it.

    Returns:
        The generator in eval mode, float32, requiring no gradients. Its `source_name` is
        `name_or_path`, and it has its oracle if there is one.

    Raises:
        GeneratorError: If there is no such generator, its family is unknown, or torch has no such
            device.
        StoreError: If the file is damaged or not a generator's.
        UnpicklingError: If a pickle is damaged, or names what no such checkpoint needs.
    """
    place = _device(device)
    with unaffected():
        return _open(name_or_path, discriminator=False).generator.to(place)


def _device(device: torch.device | str) -> torch.device:
    """The device, if torch has it. Raises GeneratorError."""
    try:
        place = torch.device(device)
    except (RuntimeError, TypeError):
        place = None
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if place is None or not there.get(place.type, True):
        raise GeneratorError(
            "device",
            got=f"{device}, which torch does not find here",
            expected="cpu, or cuda or mps where there is one",
        )
    return place


def open_checkpoint(name_or_path: str | Path) -> Checkpoint:
    """Open a generator with the discriminator beside it, on the CPU; see `open_generator`."""
    return _open(name_or_path, discriminator=True)


def _open(name_or_path: str | Path, *, discriminator: bool) -> Checkpoint:
    path = generator_path(name_or_path)
    checkpoint = _read(path, "G_ema", discriminator=discriminator)
    generator = checkpoint.generator
    generator.source_name = str(name_or_path)
    oracle = bundled.oracle_of(generator.digest(), generator.image_size)
    generator.oracle = None if oracle is None else generator.limited(oracle)
    if checkpoint.origin != _OWN:
        notes = [f"{path}: {note}" for note in checkpoint.notes]
        for note in (*notes, _suggestion(path, checkpoint)):
            warnings.warn(note, CheckpointWarning, stacklevel=3)
    return checkpoint


def read_checkpoint(path: Path, which: str = "G_ema") -> Checkpoint:
    """Read a generator, and the discriminator beside it, from any file, without warnings.

    Args:
        path: The file.
        which: "G_ema", the average over training that all tools use, "G", or another network that
            a family has, see `Family.networks`.

    Raises:
        GeneratorError: If there is no such generator, or regen does not support it.
        StoreError: If a file of regen's is damaged, or shapes contradict each other.
        UnpicklingError: If a pickle is damaged, or names what no such checkpoint needs.
    """
    checkpoint = _read(path, which, discriminator=True)
    checkpoint.generator.source_name = str(path)
    return checkpoint


def _read(path: Path, which: str, *, discriminator: bool) -> Checkpoint:
    known = dict.fromkeys(name for owner in families() for name in owner.networks)
    if which not in known:
        raise GeneratorError("which network", got=which, expected=" or ".join(known))
    with opened(path) as content:
        format = format_of(content)
        if format == "pickle" or format == "torch":
            return _read_foreign(path, value_of(content, format), which)
        assert content.file is not None  # it was opened from a path
        if format == "safetensors":
            tensors = tensor_file.foreign_tensors(path, content.file)
            if tensors is not None:
                return _read_foreign(path, tensors, which)
        if content.buffer[8:9] != b"{":  # not even a damaged file of regen's
            raise _not_a_generator(f"{path} is not a generator")
        if which != "G_ema":
            raise GeneratorError(f"{path}: network", got=which, expected="G_ema, its only one")
        return _read_native(GeneratorFile.of(path, content.file), discriminator)


def _read_native(file: GeneratorFile, discriminator: bool) -> Checkpoint:
    try:
        owner = family(file.header.get("family"))
    except GeneratorError as error:
        raise GeneratorError(f"{file.path}: {error}") from error
    return Checkpoint(
        owner.load(file), owner.load_discriminator(file) if discriminator else None, _OWN
    )


def _read_foreign(path: Path, value: object, which: str) -> Checkpoint:
    for owner in families():
        if which in owner.networks:
            checkpoint = owner.read_foreign(value, which, str(path))
            if checkpoint is not None:
                return checkpoint
    owners = [owner.name for owner in families() if which in owner.networks]
    if len(owners) < len(families()):
        expected = f"a checkpoint of the family {' or '.join(owners)}"
        raise GeneratorError(f"{path}: network {which} in it", expected=expected)
    raise _not_a_generator(f"{path} does not hold a generator that regen knows")


def _not_a_generator(problem: str) -> GeneratorError:
    *most, last = [name for owner in families() for name in owner.foreign_files]
    return GeneratorError(problem, expected=f"a file of regen, {', '.join(most)} or {last}")


def _suggestion(path: Path, checkpoint: Checkpoint) -> str:
    tensors = checkpoint.generator.state_dict().values()
    share = sum(t.numel() * t.element_size() for t in tensors) / path.stat().st_size
    better = "that is smaller and opens faster" if share < _FASTER_BELOW else "that is verified"
    native = path.with_suffix(NATIVE_SUFFIX).name
    if native == path.name:  # another tool's file that is named like one of regen's
        native = f"{path.stem}-regen{NATIVE_SUFFIX}"
    return f"{path} is a {checkpoint.origin}; for a file {better}: regen convert {path} {native}"


def formats(owner: Family) -> dict[str, str]:
    """The formats that generators of a family can be written in, and the suffix of each."""
    foreign = owner.foreign_formats.items()
    return {NATIVE: NATIVE_SUFFIX, **{name: format.suffix for name, format in foreign}}


def format_for(path: Path, owner: Family, wanted: str | None = None) -> str:
    """The format to write a generator of a family in.

    Args:
        path: The file to write; its suffix decides if `wanted` is None.
        owner: The family.
        wanted: The name of a format, or None.

    Raises:
        GeneratorError: If the family has no such format, or none of that suffix.
    """
    known, suffix = formats(owner), path.suffix.lower()
    if wanted is not None:
        if wanted not in known:
            raise GeneratorError("format", got=wanted, expected=" or ".join(known))
        return wanted
    for name, usual in known.items():
        if usual == suffix:
            return name
    raise GeneratorError(
        f"{path}: suffix",
        got=suffix or "none",
        expected=", ".join(known.values()),
        remedy="name the format with --to",
    )


def write_checkpoint(
    path: Path,
    generator: Generator,
    discriminator: StoredDiscriminator | None,
    format: str,
    *,
    origin: str,
    terms: Mapping[str, Any] = MappingProxyType({}),
) -> list[str]:
    """Write a generator, and the discriminator beside it, in one of the formats of its family.

    Args:
        path: Replaced whole or not at all.
        generator: On any device.
        discriminator: Or None.
        format: As `format_for` gives it.
        origin: Where it comes from, for the header of a native file.
        terms: What else that header says, see `native.terms_of`.

    Returns:
        What its user must know, sentences without a full stop.

    Raises:
        GeneratorError: If the format cannot hold such a generator.
        StoreError: If the file cannot be written.
    """
    owner = family(generator.family)
    if format != NATIVE:
        return owner.foreign_formats[format].write(path, generator, discriminator)
    card = {**terms, "provenance": f"converted from: {origin}"}
    owner.save(path, generator, card=card, discriminator=discriminator)
    return []
