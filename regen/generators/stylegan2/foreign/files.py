"""Any file that holds a StyleGAN2, told apart by its content and never by its name.

    native       safetensors of regen's
    nvidia       pickles of NVIDIA's torch code, and of its TensorFlow code (which are only read)
    rosinality   checkpoints of rosinality's stylegan2-pytorch

Pickles are programs; they are read by `regen.unpickling`, which runs nothing. A native file opens
faster, and is checked against a digest.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from regen.errors import GeneratorError, StoreError, UnpicklingError
from regen.files import tensor_file
from regen.generators.stylegan2.discriminator import Discriminator
from regen.generators.stylegan2.files import load_discriminator, load_stylegan2, save_stylegan2
from regen.generators.stylegan2.foreign.discriminator_alone import (
    is_discriminator_alone,
    refuse_discriminator_alone,
)
from regen.generators.stylegan2.foreign.nvidia import (
    is_nvidia,
    is_nvidia_state,
    read_nvidia,
    read_nvidia_state,
)
from regen.generators.stylegan2.foreign.nvidia_writer import write_nvidia
from regen.generators.stylegan2.foreign.rebuild import Checkpoint
from regen.generators.stylegan2.foreign.rosinality import (
    is_rosinality,
    read_rosinality,
    write_rosinality,
)
from regen.generators.stylegan2.foreign.tensorflow import is_tensorflow, read_tensorflow
from regen.generators.stylegan2.generator import StyleGAN2
from regen.unpickling import read_pickle, read_torch_file, sniff

Format = Literal["native", "nvidia", "rosinality"]
FORMATS: dict[str, Format] = {".safetensors": "native", ".pkl": "nvidia", ".pt": "rosinality"}
GENERATORS = ("G_ema", "G")
KNOWN_FILES = (
    "stylegan2-ada-pytorch, stylegan3, stylegan2 (TensorFlow) or rosinality's stylegan2-pytorch"
)

_Reader = Callable[[object, str, str], Checkpoint]
_READERS: tuple[tuple[Callable[[object], bool], _Reader], ...] = (
    (is_nvidia, read_nvidia),
    (is_tensorflow, read_tensorflow),
    (is_rosinality, read_rosinality),
    (is_nvidia_state, read_nvidia_state),
    (is_discriminator_alone, refuse_discriminator_alone),
)
_VALUES: dict[str, Callable[[Path | str], object]] = {
    "pickle": read_pickle,
    "torch": read_torch_file,
    "safetensors": tensor_file.load_foreign,
}


def is_foreign(path: Path | str) -> bool:
    """Whether the content of a file is a pickle, a file of torch's, or tensors of another tool."""
    try:
        format = sniff(path)
        return format in ("pickle", "torch") or (
            format == "safetensors" and not tensor_file.is_ours(path)
        )
    except (UnpicklingError, StoreError):  # missing or damaged: the reader of our own files says so
        return False


def read_checkpoint(path: Path | str, which: str = "G_ema") -> Checkpoint:
    """Read a generator, and the discriminator beside it, from a file of any of the formats.

    Args:
        path: The file.
        which: "G_ema", the average over training that all tools draw with, or "G".

    Raises:
        UnpicklingError: If a pickle is damaged, or names what no such checkpoint needs.
        GeneratorError: If there is no such generator, or it is none that ours can be.
        StoreError: If a file of ours is damaged, or shapes contradict each other.
    """
    if which not in GENERATORS:
        raise GeneratorError("which network", got=which, expected=" or ".join(GENERATORS))
    if not is_foreign(path):
        if which != "G_ema":
            raise GeneratorError(f"{path}: network", got=which, expected="G_ema, its only one")
        return Checkpoint(load_stylegan2(path), load_discriminator(path), "regen's own file")
    value = _VALUES[sniff(path)](path)
    for fits, read in _READERS:
        if fits(value):
            return read(value, which, str(path))
    raise GeneratorError(
        f"{path} holds no StyleGAN2 generator",
        expected=f"a file of {KNOWN_FILES}",
    )


def write_checkpoint(
    path: Path | str,
    generator: StyleGAN2,
    discriminator: Discriminator | None,
    format: Format,
    *,
    origin: str,
) -> list[str]:
    """Write a generator, and the discriminator beside it, in one of the formats.

    Args:
        path: Replaced whole or not at all.
        generator: On any device.
        discriminator: Or None.
        format: One of `FORMATS`.
        origin: Where it comes from, for the header of a native file.

    Returns:
        What its user must know, sentences without a full stop.

    Raises:
        GeneratorError: If the format has no room for such a generator.
        StoreError: If the file cannot be written.
    """
    if format == "nvidia":
        return write_nvidia(path, generator, discriminator)
    if format == "rosinality":
        return write_rosinality(path, generator, discriminator)
    card = {"provenance": f"converted from: {origin}"}
    save_stylegan2(path, generator, card=card, discriminator=discriminator)
    return []
