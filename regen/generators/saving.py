"""Write an open generator into a file, for regen or another tool: one that was rewritten."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

from regen.errors import GeneratorError
from regen.generators.protocol import Generator
from regen.generators.registry import CheckpointWarning, family, format_for, write_checkpoint


def save_generator(generator: Generator, path: Path | str) -> None:
    """Write a generator, which `open_generator` opens again, in the format of the suffix.

    Args:
        generator: ``rewrite.applied_to(generator)`` for a rewritten one.
        path: Replaced whole or not at all. ``.safetensors`` is regen's own format; a StyleGAN2 can
            also become ``.pkl`` (NVIDIA's), ``.pt`` (rosinality's) or ``.onnx``. What its user must
            know of such a file is a `CheckpointWarning`.

    Raises:
        GeneratorError: If the family has no such format, the format cannot hold the generator, or
            the file is the one that the generator was opened from.
        StoreError: If the file cannot be written.
    """
    path, name = Path(path), generator.source_name
    if name and os.path.exists(path) and os.path.exists(name) and os.path.samefile(path, name):
        remedy = "choose another name"
        raise GeneratorError(
            f"{path} is the file that the generator was opened from", remedy=remedy
        )
    format = format_for(path, family(generator.family))
    origin = name or "a generator made in memory"
    for note in write_checkpoint(path, generator, None, format, origin=origin):
        warnings.warn(f"{path}: {note}", CheckpointWarning, stacklevel=2)
