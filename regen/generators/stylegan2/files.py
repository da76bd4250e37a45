"""Our own file of a StyleGAN2: safetensors with the architecture in the header, never a pickle.

A discriminator may travel in the same file, its tensors under ``discriminator.`` and its
architecture in the header. Each of the two then has a digest of its own in the header, so opening
the generator reads nothing of its opponent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from regen.errors import GeneratorError, StoreError
from regen.files import tensor_file
from regen.generators.stylegan2.assemble import assemble
from regen.generators.stylegan2.config import StyleGAN2Config
from regen.generators.stylegan2.discriminator import Discriminator, read_discriminator_header
from regen.generators.stylegan2.generator import StyleGAN2

FORMAT = "generator"
VERSION = 1

_ADDED_LATER = {
    "num_fp16_res",
    "rgb_resample_taps",
}  # to the architecture; files made before do not have it
_OPPONENT = "discriminator."
_DIGESTS = "digests"


def save_stylegan2(
    path: Path | str,
    generator: StyleGAN2,
    *,
    card: Mapping[str, Any],
    half: bool = False,
    discriminator: Discriminator | None = None,
) -> None:
    """Write a generator, with the discriminator that belongs to it.

    Args:
        path: A ``.safetensors`` file; replaced whole or not at all.
        generator: What to write.
        card: Header entries about it: provenance, licence, measures; JSON values only. The
            entries that loading needs cannot be replaced by it.
        half: Store float16. The digest of the loaded generator is then that of the rounded
            weights.
        discriminator: Its opponent, if there is one to keep.

    Raises:
        GeneratorError: If a weight is too large for float16.
        StoreError: If the file cannot be written.
    """
    header = {
        **card,
        "format": FORMAT,
        "version": VERSION,
        "family": generator.family,
        "architecture": _architecture(generator.config),
    }
    dtype = torch.float16 if half else torch.float32
    tensors = {name: t.detach().to(dtype) for name, t in generator.state_dict().items()}
    if discriminator is not None:
        opponent = {n: t.detach().to(dtype) for n, t in discriminator.tensors.items()}
        digests = {
            "generator": tensor_file.digest(tensors),
            "discriminator": tensor_file.digest(opponent),
        }
        header |= {"discriminator": discriminator.header(), _DIGESTS: digests}
        tensors |= {f"{_OPPONENT}{name}": tensor for name, tensor in opponent.items()}
    if half:
        _check_finite(tensors)
    tensor_file.save(path, tensors, header)


def load_stylegan2(path: Path | str) -> StyleGAN2:
    """Read a generator, in float32, eval mode, requiring no gradients.

    A discriminator in the same file is not read.

    Raises:
        StoreError: If the file is damaged or its tensors are not those of its architecture.
        GeneratorError: If family or architecture in the header are not a StyleGAN2's.
    """
    header = tensor_file.read_header(path, format=FORMAT, version=VERSION)
    if header.get("family") != StyleGAN2.family:
        raise GeneratorError(f"{path}: family", got=header.get("family"), expected=StyleGAN2.family)
    config = _read_architecture(path, header.get("architecture"))
    return assemble(config, _read_part(path, header, "generator"), str(path), copy=True)


def load_discriminator(path: Path | str) -> Discriminator | None:
    """Read the discriminator that travels with a generator, None where there is none.

    Raises:
        StoreError: If the file is damaged or its tensors are not those of its architecture.
        GeneratorError: If the architecture in the header is no discriminator's.
    """
    header = tensor_file.read_header(path, format=FORMAT, version=VERSION)
    if "discriminator" not in header:
        return None
    config = read_discriminator_header(header["discriminator"], str(path))
    tensors = _read_part(path, header, "discriminator")
    return Discriminator.checked(config, {n: t.clone() for n, t in tensors.items()}, str(path))


def _architecture(config: StyleGAN2Config) -> dict[str, Any]:
    """Its fields; those that were added later only where they say something."""
    new = StyleGAN2Config()
    fields_ = asdict(config)
    return {
        name: value
        for name, value in fields_.items()
        if name not in _ADDED_LATER or value != getattr(new, name)
    }


def _read_part(path: Path | str, header: Mapping[str, Any], part: str) -> dict[str, Tensor]:
    """The tensors of generator or discriminator, verified but still in the file."""
    digests = header.get(_DIGESTS, {"generator": header.get("digest")})
    wanted = digests.get(part) if isinstance(digests, dict) else None
    try:
        with safe_open(path, framework="pt") as file:
            names = file.keys()
            names = [n for n in names if n.startswith(_OPPONENT) == (part != "generator")]
            tensors = {name.removeprefix(_OPPONENT): file.get_tensor(name) for name in names}
    except (SafetensorError, OSError, ValueError, KeyError) as error:
        raise _damaged(path, str(error)[:200]) from error
    if tensor_file.digest(tensors) != wanted:
        raise _damaged(path, "its tensors are not those that were saved")
    return tensors


def _damaged(path: Path | str, why: str) -> StoreError:
    return StoreError(f"{path} is damaged: {why}", remedy="make the file again or copy it again")


def _read_architecture(path: Path | str, architecture: object) -> StyleGAN2Config:
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


def _check_finite(tensors: Mapping[str, Tensor]) -> None:
    for name, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            raise GeneratorError(
                f"{name} has values that float16 cannot hold", remedy="save it without half"
            )
