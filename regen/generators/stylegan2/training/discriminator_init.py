"""A discriminator before training: from the one that travels with a generator, or at random.

A discriminator knows what is wrong with its generator's images. A new one teaches a trained
generator nonsense at first, so the stored one is used wherever there is one.
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
class InitialDiscriminator:
    """A discriminator before its first step.

    Attributes:
        discriminator: On the CPU, weights in float32.
        summary: What was taken from the stored one, in words; "" for nothing.
    """

    discriminator: Discriminator
    summary: str


def initialize_discriminator(
    config: StyleGAN2Config, stored: StoredDiscriminator | None, *, group: int, seed: int
) -> InitialDiscriminator:
    """The discriminator for a generator: tensors of a stored one that fit, the rest random.

    Args:
        config: The generator's architecture.
        stored: From the file of the generator that training starts from, or None. Only a residual
            one without classes can be used.
        group: Images of a group of the minibatch standard deviation.
        seed: Of the random tensors.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        made = Discriminator(config, group)
    if stored is None or not is_usable(stored):
        return InitialDiscriminator(made, "")
    mine = made.state_dict()
    taken = [n for n, t in stored.tensors.items() if n in mine and mine[n].shape == t.shape]
    for name in taken:
        mine[name].copy_(stored.tensors[name])
    new = tuple(name for name in mine if name not in taken)
    summary = f"{len(taken)} tensors taken over, {len(new)} new"
    return InitialDiscriminator(made, summary + (f" ({', '.join(layers_of(new))})" if new else ""))


def is_usable(stored: StoredDiscriminator) -> bool:
    """Whether training can start from it: it is residual and has no classes."""
    return stored.config.architecture == "resnet" and not stored.config.label_dim


def as_stored(discriminator: Discriminator) -> StoredDiscriminator:
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
