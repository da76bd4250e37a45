"""What the readers of both layouts share: sizes from names and shapes, and the way into regen's.

The architecture of a file is in its tensors: nothing has to be specified, so nothing can be
specified incorrectly.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

import torch
from torch import Tensor

from regen.errors import GeneratorError
from regen.generators.assembling import check_names
from regen.generators.munit.config import MUNITConfig
from regen.generators.munit.files import assemble
from regen.generators.munit.generator import Translator
from regen.generators.munit.naming import SHRUNK, tensor_names
from regen.generators.munit.network import MUNIT
from regen.unpickling import Instance

BACK = "b2a"  # the network that translates from b to a
NON_COMMERCIAL = "the licence of the original code and weights allows no commercial use"


def as_dict(value: object) -> Mapping[str, Any]:
    """What is in a dict, or in an object of an unpickled file; nothing for any other value."""
    if isinstance(value, Instance):
        value = value.state
    if not isinstance(value, Mapping):
        return {}
    return {name: item for name, item in value.items() if isinstance(name, str)}


def translating(
    halves: Mapping[str, Mapping[str, Any]], which: str, content: str
) -> tuple[dict[str, Any], str]:
    """What of two auto-encoders translates, and a sentence that says from where to where.

    Args:
        halves: Tensors by name of the auto-encoders "a" and "b".
        which: `BACK` for the translation from b to a, anything else for that from a to b.
        content: How names of a content encoder begin.

    Returns:
        The content encoder of the one, and all but that of the other.
    """
    one, other = "ba" if which == BACK else "ab"
    state = {name: item for name, item in halves[one].items() if name.startswith(content)}
    state |= {name: item for name, item in halves[other].items() if not name.startswith(content)}
    note = f"it is read as the translation from {one} to {other}"
    if which != BACK:
        note += f"; `regen convert --which {BACK}` takes that from b to a"
    return state, note


def size_of(state: Mapping[str, Any], name: str, axes: int, where: str) -> int:
    """The outputs of a layer: the first size of its weight.

    Raises:
        GeneratorError: If there is no such tensor of so many axes.
    """
    tensor = state.get(name)
    shape = list(tensor.shape) if isinstance(tensor, Tensor) else type(tensor).__name__
    if not isinstance(tensor, Tensor) or tensor.dim() != axes:
        raise GeneratorError(f"{where}: {name}", got=shape, expected=f"a weight of {axes} axes")
    return int(tensor.shape[0])


def numbers_in(state: Mapping[str, Any], pattern: str) -> set[int]:
    """The numbers that names of tensors have where `pattern` has a #."""
    found = (re.match(pattern.replace("#", r"(\d{1,6})"), name) for name in state)
    return {int(match[1]) for match in found if match}


def check_halvings(first_residual: Collection[int], where: str) -> None:
    """Raise GeneratorError unless residual blocks follow on two convolutions that halve."""
    before = min(first_residual, default=SHRUNK)
    if before != SHRUNK:
        raise GeneratorError(
            f"{where}: convolutions of the content encoder that halve the image",
            got=before - 1,
            expected=f"{SHRUNK - 1}",
            remedy="it was trained with another configuration, which regen does not support",
        )


def config_of(where: str, **fields: Any) -> MUNITConfig:
    """The architecture of these fields. Raises GeneratorError, naming the file, if it is none."""
    try:
        return MUNITConfig(**fields)
    except GeneratorError as error:
        raise GeneratorError(f"{where}: {error}") from error


def translator_of(
    config: MUNITConfig, state: Mapping[str, Any], known: set[str], licence: str, where: str
) -> Translator:
    """The generator of tensors by the original's names.

    Args:
        config: Its architecture.
        state: The tensors.
        known: Names that may be there and are not needed.
        licence: What may be done with its weights.
        where: Begins the message of an error.

    Raises:
        GeneratorError: If tensors are missing or unknown, or not finite.
        StoreError: If shapes contradict each other.
    """
    with torch.device("meta"):
        names = dict(tensor_names(MUNIT(config)))
    given = check_names(state, set(names), known, "MUNIT", where)
    tensors = {f"network.{own}": given[theirs] for theirs, own in names.items()}
    generator = assemble(config, tensors, where)
    generator.original_licence = licence
    return generator
