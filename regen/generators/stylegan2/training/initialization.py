"""Both networks before the first step: random, or from a trained generator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from regen.errors import TrainingError
from regen.generators.family import Checkpoint
from regen.generators.native import terms_of
from regen.generators.registry import generator_path, open_checkpoint
from regen.generators.stylegan2.config import StyleGAN2Config
from regen.generators.stylegan2.discriminator import Discriminator as StoredDiscriminator
from regen.generators.stylegan2.generator import StyleGAN2
from regen.generators.stylegan2.training.discriminator import Discriminator
from regen.generators.stylegan2.training.discriminator_init import (
    initialize_discriminator,
    is_usable,
)
from regen.generators.stylegan2.training.precision import training_dtype
from regen.generators.stylegan2.training.settings import (
    FLOAT16_CLAMP,
    InitSettings,
    TrainingSettings,
    architecture_preset,
)
from regen.generators.stylegan2.training.warm_start import architecture_from, take_over

_PASSED_ON = ("licence", "attribution", "intended_use")  # of weights that others begin from


@dataclass(frozen=True)
class Initial:
    """A trained generator to start from.

    Attributes:
        name: Name or path that it was opened by.
        generator: The generator.
        discriminator: The one in its file, if there is one.
        terms: What its file asks of whoever uses its weights; "" if nothing.
    """

    name: str | Path
    generator: StyleGAN2
    discriminator: StoredDiscriminator | None
    terms: str = ""


@dataclass(frozen=True)
class Networks:
    """Both networks before the first step.

    Attributes:
        generator: On the device to train on.
        discriminator: On the CPU.
        init_digest: Digest of the generator they were initialized from; "" for random networks.
        init_terms: What the file of that generator asks of whoever uses its weights; "" if nothing.
    """

    generator: StyleGAN2
    discriminator: Discriminator
    init_digest: str
    init_terms: str = ""


def open_initial(init: InitSettings) -> Initial | None:
    """The generator that `init` names, None where it names none.

    Raises:
        TrainingError: If it is of another family.
        RegenError: If it cannot be opened.
    """
    if init.init_from is None:
        return None
    return _initial(init.init_from, open_checkpoint(init.init_from))


def _initial(name: str | Path, checkpoint: Checkpoint) -> Initial:
    generator, discriminator = checkpoint.generator, checkpoint.discriminator
    if not isinstance(generator, StyleGAN2):
        raise TrainingError(
            f"generator to start from: family of {name}",
            got=generator.family,
            expected=StyleGAN2.family,
        )
    assert discriminator is None or isinstance(discriminator, StoredDiscriminator)
    return Initial(name, generator, discriminator, _terms(name))


def initialize_networks(
    init: InitSettings,
    settings: TrainingSettings,
    initial: Initial | None,
    device: torch.device,
    log: Callable[[str], None],
) -> Networks:
    """Both networks before the first step.

    Args:
        init: Size and architecture.
        settings: Seed, precision and the group of the minibatch standard deviation are used.
        initial: As `open_initial` gives it for `init`.
        device: Of the generator; the discriminator is on the CPU.
        log: Called with what was taken over.

    Raises:
        RegenError: If nothing of the initial generator fits, or the settings do not suit the
            device.
    """
    config = _architecture(init, initial)
    if training_dtype(settings.precision, device) == torch.float16:
        config = replace(config, conv_clamp=config.conv_clamp or FLOAT16_CLAMP)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        generator = StyleGAN2(config)
    started = initialize_discriminator(
        config,
        None if initial is None else initial.discriminator,
        group=settings.minibatch_group_images,
        seed=settings.seed + 1,
    )
    if initial is None:
        return Networks(generator.to(device), started.discriminator, "")
    taken = take_over(generator, initial.generator)
    log(f"Generator initialized from {initial.name}: {taken}")
    warmup = _warmup(settings) if needs_discriminator_warmup(initial, init.size) else ""
    log(f"Discriminator: {started.summary or 'new, as that file has none that fits'}{warmup}")
    if initial.terms:
        log(f"The result's file will say: {initial.terms}")
    digest = initial.generator.digest()
    return Networks(generator.to(device), started.discriminator, digest, initial.terms)


def _terms(name: str | Path) -> str:
    """Licence, attribution and intended use that a generator's file states, in words."""
    found = terms_of(generator_path(name))
    said = [f"{term.replace('_', ' ')} {found[term]}" for term in _PASSED_ON if term in found]
    return f"begun from {Path(name).name}: {'; '.join(said)}" if said else ""


def _architecture(init: InitSettings, initial: Initial | None) -> StyleGAN2Config:
    config = init.architecture
    if config is None and initial is None:
        config = architecture_preset(init.size)
    elif config is None:
        assert initial is not None
        config = architecture_from(initial.generator, init.size)
    return replace(
        config,
        channel_base=init.channel_base or config.channel_base,
        channel_max=init.channel_max or config.channel_max,
    )


def needs_discriminator_warmup(initial: Initial | None, size: int) -> bool:
    """Whether a trained generator will train against an untrained discriminator.

    One for images of another size counts as untrained, since its first layers are new.
    """
    if initial is None:
        return False
    stored = initial.discriminator
    return stored is None or not is_usable(stored) or stored.config.resolution != size


def _warmup(settings: TrainingSettings) -> str:
    """How an untrained discriminator is warmed up, in words."""
    wait = settings.generator_wait_kimg
    alone = f"; it trains alone for {wait:g} kimg" if wait else ""
    return f"{alone}; the generator's step size is {settings.generator_lr:g}"
