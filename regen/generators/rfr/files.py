"""An RFR network in regen's own file: its architecture in JSON, its tensors in a network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from regen.generators.assembling import read_architecture, with_tensors
from regen.generators.native import GeneratorFile, save_file
from regen.generators.rfr.config import RFRConfig
from regen.generators.rfr.generator import Inpainter


def save_rfr(
    path: Path | str, generator: Inpainter, *, card: Mapping[str, Any], half: bool = False
) -> None:
    """Write a generator. Arguments and errors are those of `native.save_file`."""
    save_file(
        path,
        generator.state_dict(),
        family=generator.family,
        architecture=asdict(generator.config),
        card=card,
        half=half,
    )


def read_generator(file: GeneratorFile) -> Inpainter:
    """The generator in a file that is open, in float32, eval mode, requiring no gradients.

    Raises:
        StoreError: If the file is damaged or its tensors are not those of its architecture.
        GeneratorError: If the architecture in the header is not an RFR's.
    """
    config = read_architecture(file, RFRConfig)
    return assemble(config, file.generator_tensors(), str(file.path))


def assemble(config: RFRConfig, tensors: Mapping[str, Tensor], where: str) -> Inpainter:
    """A generator with copies of these tensors, by regen's names; errors of `with_tensors`."""
    with torch.device("meta"):  # shapes only
        generator = Inpainter(config)
    return with_tensors(generator, tensors, where)
