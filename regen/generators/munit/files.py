"""A MUNIT network in regen's own file: its architecture in JSON, its tensors in a network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from regen.generators.assembling import read_architecture, with_tensors
from regen.generators.munit.config import MUNITConfig
from regen.generators.munit.generator import Translator
from regen.generators.native import GeneratorFile, save_file

_LICENCE = "original_licence"


def save_munit(
    path: Path | str, generator: Translator, *, card: Mapping[str, Any], half: bool = False
) -> None:
    """Write a generator. Arguments and errors are those of `native.save_file`.

    A licence that its weights came with is written into the header.
    """
    licence = {_LICENCE: generator.original_licence} if generator.original_licence else {}
    save_file(
        path,
        generator.state_dict(),
        family=generator.family,
        architecture=asdict(generator.config),
        card={**card, **licence},
        half=half,
    )


def read_generator(file: GeneratorFile) -> Translator:
    """The generator in a file that is open, in float32, eval mode, requiring no gradients.

    Raises:
        StoreError: If the file is damaged or its tensors are not those of its architecture.
        GeneratorError: If the architecture in the header is not a MUNIT's.
    """
    config = read_architecture(file, MUNITConfig)
    generator = assemble(config, file.generator_tensors(), str(file.path))
    generator.original_licence = str(file.header.get(_LICENCE, ""))
    return generator


def assemble(config: MUNITConfig, tensors: Mapping[str, Tensor], where: str) -> Translator:
    """A generator with copies of these tensors, by regen's names; errors of `with_tensors`."""
    with torch.device("meta"):  # shapes only
        generator = Translator(config)
    return with_tensors(generator, tensors, where)
