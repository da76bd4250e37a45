"""regen's own generator file, of any family: safetensors with a JSON header, never a pickle.

The header names the family and its architecture. A discriminator may travel in the same file, its
tensors under ``discriminator.`` and its architecture in the header. Each of the two then has a
digest of its own in the header, so opening the generator reads nothing of its discriminator.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from regen.errors import GeneratorError, StoreError
from regen.files import tensor_file
from regen.files.tensor_header import damaged
from regen.files.tensor_parts import TensorParts, open_parts
from regen.generators.family import StoredDiscriminator

FORMAT = "generator"
DISCRIMINATOR_FORMAT = "discriminator"  # of a file that holds only a discriminator
VERSION = 1

TERMS = ("licence", "attribution", "consent", "data", "intended_use")
"""Entries of a card that hold for every copy of the weights, a rewritten one too."""

_PREFIX = "discriminator."
_DIGESTS = "digests"


class GeneratorFile:
    """A generator's file that is open.

    Attributes:
        path: Its name.
        header: Its header.
    """

    def __init__(self, parts: TensorParts) -> None:
        self._parts = parts
        self.path, self.header = Path(parts.path), parts.header

    @classmethod
    def of(cls, path: Path | str, file: FileIO) -> GeneratorFile:
        """A generator's file from an open `file`.

        Raises:
            StoreError: If it is damaged, or not a generator's.
        """
        return cls(TensorParts(path, file, format=FORMAT, version=VERSION))

    @property
    def discriminator(self) -> object:
        """Architecture of the discriminator in the file, None where there is none."""
        return self.header.get("discriminator")

    def generator_tensors(self) -> dict[str, Tensor]:
        """The generator's tensors by name, verified; mapped from the file, see `TensorParts`.

        Raises:
            StoreError: If they are damaged, or not those that were saved.
        """
        names = [name for name in self._parts.names if not name.startswith(_PREFIX)]
        return self._verified("generator", self._parts.read(names))

    def discriminator_tensors(self) -> dict[str, Tensor]:
        """The discriminator's tensors by name, verified; mapped from the file as well.

        Raises:
            StoreError: If they are damaged, or not those that were saved.
        """
        names = [name for name in self._parts.names if name.startswith(_PREFIX)]
        tensors = self._parts.read(names)
        plain = {name.removeprefix(_PREFIX): tensor for name, tensor in tensors.items()}
        return self._verified("discriminator", plain)

    def _verified(self, part: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        digests = self.header.get(_DIGESTS, {"generator": self.header.get("digest")})
        wanted = digests.get(part) if isinstance(digests, dict) else None
        if tensor_file.digest(tensors) != wanted:
            raise damaged(self.path, "its tensors are not those that were saved")
        return tensors


@contextmanager
def open_file(path: Path | str) -> Iterator[GeneratorFile]:
    """Open a generator's file for as long as its tensors are read.

    Raises:
        StoreError: If it is missing, damaged, or not a generator's.
    """
    with open_parts(path, format=FORMAT, version=VERSION) as parts:
        yield GeneratorFile(parts)


def terms_of(path: Path | str) -> dict[str, Any]:
    """The `TERMS` in the header of a generator's file; none where it is not one of regen's."""
    try:
        header = tensor_file.read_header(path, format=FORMAT, version=VERSION)
    except StoreError:
        return {}
    return {name: header[name] for name in TERMS if name in header}


def save_file(
    path: Path | str,
    tensors: Mapping[str, Tensor],
    *,
    family: str,
    architecture: Mapping[str, Any],
    card: Mapping[str, Any],
    half: bool = False,
    discriminator: StoredDiscriminator | None = None,
) -> None:
    """Write a generator, with the discriminator that belongs to it.

    Args:
        path: A ``.safetensors`` file; replaced whole or not at all.
        tensors: The generator's state, floating point, on any device; stored as float32.
        family: Its name.
        architecture: What the family builds the network from; JSON values.
        card: Header entries about it: provenance, licence, measures; JSON values only. The
            entries that loading needs cannot be replaced by it.
        half: Store float16. The digest of the loaded generator is then that of the rounded
            weights.
        discriminator: Its discriminator, if there is one to keep.

    Raises:
        GeneratorError: If a weight is too large for float16.
        StoreError: If the file cannot be written.
    """
    header = {**card, "format": FORMAT, "version": VERSION, "family": family}
    header["architecture"] = dict(architecture)
    stored = _in(torch.float16 if half else torch.float32, tensors)
    if discriminator is not None:
        judge = _in(torch.float16 if half else torch.float32, discriminator.tensors)
        header["discriminator"] = discriminator.header()
        header[_DIGESTS] = {
            "generator": tensor_file.digest(stored),
            "discriminator": tensor_file.digest(judge),
        }
        stored |= {f"{_PREFIX}{name}": tensor for name, tensor in judge.items()}
    if half:
        _check_finite(stored)
    tensor_file.save(path, stored, header)


def save_discriminator(path: Path | str, family: str, discriminator: StoredDiscriminator) -> str:
    """Write a discriminator alone.

    Returns:
        The digest of its tensors.

    Raises:
        StoreError: If the file cannot be written.
    """
    header = {
        "format": DISCRIMINATOR_FORMAT,
        "version": VERSION,
        "family": family,
        "architecture": discriminator.header(),
    }
    return str(tensor_file.save(path, discriminator.tensors, header)["digest"])


def _in(dtype: torch.dtype, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().to(dtype) for name, tensor in tensors.items()}


def _check_finite(tensors: Mapping[str, Tensor]) -> None:
    for name, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            raise GeneratorError(
                f"{name} has values that float16 cannot hold", remedy="save it without half"
            )
