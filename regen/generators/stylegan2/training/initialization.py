"""Where the training of a generator begins: at random, or from one that can draw already."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from regen.generators.registry import generator_path, open_generator
from regen.generators.stylegan2.config import StyleGAN2Config
from regen.generators.stylegan2.discriminator import Discriminator as StoredDiscriminator
from regen.generators.stylegan2.files import load_discriminator
from regen.generators.stylegan2.foreign.files import is_foreign, read_checkpoint
from regen.generators.stylegan2.generator import StyleGAN2
from regen.generators.stylegan2.training.discriminator import Discriminator
from regen.generators.stylegan2.training.discriminator_init import is_of_use, opponent_for
from regen.generators.stylegan2.training.precision import training_dtype
from regen.generators.stylegan2.training.settings import (
    FLOAT16_CLAMP,
    TrainingSettings,
    architecture_preset,
)
from regen.generators.stylegan2.training.warm_start import architecture_from, take_over


@dataclass(frozen=True)
class Beginning:
    """Where a training begins.

    Attributes:
        size: Side of the images.
        init_from: Name or path of a generator to begin from; None begins at random.
        channel_base: Channels at resolution r are ``min(channel_base // r, channel_max)``; None
            takes those of the generator to begin from, or of the size's preset.
        channel_max: The same.
        architecture: Taken instead of the preset's or the other generator's; None for theirs.
    """

    size: int
    init_from: str | Path | None = None
    channel_base: int | None = None
    channel_max: int | None = None
    architecture: StyleGAN2Config | None = None


@dataclass(frozen=True)
class Begun:
    """Both networks, and the digest of the generator that training begins from, "" for none."""

    generator: StyleGAN2
    discriminator: Discriminator
    digest: str


def begin(
    beginning: Beginning,
    settings: TrainingSettings,
    device: torch.device,
    tell: Callable[[str], None],
) -> Begun:
    """Both networks at the first step.

    Args:
        beginning: Where.
        settings: Seed, precision and the group of the minibatch standard deviation are used.
        device: Of the generator; the discriminator is on the CPU.
        tell: Called with what was taken over.

    Raises:
        RegenError: If the generator to begin from cannot be opened, or nothing of it fits.
    """
    old = None if beginning.init_from is None else open_generator(beginning.init_from)
    assert old is None or isinstance(old, StyleGAN2)
    size = beginning.size
    config = beginning.architecture
    if config is None:
        config = architecture_preset(size) if old is None else architecture_from(old, size)
    config = replace(
        config,
        channel_base=beginning.channel_base or config.channel_base,
        channel_max=beginning.channel_max or config.channel_max,
    )
    if training_dtype(settings.precision, device) == torch.float16:
        config = replace(config, conv_clamp=config.conv_clamp or FLOAT16_CLAMP)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        generator = StyleGAN2(config)
    name = beginning.init_from
    stored = None if name is None else _stored_discriminator(name)
    opponent = opponent_for(
        config,
        stored,
        group=settings.minibatch_group_images,
        seed=settings.seed + 1,
    )
    if old is not None:
        tell(f"Generator begun from {name}: {take_over(generator, old)}")
        told = opponent.told or "none in that file that fits, begins fresh"
        tell(f"Discriminator: {told}{_care(settings) if _knows_nothing(stored, size) else ''}")
    digest = "" if old is None else old.digest()
    return Begun(generator.to(device), opponent.discriminator, digest)


def meets_fresh_opponent(beginning: Beginning) -> bool:
    """Whether a generator that can draw already will meet a discriminator that knows nothing.

    One of another size knows nothing of what it sees: its first layers begin fresh.

    Raises:
        RegenError: If the generator to begin from cannot be opened.
    """
    if beginning.init_from is None:
        return False
    return _knows_nothing(_stored_discriminator(beginning.init_from), beginning.size)


def _knows_nothing(stored: StoredDiscriminator | None, size: int) -> bool:
    return stored is None or not is_of_use(stored) or stored.config.resolution != size


def _care(settings: TrainingSettings) -> str:
    """What is done about a discriminator that knows nothing, in words."""
    alone = f"; it trains alone for {settings.generator_wait_kimg:g} kimg"
    told = alone if settings.generator_wait_kimg else ""
    return f"{told}; the generator's step size is {settings.generator_lr:g}"


def _stored_discriminator(name_or_path: str | Path) -> StoredDiscriminator | None:
    path = generator_path(name_or_path)
    return read_checkpoint(path).discriminator if is_foreign(path) else load_discriminator(path)
