"""The law of the protocol, as a check for any family.

For every cut tail(memory(head(x))) equals the uncut network bit for bit, whatever other input went
through in between; a context follows its sample; nothing stays behind in a module.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from regen.generators.protocol import Generator
from regen.generators.split import Latent, Split, concatenate
from tests.tolerances import assert_near


def check_law(
    generator: Generator, one: Latent, two: Latent, dtype: torch.dtype = torch.float32
) -> None:
    """Assert the law for every cut of a generator.

    Args:
        generator: In eval mode.
        one: Latents of samples.
        two: Latents of others, equally many, whose images differ.
        dtype: What the convolutions compute in.
    """
    with generator.computing_in(dtype):
        images = generator(one), generator(two)
        assert not torch.equal(*images), "two inputs that give one image prove nothing"
        for split in every_split(generator):
            _check_cut(generator, split, (one, two), images, dtype)


def every_split(generator: Generator) -> Iterator[Split]:
    """All cuts of a generator."""
    for value_layer in range(1, generator.convolutions + 1):
        for memory_layers in range(1, value_layer + 1):
            yield generator.split(value_layer, memory_layers)


@torch.no_grad()
def _check_cut(
    generator: Generator,
    split: Split,
    latents: tuple[Latent, Latent],
    images: tuple[torch.Tensor, torch.Tensor],
    dtype: torch.dtype,
) -> None:
    modules = (generator, split.memory)
    before = [left_in(module) for module in modules], generator.digest()
    keys = [split.head(latent) for latent in latents]
    values = [split.memory(key) for key in reversed(keys)][::-1]
    decoded = [split.tail(value) for value in reversed(values)][::-1]
    for k in (0, 1):
        assert torch.equal(decoded[k], images[k])
        assert torch.equal(split.tail(split.value_of(latents[k])), images[k])
    assert values[0].features.shape[1:] == split.value_shape(generator.image_size)
    assert images[0].shape[2:] == generator.image_size
    both = concatenate(values)
    order = list(range(len(both.features)))[::-1]
    wanted = torch.cat(images)[order]
    assert_near(split.tail(both.select(order)), wanted, dtype, size=float(wanted.abs().max()))
    if dtype == torch.float32:
        lower = keys[0].with_features(keys[0].features.bfloat16())
        size = float(images[0].abs().max())
        assert_near(split.tail(split.memory(lower)), images[0], torch.bfloat16, size=size)
    assert ([left_in(module) for module in modules], generator.digest()) == before
    _check_names(generator, split)


def _check_names(generator: Generator, split: Split) -> None:
    """The memory's parameters are the generator's own, under the names that the split says."""
    whole, inside = dict(generator.named_parameters()), dict(split.memory.named_parameters())
    names = split.memory_weights()
    assert names
    for name in names:
        assert inside[name] is whole[split.full_name(name)]


def left_in(module: nn.Module) -> list[tuple[str, str, Any]]:
    """What the modules of `module` hold, so that two lists differ where a call left something."""
    held = []
    for name, part in module.named_modules():
        for key, value in vars(part).items():
            if isinstance(value, dict):
                held += [(name, f"{key}.{k}", id(v)) for k, v in value.items()]
            held.append((name, key, len(value) if isinstance(value, (list, set)) else id(value)))
    return held
