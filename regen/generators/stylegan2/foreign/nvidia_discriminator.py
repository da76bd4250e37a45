"""Read a discriminator of NVIDIA's torch code, as data that travels with its generator.

Letters: r resolution.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from torch import Tensor

from regen.errors import GeneratorError
from regen.generators.stylegan2.discriminator import (
    Architecture,
    Discriminator,
    DiscriminatorConfig,
)
from regen.generators.stylegan2.foreign.architecture import one_filter, taps_of
from regen.generators.stylegan2.foreign.modules import Network, as_number, as_text, is_float

_USUAL_GROUP = 4
_SIDES = frozenset(str(1 << i) for i in range(17))


def read_discriminator(network: Network, where: str) -> Discriminator:
    """The discriminator that a pickled network is.

    Raises:
        GeneratorError: If `DiscriminatorConfig` cannot describe it.
        StoreError: If shapes contradict each other.
    """
    if network.class_name != "Discriminator":
        got = network.class_name
        raise GeneratorError(f"{where}: class", got=got, expected="Discriminator")
    tensors = {n: t for n, t in network.tensors.items() if not n.endswith("resample_filter")}
    if odd := [name for name, tensor in tensors.items() if not is_float(tensor)]:
        raise GeneratorError(
            f"{where}: {odd[0]}", got=str(tensors[odd[0]].dtype), expected="floats"
        )
    resolutions = _resolutions(network)
    if not resolutions:
        raise GeneratorError(f"{where}: discriminator", got="no blocks")
    top = resolutions[0]
    blocks = [network.modules[f"b{r}"] for r in resolutions]
    features = len(_bias(tensors, "mapping.embed", where)) if _labels(tensors) else 0
    used = (".conv1.resample_filter", ".skip.resample_filter")
    kernels = {name: kernel for name, kernel in network.tensors.items() if name.endswith(used)}
    kernels = {name: kernel for name, kernel in kernels.items() if not name.startswith("b4.")}
    config = DiscriminatorConfig(
        resolution=top,
        architecture=cast(Architecture, as_text(blocks[0].get("architecture", "resnet"))),
        channels=_channels(tensors, resolutions, where),
        label_dim=_labels(tensors),
        label_features=features,
        mapping_layers=sum(n.startswith("mapping.fc") and n.endswith("bias") for n in tensors),
        mapping_lr_multiplier=as_number(_attribute(network, "mapping.fc0", "bias_gain")) or 0.01,
        stddev_group=_stddev_group(network),
        stddev_channels=_stddev_channels(tensors, where),
        conv_clamp=as_number(_attribute(network, f"b{top}.conv0", "conv_clamp")),
        resample_taps=taps_of(one_filter(kernels, where), where),
        num_fp16_res=sum(block.get("use_fp16") is True for block in blocks),
    )
    return Discriminator.checked(config, tensors, where)


def _resolutions(network: Network) -> list[int]:
    """Those of the blocks, the largest first, without the last block at 4."""
    sides = (name[1:] for name in network.modules if name.startswith("b") and "." not in name)
    found = sorted(int(s) for s in sides if s in _SIDES)
    return [r for r in reversed(found) if r > 4]


def _bias(tensors: Mapping[str, Tensor], layer: str, where: str) -> Tensor:
    bias = tensors.get(f"{layer}.bias")
    if bias is None or bias.ndim != 1:
        raise GeneratorError(f"{where}: discriminator", got=f"no bias of {layer}")
    return bias


def _channels(tensors: Mapping[str, Tensor], resolutions: list[int], where: str) -> tuple[int, ...]:
    first = len(_bias(tensors, f"b{resolutions[0]}.conv0", where))
    return first, *(len(_bias(tensors, f"b{r}.conv1", where)) for r in resolutions)


def _labels(tensors: Mapping[str, Tensor]) -> int:
    embed = tensors.get("mapping.embed.weight")
    return embed.shape[1] if embed is not None and embed.ndim == 2 else 0


def _attribute(network: Network, module: str, name: str) -> object:
    return network.modules.get(module, {}).get(name)


def _stddev_channels(tensors: Mapping[str, Tensor], where: str) -> int:
    weight = tensors.get("b4.conv.weight")
    if weight is None or weight.ndim != 4:
        raise GeneratorError(f"{where}: discriminator", got="no convolution at 4x4")
    return int(weight.shape[1] - weight.shape[0])


def _stddev_group(network: Network) -> int | None:
    """As the layer says; that of NVIDIA's code where only tensors are known."""
    group = as_number(_attribute(network, "b4.mbstd", "group_size"))
    if group is None and not network.modules[""]:
        return _USUAL_GROUP
    return None if group is None else int(group)
