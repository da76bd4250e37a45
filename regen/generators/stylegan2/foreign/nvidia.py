"""Read a generator out of a pickle of NVIDIA's torch code, as plain data.

Understood are the snapshots of stylegan2-ada-pytorch and of the stylegan3 repository, and what is
derived from them (DragGAN, DiffAugment): a dict of ``G``, ``D``, ``G_ema``, or one network alone;
and the state dicts of these networks, wherever a file keeps them.
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

from torch import Tensor

from regen.errors import GeneratorError
from regen.generators.family import Checkpoint
from regen.generators.stylegan2.foreign.architecture import Unshaped, one_filter
from regen.generators.stylegan2.foreign.modules import (
    Attributes,
    Network,
    as_dict,
    as_integer,
    as_number,
    as_text,
)
from regen.generators.stylegan2.foreign.naming import Row, generator_rows
from regen.generators.stylegan2.foreign.nvidia_discriminator import read_discriminator
from regen.generators.stylegan2.foreign.persistent import EMPTY
from regen.generators.stylegan2.foreign.places import choose_place, find_places
from regen.generators.stylegan2.foreign.rebuild import (
    Collected,
    collect,
    missing_network,
    only_a_discriminator,
    readable,
    rebuild,
)

NETWORKS = ("G_ema", "G", "D")

# Names of tensors that only these networks have: generator, alias-free generator, discriminator.
_CONST, _ALIAS_FREE, _OUT = "synthesis.b4.const", "synthesis.input.freqs", "b4.out.weight"
_SIDES = frozenset(str(1 << i) for i in range(2, 17))


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
        if there == ["D"]:
            raise only_a_discriminator(where)
        raise missing_network(where, which, there)
    return _checkpoint(content[which], content.get("D"), f"pickle of NVIDIA's, {which}", where)


def is_nvidia_state(value: object) -> bool:
    """Whether a value holds the tensors of one of NVIDIA's networks by name."""
    return any(find_places(value, marker) for marker in (_CONST, _ALIAS_FREE))


def read_nvidia_state(value: object, which: str, where: str) -> Checkpoint:
    """As `read_nvidia`, for a value for which `is_nvidia_state` holds.

    No name of a tensor says whether activations are clamped, nor how fast the mapping learned, so
    those are taken to be as NVIDIA's code has them by default, and the user is told.
    """
    places = find_places(value, _CONST) or find_places(value, _ALIAS_FREE)
    place = choose_place(places, which, where)
    if place is None:
        raise missing_network(where, which, ["G" if p.is_trained else "G_ema" for p in places])
    network = Network.of_state("Generator", place.floats())
    _check_family(network, where)
    collected = _collect(network, where)
    built, notes = rebuild(collected, _unshaped(network, where), where)
    found, why = None, None
    against = find_places(value, _OUT)
    if against:
        state = Network.of_state("Discriminator", against[0].floats())
        found, why = readable(lambda: read_discriminator(state, where))
    notes.append("a state dict does not say whether activations are clamped: they are not")
    origin = f"state dict of NVIDIA's, {place.name}"
    return Checkpoint(built, found, origin, tuple(notes), why)


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
    if network.class_name == "Discriminator":
        raise only_a_discriminator(where)
    if network.class_name != "Generator":
        raise GeneratorError(
            f"{where}: class of the network",
            got=network.class_name,
            expected="Generator",
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
        if side != name and side in _SIDES:
            yield int(side), attributes


def _nvidia_name(row: Row) -> str:
    return row.nvidia


def _collect(network: Network, where: str) -> Collected:
    top = max(r for r, _ in _blocks(network))
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
    stated = {**arguments, **network.modules.get("mapping", {})}
    return Unshaped(
        conv_clamp=clamp,
        mapping_lr_multiplier=0.01 if multiplier is None else multiplier,
        resample_filter=_filter(network, where, ".conv0.resample_filter"),
        rgb_filter=_filter(network, where, ".resample_filter"),
        channel_base=as_integer(arguments.get("channel_base")),
        num_fp16_res=_half_resolutions(network),
        z_dim=as_integer(stated.get("z_dim")),
        label_dim=as_integer(stated.get("c_dim")),
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


def _filter(network: Network, where: str, end: str) -> Tensor | None:
    """The filter of all blocks or layers that enlarge; others store one too, but do not use it."""
    used = {
        f"synthesis.b{r}{end}": network.tensors.get(f"synthesis.b{r}{end}")
        for r, _ in _blocks(network)
        if r > 4
    }
    return one_filter({name: kernel for name, kernel in used.items() if kernel is not None}, where)


def _half_resolutions(network: Network) -> int:
    stated = as_integer(network.modules.get("synthesis", {}).get("num_fp16_res"))
    if stated is not None and stated >= 0:
        return stated
    return sum(block.get("use_fp16") is True for _, block in _blocks(network))
