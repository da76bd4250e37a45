"""A StyleGAN2 in regen's own file: its architecture to and from JSON, its tensors to a network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from regen.errors import GeneratorError
from regen.generators.native import GeneratorFile, open_file, save_file
from regen.generators.stylegan2.assemble import assemble
from regen.generators.stylegan2.config import StyleGAN2Config
from regen.generators.stylegan2.discriminator import Discriminator, read_discriminator_header
from regen.generators.stylegan2.generator import StyleGAN2

_ADDED_LATER = {"num_fp16_res", "rgb_resample_taps"}  # to the architecture; older files lack them


def save_stylegan2(
    path: Path | str,
    generator: StyleGAN2,
    *,
    card: Mapping[str, Any],
    half: bool = False,
    discriminator: Discriminator | None = None,
) -> None:
    """Write a generator. Arguments and errors are those of `native.save_file`."""
    save_file(
        path,
        generator.state_dict(),
        family=generator.family,
        architecture=_architecture(generator.config),
        card=card,
        half=half,
        discriminator=discriminator,
    )


def load_stylegan2(path: Path | str) -> StyleGAN2:
    """Read a generator, in float32, eval mode, requiring no gradients.

    A discriminator in the same file is not read.

    Raises:
        StoreError: If the file is damaged or its tensors are not those of its architecture.
        GeneratorError: If family or architecture in the header are not a StyleGAN2's.
    """
    with open_file(path) as file:
        return read_generator(file)


def load_discriminator(path: Path | str) -> Discriminator | None:
    """Read the discriminator that travels with a generator, None where there is none.

    Raises:
        StoreError: If the file is damaged or its tensors are not those of its architecture.
        GeneratorError: If the architecture in the header is not a discriminator's.
    """
    with open_file(path) as file:
        return read_discriminator(file)


def read_generator(file: GeneratorFile) -> StyleGAN2:
    """The generator in a file that is open, as `load_stylegan2`."""
    family = file.header.get("family")
    if family != StyleGAN2.family:
        raise GeneratorError(f"{file.path}: family", got=family, expected=StyleGAN2.family)
    config = _read_architecture(file.path, file.header.get("architecture"))
    return assemble(config, file.generator_tensors(), str(file.path), copy=True)


def read_discriminator(file: GeneratorFile) -> Discriminator | None:
    """The discriminator in a file that is open, as `load_discriminator`."""
    if file.discriminator is None:
        return None
    config = read_discriminator_header(file.discriminator, str(file.path))
    tensors = {name: tensor.clone() for name, tensor in file.discriminator_tensors().items()}
    return Discriminator.checked(config, tensors, str(file.path))


def _architecture(config: StyleGAN2Config) -> dict[str, Any]:
    """Its fields; those that were added later only where they say something."""
    new = StyleGAN2Config()
    return {
        name: value
        for name, value in asdict(config).items()
        if name not in _ADDED_LATER or value != getattr(new, name)
    }


def _read_architecture(path: Path, architecture: object) -> StyleGAN2Config:
    where = f"{path}: architecture"
    if not isinstance(architecture, dict):
        raise GeneratorError(where, got=repr(architecture), expected="an object")
    known = {field.name for field in fields(StyleGAN2Config)}
    if not known - _ADDED_LATER <= set(architecture) <= known:
        odd = ", ".join(sorted((set(architecture) ^ known) - _ADDED_LATER))
        raise GeneratorError(where, got=f"missing or unknown {odd}")
    try:
        return StyleGAN2Config(**architecture)
    except GeneratorError as error:
        raise GeneratorError(f"{where}: {error}", remedy="the file is damaged") from error
