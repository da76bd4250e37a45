"""Read the checkpoints of the improved MUNIT (2021), of imaginaire.

Such a file is what ``torch.save`` made of a dict, whose ``net_G`` holds the tensors by name: those
in training under ``module.module.``, and their average under ``module.averaged_model.``, each of
two auto-encoders, ``autoencoder_a.`` and ``autoencoder_b.``. What translates from a to b is the
content encoder of a and all else of b; from b to a, it is the rest.

Weights of convolutions in training have a spectral norm (Miyato et al. 2018): the file has the
weight before it and two vectors u and v, from which the weight is ``W / (u W v)``. In the average
it is applied already.

Facts of the public repository NVlabs/imaginaire; nothing here is its code.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from regen.errors import GeneratorError
from regen.generators.family import Checkpoint
from regen.generators.munit.config import MUNITConfig
from regen.generators.munit.reading import (
    BACK,
    NON_COMMERCIAL,
    as_dict,
    check_halvings,
    config_of,
    numbers_in,
    size_of,
    translating,
    translator_of,
)

LICENCE = "NVIDIA source code licence, as the code of NVlabs/imaginaire: not for commercial use"
_ROOMS = ("net_G", "")  # where a state is, the file itself last
_NAME = re.compile(r"(.{0,200}?)autoencoder_([ab])\.(.+)", re.DOTALL)
_AVERAGE = "averaged_model."
_CONTENT = "content_encoder."
_MARKER = "content_encoder.model.0.layers.conv.weight"
_BEFORE, _VECTORS = ".weight_orig", (".weight_u", ".weight_v")

Halves = Mapping[str, Mapping[str, Any]]


def read_improved(value: object, which: str, where: str) -> Checkpoint | None:
    """The generator in an unpickled value, None where there is none of 2021.

    Args:
        value: As `regen.unpickling` read it, or tensors by name.
        which: "G_ema" for the average, "G" for the network in training, both from a to b; "b2a" for
            the average from b to a.
        where: Begins the message of an error.

    Raises:
        GeneratorError: If it is one that cannot be read, or has no such network.
        StoreError: If shapes contradict each other.
    """
    networks = _networks(value)
    if networks is None:
        return None
    average, training = (_halves(networks, average=average) for average in (True, False))
    if which == "G" and training is None:
        expected = f"G_ema, or {BACK} for the translation from b to a"
        raise GeneratorError(f"{where}: network", got=which, expected=expected)
    halves = training if which == "G" or average is None else average
    assert halves is not None  # there is at least one
    state, direction = translating(halves, which, _CONTENT)
    notes = [direction, NON_COMMERCIAL]
    if which != "G" and average is None:
        notes.insert(0, "it has no average over its training; the network in training is taken")
    state = folded(state, where)
    generator = translator_of(_config(state, where), state, set(), LICENCE, where)
    notes.insert(0, f"the size of images is not in the file; {generator.config.size} is taken")
    return Checkpoint(
        generator, None, f"checkpoint of improved MUNIT (2021), {which}", tuple(notes)
    )


def folded(state: Mapping[str, Any], where: str) -> dict[str, Any]:
    """A state whose convolutions have the weights that they compute with.

    Args:
        state: Tensors by name.
        where: Begins the message of an error.

    Raises:
        GeneratorError: If a spectral norm lacks its vectors, or is not above 0.
    """
    result = {}
    for name, item in state.items():
        if name.endswith(_BEFORE):
            layer = name.removesuffix(_BEFORE)
            vectors = [state.get(f"{layer}{vector}") for vector in _VECTORS]
            result[f"{layer}.weight"] = _divided(item, *vectors, where=f"{where}: {name}")
        elif not name.endswith(_VECTORS):
            result[name] = item
    return result


def _divided(weight: object, u: object, v: object, *, where: str) -> Tensor:
    """``W / (u W v)``."""
    tensors = [t for t in (weight, u, v) if isinstance(t, Tensor) and t.is_floating_point()]
    shapes = [list(tensor.shape) for tensor in tensors]
    if len(tensors) < 3 or tensors[0].dim() < 2 or not tensors[0].numel():
        raise GeneratorError(where, got=f"shapes {shapes}", expected="a weight, u and v")
    before, left, right = (tensor.float() for tensor in tensors)
    matrix = before.flatten(1)
    if [left.shape, right.shape] != [matrix.shape[:1], matrix.shape[1:]]:
        raise GeneratorError(where, got=f"shapes {shapes}", expected="a weight, u and v that fit")
    norm = left @ (matrix @ right)
    if not bool(norm.isfinite() and norm > 0):
        raise GeneratorError(f"{where}: spectral norm", got=float(norm), expected="more than 0")
    return before / norm


def _networks(value: object) -> dict[str, dict[str, dict[str, Any]]] | None:
    """Networks by the beginning of their names: the tensors of their halves a and b."""
    content = as_dict(value)
    for room in _ROOMS:
        found: dict[str, dict[str, dict[str, Any]]] = {}
        for name, item in (as_dict(content.get(room)) if room else content).items():
            match = _NAME.fullmatch(name)
            if match:
                halves = found.setdefault(match[1], {"a": {}, "b": {}})
                halves[match[2]][match[3]] = item
        if found:
            return found
    return None


def _halves(networks: Mapping[str, Halves], *, average: bool) -> Halves | None:
    fitting = [halves for start, halves in networks.items() if (_AVERAGE in start) is average]
    return fitting[0] if fitting else None


def _config(state: Mapping[str, Any], where: str) -> MUNITConfig:
    check_halvings(numbers_in(state, r"content_encoder\.model\.#\.conv_block_"), where)
    return config_of(
        where,
        layout="2021",
        width=size_of(state, _MARKER, 4, where),
        blocks=len(numbers_in(state, r"decoder\.decoder\.#\.conv_block_")),
        style=size_of(state, "style_encoder.model.6.weight", 4, where),
        mapping=size_of(state, "mlp.model.0.layers.conv.weight", 2, where),
    )
