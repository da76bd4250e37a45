"""Read and write the checkpoints of the original RFR-Inpainting, in both of its variants.

Such a file is what ``torch.save`` made of a dict: ``generator`` holds the tensors by name,
``n_iter`` how far its training came, ``optimizer_G`` the state of Adam, which is not kept. Width
and kernel are in the shapes: the variant for smaller holes has 5x5 where the other has 7x7. The
number of rounds is in no file: it is 6 in the original code, and what regen writes says it beside
the networks under ``regen``, which the original code ignores.

Facts of the public repository jingyuanli001/RFR-Inpainting (MIT licence); nothing here is its code.
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
from regen.generators.assembling import check_names
from regen.generators.family import Checkpoint
from regen.generators.rfr.config import RFRConfig
from regen.generators.rfr.files import assemble
from regen.generators.rfr.generator import Inpainter
from regen.generators.rfr.naming import count_names, is_transposed, tensor_names
from regen.generators.rfr.network import RFR
from regen.unpickling import Instance

_MARKERS = ("Pconv1.weight", "RFRModule.att.combiner.weight")
_ROOMS = ("generator", "state_dict", "")  # where a state is, the file itself last
_EXTRA = ("rounds", "size")
LICENCE = "MIT for the code; of the weights, what their author says: check before you pass them on"


def read_original(value: object, which: str, where: str) -> Checkpoint | None:
    """The generator in an unpickled value, None where there is none of RFR's.

    Args:
        value: As `regen.unpickling` read it, or tensors by name.
        which: "G_ema"; such files have one network.
        where: Begins the message of an error.

    Raises:
        GeneratorError: If it is one that cannot be read.
        StoreError: If shapes contradict each other.
    """
    found = _state(value)
    if found is None:
        return None
    if which != "G_ema":
        raise GeneratorError(f"{where}: network", got=which, expected="G_ema, its only one")
    state, beside = found
    config = _config(state, _as_dict(beside.get("regen")), where)
    with torch.device("meta"):
        network = RFR(config)
    tensors = _by_own_names(network, state, where)
    generator = assemble(config, tensors, where)
    kind = "for smaller holes" if config.kernel == 5 else f"of {config.kernel}x{config.kernel}"
    notes = (
        f"the number of rounds is not in the file; {config.rounds} are taken, as in the original",
        "white, or inside, is what will be filled; the original's network has it the other way",
    )
    kept = notes[1:] if "regen" in beside else notes
    return Checkpoint(generator, None, f"checkpoint of RFR-Inpainting {kind}", kept)


def write_original(path: Path | str, generator: Inpainter) -> list[str]:
    """Write ``{"n_iter", "generator", ...}``, whole or not at all.

    Returns:
        What its user must know, sentences without a full stop.

    Raises:
        StoreError: If the file cannot be written.
    """
    config = generator.config
    content: dict[str, Any] = {"n_iter": 0, "generator": original_state(generator)}
    content["regen"] = {name: getattr(config, name) for name in _EXTRA}
    buffer = io.BytesIO()  # torch's own writing to a disk that is full ends in many kinds of error
    torch.save(content, buffer)
    write_bytes(path, buffer.getvalue())
    notes = []
    usual = RFRConfig()
    if (config.width, config.rounds) != (usual.width, usual.rounds) or config.kernel == 3:
        got = f"width {config.width}, {config.rounds} rounds and kernel {config.kernel}"
        notes.append(f"the original's own class has width 64 and 6 rounds; this one has {got}")
    return notes


def original_state(generator: Inpainter) -> dict[str, Tensor]:
    """The tensors by the original's names and in its layout."""
    network, state = generator.network, {}
    own = network.state_dict()
    for theirs, name in tensor_names(network):
        tensor = own[name].detach().cpu()
        state[theirs] = (
            tensor.transpose(0, 1) if is_transposed(network, name) else tensor
        ).contiguous()
    counts = generator.config.batches or (0,) * len(count_names(network))
    for theirs, count in zip(count_names(network), counts, strict=True):
        state[theirs] = torch.tensor(count)
    return state


def _state(value: object) -> tuple[Mapping[str, Any], Mapping[str, Any]] | None:
    """The state of a network, and what it lies in."""
    content = _as_dict(value)
    for room in _ROOMS:
        state = _as_dict(content.get(room)) if room else content
        names = {name.removeprefix("module."): name for name in state if isinstance(name, str)}
        if all(marker in names for marker in _MARKERS):
            return {short: state[name] for short, name in names.items()}, content
    return None


def _as_dict(value: object) -> Mapping[str, Any]:
    if isinstance(value, Instance):
        value = value.state
    return value if isinstance(value, Mapping) else {}


def _config(state: Mapping[str, Any], extra: Mapping[str, Any], where: str) -> RFRConfig:
    """Sizes from the shapes, and what regen wrote beside them."""
    weights = state["Pconv1.weight"], state.get("Pconv2.weight")
    shapes = [list(t.shape) if isinstance(t, Tensor) else [] for t in weights]
    if [len(shape) for shape in shapes] != [4, 4]:
        raise GeneratorError(
            f"{where}: Pconv1.weight and Pconv2.weight", got=shapes, expected="weights of 4 axes"
        )
    given = {name: extra[name] for name in _EXTRA if name in extra}
    try:
        config = RFRConfig(width=shapes[0][0], kernel=shapes[1][2], **given)
        with torch.device("meta"):
            names = count_names(RFR(config))
        return RFRConfig(**{**vars(config), "batches": _batches(state, names)})
    except GeneratorError as error:
        raise GeneratorError(f"{where}: {error}") from error


def _batches(state: Mapping[str, Any], names: list[str]) -> tuple[int, ...]:
    counts = [state.get(name) for name in names]
    whole = [int(c) for c in counts if isinstance(c, Tensor) and c.numel() == 1 and _is_whole(c)]
    return tuple(whole) if len(whole) == len(names) else ()


def _is_whole(number: Tensor) -> bool:
    return not number.is_floating_point() and not number.is_complex()


def _by_own_names(network: RFR, state: Mapping[str, Any], where: str) -> dict[str, Tensor]:
    """Tensors by regen's names and in its layout."""
    names = dict(tensor_names(network))
    given = check_names(state, set(names), set(count_names(network)), "RFR", where)
    tensors = {}
    for theirs, own in names.items():
        tensor = given[theirs]
        turned = is_transposed(network, own) and tensor.dim() == 4
        tensors[f"network.{own}"] = tensor.transpose(0, 1) if turned else tensor
    return tensors
