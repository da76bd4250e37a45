"""Write an open generator into a file, for regen or another tool: one that was rewritten."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

from regen.errors import GeneratorError
from regen.files.paths import checked_path
from regen.generators.native import terms_of
from regen.generators.protocol import Generator, checked_open
from regen.generators.registry import (
    CheckpointWarning,
    family,
    format_for,
    generator_path,
    write_checkpoint,
)


def save_generator(generator: Generator, path: Path | str) -> None:
    """Write a generator, which `open_generator` opens again, in the format of the suffix.

    Args:
        generator: ``rewrite.applied_to(generator)`` for a rewritten one.
        path: Replaced whole or not at all. ``.safetensors`` is regen's own format; a StyleGAN2 can
            also become ``.pkl`` (NVIDIA's), ``.pt`` (rosinality's) or ``.onnx``. What its user must
            know of such a file is a `CheckpointWarning`.

    Raises:
        GeneratorError: If it is a name instead, the family has no such format, the format cannot
            hold the generator, or the file is the one that the generator was opened from.
        StoreError: If the file cannot be written.
    """
    expected = "a path, after the generator"
    path = Path(checked_path(path, GeneratorError, "path to save to", expected=expected))
    name = checked_open(generator).source_name
    if name and os.path.exists(path) and os.path.exists(name) and os.path.samefile(path, name):
        remedy = "choose another name"
        raise GeneratorError(
            f"{path} is the file that the generator was opened from", remedy=remedy
        )
    format = format_for(path, family(generator.family))
    origin = f"{name}, as it was in memory" if name else "a generator made in memory"
    notes = write_checkpoint(path, generator, None, format, origin=origin, terms=_terms(name))
    for note in notes:
        warnings.warn(f"{path}: {note}", CheckpointWarning, stacklevel=2)


def _terms(name: str) -> dict[str, Any]:
    """What the file says that a generator was opened from; nothing if it is there no longer."""
    try:
        return terms_of(generator_path(name)) if name else {}
    except GeneratorError:
        return {}
