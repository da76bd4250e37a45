"""Read a generator out of a pickle of NVIDIA's TensorFlow code (StyleGAN2 and StyleGAN2-ADA).

Such a file is a tuple (G, D, Gs) of `dnnlib.tflib.network.Network`, each with its variables by
name, the arguments it was built with, and, for a generator, two parts: mapping and synthesis.
Configurations e and f can be rebuilt, and ADA's class-conditional networks. Configurations a to d
have no skip connections; StyleGAN2's own class-conditional mapping normalises z and label together,
which ours does not: both are refused, saying so.

Names and formulas are facts of the public repositories NVlabs/stylegan2 and NVlabs/stylegan2-ada;
nothing here is their code, and none of the code in a pickle is used.

Letters: r resolution.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from regen.errors import GeneratorError
from regen.files.budget import LARGEST_CHANNEL_BASE
from regen.generators.family import Checkpoint
from regen.generators.stylegan2.discriminator import Discriminator
from regen.generators.stylegan2.foreign.architecture import Unshaped
from regen.generators.stylegan2.foreign.modules import as_dict, as_integer, as_number, as_text
from regen.generators.stylegan2.foreign.naming import Kind, Row, from_tensorflow, generator_rows
from regen.generators.stylegan2.foreign.rebuild import (
    collect,
    only_a_discriminator,
    readable,
    rebuild,
)
from regen.generators.stylegan2.foreign.tensorflow_discriminator import (
    read_discriminator,
    resample_kernel,
)
from regen.unpickling import Instance

_NETWORK = "dnnlib.tflib.network.Network"
_ORDER = ("G", "D", "G_ema")  # of the tuple; the last is called Gs there
_EXTRA_RANK: dict[Kind, int] = {"constant": 1, "noise": 2}
_LARGEST_BLOCK = re.compile(r"synthesis/(\d{1,5})x\1/Conv0_up/weight")
_DEEPEST = 4  # parts within parts; a generator has 1


def is_tensorflow(value: object) -> bool:
    """Whether an unpickled value is NVIDIA's tuple of TensorFlow networks, or one of them."""
    if isinstance(value, (tuple, list)):
        return len(value) == len(_ORDER) and all(map(_is_network, value))
    return _is_network(value)


def read_tensorflow(value: Any, which: str, where: str) -> Checkpoint:
    """The generator `which`, and the discriminator beside it.

    Args:
        value: For which `is_tensorflow` holds.
        which: "G_ema" (called Gs there) or "G"; without meaning for a network alone.
        where: Begins the message of an error.

    Raises:
        GeneratorError: If it cannot be one of ours.
        StoreError: If shapes contradict each other.
    """
    if _is_network(value):
        networks: dict[str, Any] = {which: value}
    else:
        networks = dict(zip(_ORDER, value, strict=True))
    network = networks[which]
    variables = dict(_variables(network, "", 0, where))
    arguments = _arguments(network)
    top = _resolution(variables, arguments, where)
    _check_form(variables, arguments, where)
    depth = sum(f"mapping/Dense{i}/weight" in variables for i in range(len(variables)))
    if depth == 0:
        raise GeneratorError(f"{where}: mapping network", got="no layers", expected="at least 1")
    rows = generator_rows(top, depth, "mapping/LabelEmbed/weight" in variables)
    collected = collect(
        rows, variables, _name, where, layout=from_tensorflow, extra_rank=_EXTRA_RANK
    )
    generator, notes = rebuild(collected, _unshaped(arguments, where), where)
    found, why = None, None
    if "D" in networks:
        found, why = readable(lambda: _read_discriminator(networks["D"], where))
    origin = f"TensorFlow pickle of NVIDIA's, {'Gs' if which == 'G_ema' else which}"
    return Checkpoint(generator, found, origin, tuple(notes), why)


def _is_network(value: object) -> bool:
    return isinstance(value, Instance) and value.global_name == _NETWORK


def _name(row: Row) -> str:
    return row.tensorflow


def _read_discriminator(network: object, where: str) -> Discriminator:
    return read_discriminator(
        dict(_variables(network, "", 0, where)),
        as_dict(as_dict(network).get("static_kwargs")),
        where,
    )


def _variables(
    network: object, prefix: str, depth: int, where: str
) -> Iterator[tuple[str, Tensor]]:
    """Variables of a network and its parts, named "synthesis/4x4/Conv/weight"."""
    if depth > _DEEPEST:
        raise GeneratorError(f"{where}: networks nested deeper than {_DEEPEST}")
    state = as_dict(network)
    own = state.get("variables")
    for entry in own if isinstance(own, list) else []:
        if isinstance(entry, (tuple, list)) and len(entry) == 2 and isinstance(entry[0], str):
            tensor = _tensor(entry[1])
            if tensor is not None:
                yield f"{prefix}{entry[0]}", tensor
    for name, part in as_dict(state.get("components")).items():
        yield from _variables(part, f"{prefix}{name}/", depth + 1, where)


def _tensor(value: object) -> Tensor | None:
    """A numpy array or number as a float32 tensor, None for anything else."""
    if isinstance(value, Tensor):
        return value
    if not isinstance(value, (np.ndarray, np.generic, float, int)):
        return None
    array = np.asarray(value)
    if array.dtype.kind not in "fiu":
        return None
    with np.errstate(over="ignore", invalid="ignore"):  # what is infinite is refused later
        array = np.require(array, dtype=np.float32, requirements="W")
    return torch.from_numpy(array)


def _arguments(network: object) -> Mapping[str, Any]:
    """What the network was built with, its parts' arguments included."""
    state = as_dict(network)
    parts = as_dict(state.get("components")).values()
    merged: dict[str, Any] = {}
    for part in (*parts, network):
        merged |= as_dict(as_dict(part).get("static_kwargs"))
    return merged


def _resolution(variables: Mapping[str, Tensor], arguments: Mapping[str, Any], where: str) -> int:
    if "Output/weight" in variables:
        raise only_a_discriminator(where)
    matches = map(_LARGEST_BLOCK.fullmatch, variables)
    sides = [int(match[1]) for match in matches if match]
    if not sides or max(sides) & (max(sides) - 1):
        raise GeneratorError(
            f"{where} is not a StyleGAN2 generator",
            remedy="StyleGAN1 and configuration a are other networks",
        )
    return max(sides)


def _check_form(variables: Mapping[str, Tensor], arguments: Mapping[str, Any], where: str) -> None:
    form = as_text(arguments.get("architecture", "skip"))
    if any("/ToRGB_lod" in name for name in variables):
        form = "orig"
    if form != "skip":
        raise GeneratorError(
            f"{where}: architecture of the generator",
            got=form,
            expected="skip",
            remedy="configurations a to d have no skip connections" if form == "orig" else None,
        )
    if "mapping/LabelConcat/weight" in variables:
        raise GeneratorError(
            f"{where}: class-conditional mapping",
            got="StyleGAN2's, which normalises z and label together",
            expected="ADA's",
        )
    for name in ("nonlinearity", "mapping_nonlinearity"):
        if (got := as_text(arguments.get(name, "lrelu"))) != "lrelu":
            raise GeneratorError(f"{where}: {name}", got=got, expected="lrelu")
    if arguments.get("normalize_latents", True) is not True:
        raise GeneratorError(f"{where}: normalize_latents", got="not True", expected="True")


def _unshaped(arguments: Mapping[str, Any], where: str) -> Unshaped:
    base = as_number(arguments.get("fmap_base")) or 0
    return Unshaped(
        conv_clamp=as_number(arguments.get("conv_clamp")),
        mapping_lr_multiplier=as_number(arguments.get("mapping_lrmul")) or 0.01,
        resample_filter=resample_kernel(arguments, where),
        rgb_filter=resample_kernel(arguments, where),
        # Counted from 2x2 there, not from 1.
        channel_base=int(2 * base) if 0 < base <= LARGEST_CHANNEL_BASE else None,
        num_fp16_res=as_integer(arguments.get("num_fp16_res")) or 0,
        z_dim=as_integer(arguments.get("latent_size")),
        label_dim=as_integer(arguments.get("label_size")),
    )
