"""Names of the tensors in files of the original codes, and in regen; their layout is the same.

Both layouts have the same parts, in modules of other names; see `regen.generators.munit.config`.
"""

from __future__ import annotations

from collections.abc import Iterator

from regen.generators.munit.config import SHRINKING, MUNITConfig
from regen.generators.munit.network import MUNIT

SHRUNK = 3  # convolutions of the content encoder before its residual blocks
_PARTS = (("convolution", "conv"), ("norm", "norm"))


def tensor_names(network: MUNIT) -> Iterator[tuple[str, str]]:
    """Name in the original's file, of one half of it, and in regen of every tensor."""
    modules = modules_of(network.config)
    for own, module in network.named_modules():
        for name, parameter in module._parameters.items():
            if parameter is not None:
                yield f"{modules[own]}.{_their_name(own, name, network.config)}", f"{own}.{name}"


def modules_of(config: MUNITConfig) -> dict[str, str]:
    """The original's name of every module that may have tensors, by regen's."""
    return dict(_improved(config) if config.improved else _first(config))


def _their_name(own: str, name: str, config: MUNITConfig) -> str:
    if not config.improved and own.startswith("decoder") and own.endswith("norm"):
        return {"weight": "gamma", "bias": "beta"}[name]
    return name


def _first(config: MUNITConfig) -> Iterator[tuple[str, str]]:
    """The names of 2018."""
    for i in range(SHRINKING + 1):
        yield f"style_encoder.blocks.{i}.convolution", f"enc_style.model.{i}.conv"
    yield "style_encoder.last", f"enc_style.model.{SHRINKING + 2}"
    for i in range(SHRUNK):
        yield f"content_encoder.blocks.{i}.convolution", f"enc_content.model.{i}.conv"
    for number in range(2 * config.blocks):
        place = f"model.{number // 2}.model.{number % 2}.conv"
        yield f"content_encoder.residual.{number}.convolution", f"enc_content.model.3.{place}"
        yield f"decoder.{number}.convolution", f"dec.model.0.{place}"
    for i in range(2):
        own, theirs = f"decoder.{2 * config.blocks + i}", f"dec.model.{2 + 2 * i}"
        yield f"{own}.convolution", f"{theirs}.conv"
        yield f"{own}.norm", f"{theirs}.norm"
    yield "last", "dec.model.5.conv"
    for i in range(3):
        yield f"mapping.layers.{i}", f"mlp.model.{i}.fc"


def _improved(config: MUNITConfig) -> Iterator[tuple[str, str]]:
    """The names of 2021."""
    for i in range(SHRINKING + 1):
        yield f"style_encoder.blocks.{i}.convolution", f"style_encoder.model.{i}.layers.conv"
    yield "style_encoder.last", f"style_encoder.model.{SHRINKING + 2}"
    for i in range(SHRUNK):
        for own, theirs in _PARTS:
            yield f"content_encoder.blocks.{i}.{own}", f"content_encoder.model.{i}.layers.{theirs}"
    for number in range(2 * config.blocks):
        block, half = number // 2, f"conv_block_{number % 2}.layers"
        for own, theirs in _PARTS:
            place = f"content_encoder.model.{SHRUNK + block}.{half}.{theirs}"
            yield f"content_encoder.residual.{number}.{own}", place
        yield from _adaptive(number, f"decoder.decoder.{block}.{half}")
    for i in range(2):
        after = config.blocks + 1 + 2 * i  # what lies between enlarges, and has no tensors
        yield from _adaptive(2 * config.blocks + i, f"decoder.decoder.{after}.layers")
    yield "last", f"decoder.decoder.{config.blocks + 4}.layers.conv"
    for i in range(2):
        yield f"mapping.layers.{i}", f"mlp.model.{i}.layers.conv"


def _adaptive(number: int, place: str) -> Iterator[tuple[str, str]]:
    yield f"decoder.{number}.convolution", f"{place}.conv"
    yield f"decoder.{number}.norm.linear", f"{place}.norm.fc.layers.conv"
