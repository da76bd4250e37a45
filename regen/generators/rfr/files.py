"""An RFR network in regen's own file: its architecture in JSON, its tensors in a network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from regen.errors import GeneratorError
from regen.files import tensor_file
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
    config = _read_architecture(file.path, file.header.get("architecture"))
    return assemble(config, file.generator_tensors(), str(file.path))


def assemble(config: RFRConfig, tensors: Mapping[str, Tensor], where: str) -> Inpainter:
    """A generator with copies of these tensors, by regen's names.

    Raises:
        StoreError: If names or shapes differ from those of the architecture.
        GeneratorError: If a weight is not finite, as every image would be.
    """
    with torch.device("meta"):  # shapes only
        generator = Inpainter(config)
    fitting = tensor_file.check_tensors(tensors, generator.state_dict(), where)
    odd = [name for name, tensor in fitting.items() if not torch.isfinite(tensor).all()]
    if odd:
        raise GeneratorError(
            f"{where}: weights",
            got=f"NaN or infinity in {', '.join(odd[:3])}",
            expected="finite numbers",
            remedy="its training diverged or the file is damaged: take an earlier one",
        )
    copies = {name: tensor.detach().clone().contiguous() for name, tensor in fitting.items()}
    generator.load_state_dict(copies, assign=True)
    return generator.eval().requires_grad_(False)


def _read_architecture(path: Path, architecture: object) -> RFRConfig:
    where = f"{path}: architecture"
    if not isinstance(architecture, dict):
        raise GeneratorError(where, got=repr(architecture), expected="an object")
    known = {field.name for field in fields(RFRConfig)}
    if set(architecture) != known:
        odd = ", ".join(sorted(set(map(str, architecture)) ^ known))
        raise GeneratorError(where, got=f"missing or unknown {odd}")
    try:
        return RFRConfig(**architecture)
    except GeneratorError as error:
        raise GeneratorError(f"{where}: {error}", remedy="the file is damaged") from error
