"""Put a network together from what a file holds: an architecture in JSON, and tensors by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, TypeVar

import torch
from torch import Tensor

from regen.errors import GeneratorError
from regen.files import tensor_file
from regen.generators.native import GeneratorFile
from regen.generators.protocol import Generator

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

AnyGenerator = TypeVar("AnyGenerator", bound=Generator)
AnyConfig = TypeVar("AnyConfig", bound="DataclassInstance")
_MOST_SHOWN = 3


def with_tensors(
    generator: AnyGenerator, tensors: Mapping[str, Tensor], where: str
) -> AnyGenerator:
    """A generator with copies of these tensors, in float32 and eval mode, without gradients.

    Args:
        generator: With the names and shapes that are expected; on the device "meta" it costs
            nothing.
        tensors: By the generator's names.
        where: Begins the message of an error.

    Raises:
        StoreError: If names or shapes differ.
        GeneratorError: If a weight is not finite, as every image would be.
    """
    fitting = tensor_file.check_tensors(tensors, generator.state_dict(), where)
    odd = [name for name, tensor in fitting.items() if not torch.isfinite(tensor).all()]
    if odd:
        raise GeneratorError(
            f"{where}: weights",
            got=f"NaN or infinity in {', '.join(odd[:_MOST_SHOWN])}",
            expected="finite numbers",
            remedy="its training diverged or the file is damaged: take an earlier one",
        )
    copies = {name: tensor.detach().clone().contiguous() for name, tensor in fitting.items()}
    generator.load_state_dict(copies, assign=True)
    return generator.eval().requires_grad_(False)


def read_architecture(file: GeneratorFile, kind: type[AnyConfig]) -> AnyConfig:
    """The architecture in the header of an open file.

    Args:
        file: The file.
        kind: A dataclass that checks its fields, all of which the header must have.

    Raises:
        GeneratorError: If it is no such architecture.
    """
    where, architecture = f"{file.path}: architecture", file.header.get("architecture")
    if not isinstance(architecture, dict):
        raise GeneratorError(where, got=repr(architecture), expected="an object")
    known = {field.name for field in fields(kind)}
    if set(architecture) != known:
        odd = ", ".join(sorted(set(map(str, architecture)) ^ known))
        raise GeneratorError(where, got=f"missing or unknown {odd}")
    try:
        return kind(**architecture)
    except GeneratorError as error:
        raise GeneratorError(f"{where}: {error}", remedy="the file is damaged") from error


def check_names(
    got: Mapping[str, object], names: set[str], known: set[str], family: str, where: str
) -> dict[str, Tensor]:
    """The tensors of a foreign file, all that are needed and nothing that is unknown.

    Args:
        got: What the file has, by its own names.
        names: That are needed.
        known: Further names that may be there and are dropped.
        family: What the file is of, for the message.
        where: Begins the message.

    Raises:
        GeneratorError: Naming the first that are missing or unknown, or one that is no tensor.
    """
    odd = {"unknown": sorted(set(got) - names - known), "no": sorted(names - set(got))}
    if any(odd.values()):
        parts = [f"{kind} {_shown(names)}" for kind, names in odd.items() if names]
        raise GeneratorError(
            f"{where}: tensors of {family}",
            got="; ".join(parts),
            expected="those of the original network",
            remedy="the file is cut off, or of another network",
        )
    tensors = {}
    for name in names:
        tensor = got[name]
        if not isinstance(tensor, Tensor):
            kind = type(tensor).__name__
            raise GeneratorError(f"{where}: {name}", got=kind, expected="a tensor")
        tensors[name] = tensor
    return tensors


def _shown(names: list[str]) -> str:
    more = f" and {len(names) - _MOST_SHOWN} more" if len(names) > _MOST_SHOWN else ""
    return ", ".join(names[:_MOST_SHOWN]) + more
