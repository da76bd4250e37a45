"""Read and write the generators of the first MUNIT (2018), ``gen_XXXXXXXX.pt``.

Such a file is what ``torch.save`` made of ``{"a": ..., "b": ...}``, the tensors by name of two
auto-encoders. What translates from a to b is the content encoder of a and all else of b; from b to
a, it is the rest. One of the two is read, and the other is not kept. Beside the networks, regen
writes the size of images and the licence of the weights under ``regen``, which the original code
ignores.

Facts of the public repository NVlabs/MUNIT; nothing here is its code.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from regen.errors import GeneratorError
from regen.files.atomic import write_bytes
from regen.generators.family import Checkpoint
from regen.generators.munit.config import MUNITConfig
from regen.generators.munit.generator import Translator
from regen.generators.munit.naming import tensor_names
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

LICENCE = "CC BY-NC-SA 4.0, as the code of NVlabs/MUNIT: not for commercial use"
_MARKER = "enc_content.model.0.conv.weight"
_CONTENT = "enc_content."
_LONGEST_LICENCE = 200
_DROPPED = (".running_mean", ".running_var", ".num_batches_tracked")


def read_original(value: object, which: str, where: str) -> Checkpoint | None:
    """The generator in an unpickled value, None where there is none of 2018.

    Args:
        value: As `regen.unpickling` read it.
        which: "G_ema" for the translation from a to b, "b2a" for that from b to a.
        where: Begins the message of an error.

    Raises:
        GeneratorError: If it is one that cannot be read.
        StoreError: If shapes contradict each other.
    """
    content = as_dict(value)
    a, b = (as_dict(content.get(half)) for half in "ab")
    if _MARKER not in a or _MARKER not in b:
        return None
    if which == "G":
        expected = f"G_ema, or {BACK} for the translation from b to a"
        raise GeneratorError(f"{where}: network", got=which, expected=expected)
    state, direction = translating({"a": a, "b": b}, which, _CONTENT)
    state = {name: tensor for name, tensor in state.items() if not name.endswith(_DROPPED)}
    beside = as_dict(content.get("regen"))
    licence = str(beside.get("licence", LICENCE))[:_LONGEST_LICENCE]
    generator = translator_of(_config(state, beside, where), state, set(), licence, where)
    notes = [direction]
    if "size" not in beside:
        size = generator.config.size
        notes.insert(0, f"the size of images is not in the file; {size} is taken")
    notes += [NON_COMMERCIAL] if licence else []
    return Checkpoint(generator, None, "generator of MUNIT (2018)", tuple(notes))


def write_original(path: Path | str, generator: Translator) -> list[str]:
    """Write ``{"a", "b", "regen"}``, whole or not at all.

    Returns:
        What its user must know, sentences without a full stop.

    Raises:
        GeneratorError: If the generator has the layout of 2021.
        StoreError: If the file cannot be written.
    """
    config = generator.config
    if config.improved:
        raise GeneratorError(
            "layout of a file of MUNIT",
            got=config.layout,
            expected="2018",
            remedy="write one of regen's own files, .safetensors",
        )
    half = original_state(generator)
    buffer = io.BytesIO()  # torch's own writing to a disk that is full ends in many kinds of error
    beside = {"size": config.size, "licence": generator.original_licence}
    torch.save({"a": half, "b": half, "regen": beside}, buffer)
    write_bytes(path, buffer.getvalue())
    return ["a and b hold the same tensors; only the translation from a to b is meaningful"]


def original_state(generator: Translator) -> dict[str, Tensor]:
    """The tensors by the original's names, with the buffers that its adaptive norms have."""
    config, own = generator.config, generator.network.state_dict()
    state = {t: own[name].detach().cpu().clone() for t, name in tensor_names(generator.network)}
    for number in range(2 * config.blocks):
        norm = f"dec.model.0.model.{number // 2}.model.{number % 2}.norm"
        state[f"{norm}.running_mean"] = torch.zeros(config.channels[-1])
        state[f"{norm}.running_var"] = torch.ones(config.channels[-1])
    return state


def _config(state: Mapping[str, Any], beside: Mapping[str, Any], where: str) -> MUNITConfig:
    check_halvings(numbers_in(state, r"enc_content\.model\.#\.model\."), where)
    given = {"size": beside["size"]} if "size" in beside else {}
    return config_of(
        where,
        layout="2018",
        width=size_of(state, _MARKER, 4, where),
        blocks=len(numbers_in(state, r"dec\.model\.0\.model\.#\.")),
        style=size_of(state, "enc_style.model.6.weight", 4, where),
        mapping=size_of(state, "mlp.model.0.fc.weight", 2, where),
        **given,
    )
