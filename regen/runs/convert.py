"""Convert a generator's file to another tool's format, with rewrites applied."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from regen.errors import GeneratorError
from regen.files.atomic import remove_abandoned
from regen.generators.family import Checkpoint
from regen.generators.native import save_discriminator, terms_of
from regen.generators.protocol import Generator
from regen.generators.registry import (
    NATIVE,
    family,
    format_for,
    formats,
    generator_path,
    read_checkpoint,
    write_checkpoint,
)
from regen.rewriting.rewrite import apply, load_rewrites

Which = Literal["G_ema", "G", "b2a", "D"]


@dataclass(frozen=True)
class Conversion:
    """The outcome of a conversion.

    Attributes:
        origin: What kind of file the source is.
        format: Format of the result.
        image_size: Height and width of the images, in pixels.
        digest: Of the network that was written.
        notes: What the user must know, sentences without a full stop.
    """

    origin: str
    format: str
    image_size: tuple[int, int]
    digest: str
    notes: tuple[str, ...]


def formats_of(generator: Generator) -> list[tuple[str, str]]:
    """Suffix and tool of every format that a generator's family can be written in."""
    known = formats(family(generator.family)).items()
    return [(suffix, "regen" if name == NATIVE else name) for name, suffix in known]


def convert(
    source: str | Path,
    target: Path,
    *,
    rewrites: Sequence[tuple[Path, float]] = (),
    which: Which = "G_ema",
    to: str | None = None,
) -> Conversion:
    """Read a generator from any file, apply rewrites, write it, and read it back to compare.

    A format that regen does not read, ONNX, is checked for its structure only.

    Args:
        source: A bundled name or a file.
        target: Replaced whole or not at all.
        rewrites: As for `load_rewrites`; they belong to the generator in `source`.
        which: The network to take; "b2a" is that of a MUNIT from b to a. "D" takes the
            discriminator alone, into a native file.
        to: The format to write; by default what the suffix of `target` says.

    Raises:
        RegenError: If the source cannot be read, a rewrite does not fit, the format cannot hold
            the generator, or the target is the source or cannot be written.
    """
    path = generator_path(source)
    _check_different(path, target)
    remove_abandoned(target.parent)
    checkpoint = _read(path, which)
    owner = family(checkpoint.generator.family)
    format = format_for(target, owner, to)
    if which == "D":
        if rewrites:
            raise GeneratorError("a rewrite changes a generator", remedy="leave out --which D")
        return _discriminator_alone(path, target, checkpoint, format)
    generator = checkpoint.generator
    rewrite = load_rewrites(rewrites)
    if rewrite is not None:
        apply(generator, rewrite)
    origin = f"{checkpoint.origin} ({path.name})" + _applied(rewrites)
    notes = list(checkpoint.notes)
    if checkpoint.left_behind is not None:
        notes.append(f"the discriminator is left behind: {checkpoint.left_behind}")
    judge, terms = checkpoint.discriminator, terms_of(path)
    notes += write_checkpoint(target, generator, judge, format, origin=origin, terms=terms)
    if terms and format != NATIVE:
        told = ", ".join(f"{name.replace('_', ' ')} {text}" for name, text in terms.items())
        notes.append(f"the format has no place for the terms of the weights, keep them: {told}")
    digest = generator.digest()
    readable = format == NATIVE or owner.foreign_formats[format].readable
    if readable and read_checkpoint(target).generator.digest() != digest:
        raise GeneratorError(
            f"{target} does not hold what was written to it", remedy="check the disk"
        )
    return Conversion(checkpoint.origin, format, generator.image_size, digest, tuple(notes))


def _applied(rewrites: Sequence[tuple[Path, float]]) -> str:
    """Which rewrites a result has, for its header: names of files without their folders."""
    named = [f"{path.name} at strength {strength:g}" for path, strength in rewrites]
    return f", rewritten with {' and '.join(named)}" if named else ""


def _read(path: Path, which: str) -> Checkpoint:
    """The networks of the file. For "D", which generator is read does not matter."""
    if which == "D":
        try:
            return read_checkpoint(path, "G_ema")
        except GeneratorError:
            return read_checkpoint(path, "G")
    return read_checkpoint(path, which)


def _discriminator_alone(
    path: Path, target: Path, checkpoint: Checkpoint, format: str
) -> Conversion:
    discriminator = checkpoint.discriminator
    if format != NATIVE:
        raise GeneratorError(
            "format of a discriminator alone", got=format, expected=f"{NATIVE} (.safetensors)"
        )
    if discriminator is None:
        raise GeneratorError(f"{path} has no discriminator that can be kept")
    digest = save_discriminator(target, checkpoint.generator.family, discriminator)
    origin = checkpoint.origin.removesuffix(", G_ema").removesuffix(", G") + ", D"
    return Conversion(origin, format, discriminator.image_size, digest, ())


def _check_different(source: Path, target: Path) -> None:
    if os.path.realpath(source) == os.path.realpath(target) or (
        os.path.exists(target) and os.path.samefile(source, target)
    ):
        raise GeneratorError(
            f"{target} is the file to convert", remedy="choose another name for the result"
        )
