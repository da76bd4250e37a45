"""Read a generator out of a pickle of NVIDIA's torch code, as plain data.

Understood are the snapshots of stylegan2-ada-pytorch and of the stylegan3 repository, and what is
derived from them (DragGAN, DiffAugment): a dict of ``G``, ``D``, ``G_ema``, or one network alone.
Objects of `torch_utils.persistence` come as `Instance`: a class name, and the attributes of a
module. Which release wrote the file does not matter: what a module's own attributes say comes
first, then the arguments it was made with (nested or not), then the shapes.

Names and attributes are facts of the public repositories NVlabs/stylegan2-ada-pytorch and
NVlabs/stylegan3; nothing here is their code, and none of the code in a pickle is used.

Letters: r resolution.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from regen.errors import GeneratorError
from regen.generators.family import Checkpoint
from regen.generators.stylegan2.foreign.architecture import Unshaped
from regen.generators.stylegan2.foreign.modules import (
    Attributes,
    Network,
    as_dict,
    as_number,
    as_text,
)
from regen.generators.stylegan2.foreign.naming import Row, generator_rows
from regen.generators.stylegan2.foreign.nvidia_discriminator import read_discriminator
from regen.generators.stylegan2.foreign.persistent import EMPTY
from regen.generators.stylegan2.foreign.rebuild import (
    Collected,
    collect,
    missing_network,
    readable,
    rebuild,
)

NETWORKS = ("G_ema", "G", "D")


def is_nvidia(value: object) -> bool:
    """Whether an unpickled value is a snapshot or a network of NVIDIA's torch code."""
    if Network.is_one(value):
        return True
    content = as_dict(value)
    return any(Network.is_one(content.get(name)) for name in NETWORKS)


def read_nvidia(value: object, which: str, where: str) -> Checkpoint:
    """The generator ``which`` of an unpickled value, and the discriminator beside it.

    Args:
        value: For which `is_nvidia` holds.
        which: "G_ema" or "G"; without meaning for a network alone.
        where: Begins the message of an error.

    Raises:
        GeneratorError: If there is no such generator, or it cannot be one of ours.
        StoreError: If shapes contradict each other.
    """
    if Network.is_one(value):
        return _checkpoint(value, None, "pickle of NVIDIA's, one network", where)
    content = as_dict(value)
    if not Network.is_one(content.get(which)):
        there = [name for name in NETWORKS if Network.is_one(content.get(name))]
        raise missing_network(where, which, there)
    return _checkpoint(content[which], content.get("D"), f"pickle of NVIDIA's, {which}", where)


def _checkpoint(generator: object, against: object, origin: str, where: str) -> Checkpoint:
    network = Network.of(generator, where)
    _check_family(network, where)
    collected = _collect(network, where)
    built, notes = rebuild(collected, _unshaped(network, where), where)
    found, why = None, None
    if Network.is_one(against) and Network.of(against, where).class_name != EMPTY:
        found, why = readable(lambda: read_discriminator(Network.of(against, where), where))
    return Checkpoint(built, found, origin, tuple(notes), why)


def _check_family(network: Network, where: str) -> None:
    """Refuse what is not StyleGAN2's skip generator, saying what it is."""
    if network.class_name != "Generator":
        raise GeneratorError(
            f"{where}: class of the network",
            got=network.class_name,
            expected="Generator",
            remedy="choose another with --which" if network.class_name == "Discriminator" else None,
        )
    if "synthesis.input" in network.modules:
        raise GeneratorError(
            f"{where} is a StyleGAN3 (alias-free) generator, which is another network",
            expected="a StyleGAN2",
        )
    blocks = dict(_blocks(network))
    if 4 not in blocks or max(blocks) < 8:
        raise GeneratorError(f"{where} is not a StyleGAN2 generator", expected="blocks b4, b8, ...")
    for r, block in blocks.items():
        form = as_text(block.get("architecture", "skip"))
        if form == "skip" and f"synthesis.b{r}.skip" in network.modules:
            form = "resnet"
        if form != "skip":
            raise GeneratorError(
                f"{where}: architecture of the generator", got=form, expected="skip"
            )


def _blocks(network: Network) -> Iterator[tuple[int, Attributes]]:
    """Resolution and attributes of each synthesis block."""
    for name, attributes in network.modules.items():
        side = name.removeprefix("synthesis.b")
        if side != name and side.isascii() and side.isdigit() and len(side) < 6:
            yield int(side), attributes


def _nvidia_name(row: Row) -> str:
    return row.nvidia


def _collect(network: Network, where: str) -> Collected:
    top = max(r for r, _ in _blocks(network))
    if top & (top - 1):
        raise GeneratorError(f"{where}: resolution", got=top, expected="a power of two")
    tensors = network.tensors
    depth = sum(f"mapping.fc{i}.weight" in tensors for i in range(len(tensors)))
    if depth == 0:
        raise GeneratorError(f"{where}: mapping network", got="no layers", expected="at least 1")
    rows = generator_rows(top, depth, "mapping.embed.weight" in tensors)
    return collect(rows, tensors, _nvidia_name, where)


def _unshaped(network: Network, where: str) -> Unshaped:
    layers = list(_layers(network))
    _check_activations(network, layers, where)
    arguments = _arguments(network)
    clamps = {as_number(a["conv_clamp"]) for a in layers if "conv_clamp" in a}
    if len(clamps) > 1:
        raise GeneratorError(f"{where}: conv_clamp", got=sorted(map(str, clamps)), expected="one")
    clamp = clamps.pop() if clamps else as_number(arguments.get("conv_clamp"))
    first = network.modules.get("mapping.fc0", {})
    multiplier = as_number(first.get("bias_gain", arguments.get("lr_multiplier")))
    base = arguments.get("channel_base")
    return Unshaped(
        conv_clamp=clamp,
        mapping_lr_multiplier=0.01 if multiplier is None else multiplier,
        resample_filter=_filter(network, where),
        channel_base=base if isinstance(base, int) else None,
        num_fp16_res=_half_resolutions(network),
    )


def _layers(network: Network) -> Iterator[Attributes]:
    """Attributes of the convolutions and RGB layers."""
    for name, attributes in network.modules.items():
        if name.startswith("synthesis.b") and name.endswith((".conv0", ".conv1", ".torgb")):
            yield attributes


def _check_activations(network: Network, layers: list[Attributes], where: str) -> None:
    mapping = [a for name, a in network.modules.items() if name.startswith("mapping.fc")]
    for attributes in [*layers, *mapping]:
        activation = as_text(attributes.get("activation", "lrelu"))
        if activation != "lrelu":
            raise GeneratorError(f"{where}: activation", got=activation, expected="lrelu")


def _arguments(network: Network) -> Mapping[str, Any]:
    """What the network was made with, the arguments of its parts beside its own."""
    own = as_dict(network.modules[""].get("_init_kwargs"))
    parts = [as_dict(own.get(f"{part}_kwargs")) for part in ("mapping", "synthesis")]
    return {**own, **parts[0], **parts[1]}


def _filter(network: Network, where: str) -> Tensor | None:
    """The one filter of all that enlarges; other layers store one too, but do not use it."""
    used = [
        tensor
        for name, tensor in network.tensors.items()
        if name.startswith("synthesis.b") and name.endswith("resample_filter")
        if ".conv1." not in name and ".torgb." not in name and ".b4." not in name
    ]
    if any(not torch.equal(tensor, used[0]) for tensor in used[1:]):
        raise GeneratorError(f"{where}: resampling filters", got="several", expected="one")
    return used[0] if used else None


def _half_resolutions(network: Network) -> int:
    stated = network.modules.get("synthesis", {}).get("num_fp16_res")
    if isinstance(stated, int) and not isinstance(stated, bool) and stated >= 0:
        return stated
    return sum(block.get("use_fp16") is True for _, block in _blocks(network))
