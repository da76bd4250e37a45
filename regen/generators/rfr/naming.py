"""Names and layout of the tensors in files of the original code, and in regen.

Both have the same tensors; transposed convolutions are ``[I, O, 4, 4]`` there and ``[O, I, 4, 4]``
here, and each batch norm there also counts its batches.
"""

from __future__ import annotations

from collections.abc import Iterator

from torch import nn

from regen.generators.rfr.layers import BatchNorm, Enlarging
from regen.generators.rfr.network import RFR

COUNT = "num_batches_tracked"

_BLOCKS = {
    **{f"RFRModule.enc_{i}": f"reasoning.encoder.{i - 1}" for i in range(1, 7)},
    **{f"RFRModule.dec_{i}": f"reasoning.inner.{5 - i}" for i in (5, 4)},
    **{f"RFRModule.dec_{i}": f"reasoning.enlarging.{3 - i}" for i in (3, 2, 1)},
}
_MODULES = {
    "Pconv1": "first",
    "bn1": "first_norm",
    "Pconv2": "second",
    "bn20": "second_norm",
    "Pconv21": "narrowing.0",
    "Pconv22": "narrowing.1",
    "bn2": "narrowing_norm",
    **{f"{theirs}.0": f"{own}.convolution" for theirs, own in _BLOCKS.items()},
    **{f"{theirs}.1": f"{own}.norm" for theirs, own in _BLOCKS.items()},
    "RFRModule.att.att": "reasoning.attention",
    "RFRModule.att.combiner": "reasoning.attention.combiner",
    "Tconv": "enlargement.convolution",
    "bn3": "enlargement.norm",
    "tail1": "combination",
    "tail2.conv1": "refinement.first.convolution",
    "tail2.bn1": "refinement.first.norm",
    "tail2.conv2": "refinement.second.convolution",
    "tail2.bn2": "refinement.second.norm",
    "tail2.conv3": "refinement.third",
    "tail2.bn3": "refinement.norm",
    "out": "last",
}
THEIRS = {own: theirs for theirs, own in _MODULES.items()}
"""The original's name of every module that has tensors, by regen's."""


def tensor_names(network: RFR) -> Iterator[tuple[str, str]]:
    """Name in the original's file and in regen of every tensor that both have."""
    for own, module in network.named_modules():
        for name in (*module._parameters, *module._buffers):
            yield f"{THEIRS[own]}.{name}", f"{own}.{name}"


def count_names(network: RFR) -> list[str]:
    """The original's names of the batch norms' counts, in the order of `_MODULES`."""
    norms = {own for own, module in network.named_modules() if isinstance(module, BatchNorm)}
    return [f"{theirs}.{COUNT}" for theirs, own in _MODULES.items() if own in norms]


def is_transposed(module: nn.Module, name: str) -> bool:
    """Whether the original's file has the tensor `name` of regen's network the other way round."""
    return isinstance(module.get_submodule(name.rpartition(".")[0]), Enlarging)
