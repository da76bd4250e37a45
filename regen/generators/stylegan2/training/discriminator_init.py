"""The discriminator in files: begun from the one that travels with a generator, and kept with ours.

A discriminator knows what is wrong with its generator's images. One that begins fresh against a
trained generator teaches it nonsense at first, so it is taken along wherever there is one.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from regen.generators.stylegan2.config import StyleGAN2Config
from regen.generators.stylegan2.discriminator import Discriminator as StoredDiscriminator
from regen.generators.stylegan2.discriminator import DiscriminatorConfig
from regen.generators.stylegan2.training.discriminator import Discriminator
from regen.generators.stylegan2.training.warm_start import layers_of


@dataclass(frozen=True)
class Opponent:
    """Where a discriminator begins.

    Attributes:
        discriminator: On the CPU, weights in float32.
        told: What was taken, in words; "" for nothing.
    """

    discriminator: Discriminator
    told: str


def opponent_for(
    config: StyleGAN2Config, stored: StoredDiscriminator | None, *, group: int, seed: int
) -> Opponent:
    """The counterpart of a generator; what fits of a stored one is taken, the rest is random.

    Args:
        config: The generator's architecture.
        stored: From the file of the generator that training begins from, or None. Only a residual
            one without classes is of use.
        group: Images of a group of the minibatch standard deviation.
        seed: Of what is random.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        made = Discriminator(config, group)
    if stored is None or not is_of_use(stored):
        return Opponent(made, "")
    mine = made.state_dict()
    taken = [n for n, t in stored.tensors.items() if n in mine and mine[n].shape == t.shape]
    for name in taken:
        mine[name].copy_(stored.tensors[name])
    fresh = tuple(name for name in mine if name not in taken)
    told = f"{len(taken)} tensors taken, {len(fresh)} begin fresh"
    return Opponent(made, told + (f" ({', '.join(layers_of(fresh))})" if fresh else ""))


def is_of_use(stored: StoredDiscriminator) -> bool:
    """Whether training can begin from it: it is residual and knows no classes."""
    return stored.config.architecture == "resnet" and not stored.config.label_dim


def stored(discriminator: Discriminator) -> StoredDiscriminator:
    """A discriminator as data, for the file of its generator."""
    config = discriminator.config
    sizes = [*discriminator.sizes, 4]
    return StoredDiscriminator(
        DiscriminatorConfig(
            resolution=config.resolution,
            architecture="resnet",
            channels=tuple(config.channels(size) for size in sizes),
            stddev_group=discriminator.group,
            conv_clamp=config.conv_clamp,
            resample_taps=config.resample_taps,
        ),
        {name: tensor.detach().cpu() for name, tensor in discriminator.state_dict().items()},
    )
