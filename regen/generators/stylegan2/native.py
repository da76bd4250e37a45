"""Our own file of a StyleGAN2: safetensors with the architecture in the header, never a pickle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from regen import store
from regen.errors import GeneratorError
from regen.generators.stylegan2.config import StyleGAN2Config
from regen.generators.stylegan2.split import StyleGAN2

FORMAT = "generator"
VERSION = 1


def save_stylegan2(
    path: Path | str, generator: StyleGAN2, *, card: Mapping[str, Any], half: bool = False
) -> None:
    """Write a generator.

    Args:
        path: A ``.safetensors`` file; replaced whole or not at all.
        generator: What to write.
        card: Header entries about it: provenance, licence, measures; JSON values only. The
            entries that loading needs cannot be replaced by it.
        half: Store float16. The digest of the loaded generator is then that of the rounded
            weights.

    Raises:
        GeneratorError: If a weight is too large for float16.
        StoreError: If the file cannot be written.
    """
    header = {
        **card,
        "format": FORMAT,
        "version": VERSION,
        "family": generator.family,
        "architecture": asdict(generator.config),
    }
    dtype = torch.float16 if half else torch.float32
    tensors = {name: t.detach().to(dtype) for name, t in generator.state_dict().items()}
    if half:
        _check_finite(tensors)
    store.save(path, tensors, header)


def load_stylegan2(path: Path | str) -> StyleGAN2:
    """Read a generator, in float32, eval mode, requiring no gradients.

    Raises:
        StoreError: If the file is damaged or its tensors are not those of its architecture.
        GeneratorError: If family or architecture in the header are not a StyleGAN2's.
    """
    stored = store.load(path, format=FORMAT, version=VERSION)
    header = stored.header
    if header.get("family") != StyleGAN2.family:
        raise GeneratorError(f"{path}: family", got=header.get("family"), expected=StyleGAN2.family)
    config = _read_architecture(path, header.get("architecture"))
    with torch.device("meta"):  # shapes only: nothing is drawn or allocated before they are checked
        generator = StyleGAN2(config)
    tensors = store.check_tensors(stored.tensors, generator.state_dict(), str(path))
    generator.to_empty(device="cpu").load_state_dict(tensors)
    return generator.eval().requires_grad_(False)


def _read_architecture(path: Path | str, architecture: object) -> StyleGAN2Config:
    where = f"{path}: architecture"
    if not isinstance(architecture, dict):
        raise GeneratorError(where, got=repr(architecture), expected="an object")
    known = {field.name for field in fields(StyleGAN2Config)}
    if set(architecture) != known:
        odd = ", ".join(sorted(set(architecture) ^ known))
        raise GeneratorError(where, got=f"missing or unknown {odd}")
    try:
        return StyleGAN2Config(**architecture)
    except GeneratorError as error:
        raise GeneratorError(f"{where}: {error}", remedy="the file is damaged") from error


def _check_finite(tensors: Mapping[str, Tensor]) -> None:
    for name, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            raise GeneratorError(
                f"{name} has values that float16 cannot hold", remedy="save it without half"
            )
