"""Our own file of a StyleGAN2: safetensors with the architecture in the header, never a pickle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import torch

from regen import store
from regen.errors import GeneratorError
from regen.generators.stylegan2.network import StyleGAN2Config
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
        card: Header entries about it: provenance, licence, measures; JSON values only.
        half: Store float16. The digest of the generator is then that of the rounded weights.

    Raises:
        StoreError: If the file cannot be written.
    """
    header = {
        "format": FORMAT,
        "version": VERSION,
        "family": generator.family,
        "architecture": asdict(generator.config),
        **card,
    }
    dtype = torch.float16 if half else torch.float32
    tensors = {name: t.detach().to(dtype) for name, t in generator.state_dict().items()}
    store.save(path, tensors, header)


def load_stylegan2(path: Path | str) -> StyleGAN2:
    """Read a generator, in float32, eval mode, requiring no gradients.

    Raises:
        StoreError: If the file is damaged or its tensors are not those of its architecture.
        GeneratorError: If the architecture in the header is not a StyleGAN2's.
    """
    stored = store.load(path, format=FORMAT, version=VERSION)
    header = stored.header
    family, architecture = header.get("family"), header.get("architecture")
    if family != "stylegan2" or not isinstance(architecture, dict):
        raise GeneratorError(f"{path}: family", got=family, expected="stylegan2")
    known = {field.name for field in fields(StyleGAN2Config)}
    if set(architecture) != known:
        odd = ", ".join(sorted(set(architecture) ^ known))
        raise GeneratorError(f"{path}: architecture", got=f"missing or unknown {odd}")
    try:
        config = StyleGAN2Config(**architecture)
    except TypeError as error:
        raise GeneratorError(f"{path}: architecture", got=str(error)) from error
    generator = StyleGAN2(config)
    store.check_tensors(stored.tensors, generator.state_dict(), str(path))
    generator.load_state_dict({name: t.float() for name, t in stored.tensors.items()})
    return generator.eval().requires_grad_(False)
