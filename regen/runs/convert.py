"""Turn a generator's file into that of another tool, with rewrites applied on the way."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from regen.errors import GeneratorError
from regen.files import tensor_file
from regen.generators.registry import generator_path
from regen.generators.stylegan2.discriminator import Discriminator
from regen.generators.stylegan2.foreign.files import (
    FORMATS,
    Format,
    read_checkpoint,
    write_checkpoint,
)
from regen.generators.stylegan2.foreign.rebuild import Checkpoint
from regen.rewriting.rewrite import apply
from regen.runs.generate import load_rewrites

Which = Literal["G_ema", "G", "D"]

DISCRIMINATOR_FORMAT = "discriminator"
DISCRIMINATOR_VERSION = 1


@dataclass(frozen=True)
class Conversion:
    """What was done.

    Attributes:
        origin: Whose file the source is.
        format: That of the result.
        resolution: Of the generator's images, in pixels.
        digest: Of the network that was written.
        notes: What the user must know, sentences without a full stop.
    """

    origin: str
    format: Format
    resolution: int
    digest: str
    notes: tuple[str, ...]


def _read(path: Path, which: str) -> Checkpoint:
    """What the file holds. For "D" the generator beside it does not matter: any will do."""
    if which == "D":
        try:
            return read_checkpoint(path, "G_ema")
        except GeneratorError:
            return read_checkpoint(path, "G")
    return read_checkpoint(path, "G" if which == "G" else "G_ema")


def convert(
    source: str | Path,
    target: Path,
    *,
    rewrites: Sequence[tuple[Path, float]] = (),
    which: Which = "G_ema",
    to: Format | None = None,
) -> Conversion:
    """Read a generator from any file, apply rewrites, write it, and read it back to compare.

    Args:
        source: A bundled name or a file.
        target: Replaced whole or not at all.
        rewrites: As for `load_rewrites`; they belong to the generator in `source`.
        which: The network to take. "D" takes the discriminator alone, into a native file.
        to: The format to write; by default what the suffix of `target` says.

    Raises:
        RegenError: If the source cannot be read, a rewrite does not fit, the format has no room
            for the generator, or the target is the source or cannot be written.
    """
    path = generator_path(source)
    format = to or _format_of(target)
    _check_different(path, target)
    checkpoint = _read(path, which)
    generator, opponent = checkpoint.generator, checkpoint.discriminator
    if which == "D":
        if rewrites or format != "native" or opponent is None:
            raise _no_discriminator(path, bool(rewrites), format)
        digest = _write_discriminator(target, opponent)
        origin = checkpoint.origin.removesuffix(", G_ema").removesuffix(", G") + ", D"
        return Conversion(origin, format, opponent.config.resolution, digest, ())
    rewrite = load_rewrites(rewrites)
    if rewrite is not None:
        apply(generator, rewrite)
    origin = f"{checkpoint.origin} ({path.name})"
    notes = list(checkpoint.notes)
    if checkpoint.left_behind is not None:
        notes.append(f"the discriminator is left behind: {checkpoint.left_behind}")
    notes += write_checkpoint(target, generator, opponent, format, origin=origin)
    digest = generator.digest()
    if read_checkpoint(target).generator.digest() != digest:
        raise GeneratorError(
            f"{target} does not hold what was written to it", remedy="check the disk"
        )
    return Conversion(checkpoint.origin, format, generator.resolution, digest, tuple(notes))


def _format_of(target: Path) -> Format:
    suffix = target.suffix.lower()
    if suffix not in FORMATS:
        raise GeneratorError(
            f"{target}: suffix",
            got=suffix or "none",
            expected=", ".join(FORMATS),
            remedy="name the format with --to",
        )
    return FORMATS[suffix]


def _check_different(source: Path, target: Path) -> None:
    if os.path.realpath(source) == os.path.realpath(target) or (
        target.exists() and os.path.samefile(source, target)
    ):
        raise GeneratorError(
            f"{target} is the file to convert", remedy="choose another name for the result"
        )


def _no_discriminator(path: Path, rewrites: bool, format: Format) -> GeneratorError:
    if rewrites:
        return GeneratorError("a rewrite changes a generator", remedy="leave out --which D")
    if format != "native":
        return GeneratorError(
            "format of a discriminator alone", got=format, expected="native (.safetensors)"
        )
    return GeneratorError(f"{path} has no discriminator that can be kept")


def _write_discriminator(target: Path, discriminator: Discriminator) -> str:
    header = {
        "format": DISCRIMINATOR_FORMAT,
        "version": DISCRIMINATOR_VERSION,
        "family": "stylegan2",
        "architecture": discriminator.header(),
    }
    return str(tensor_file.save(target, discriminator.tensors, header)["digest"])
