"""StyleGAN2's trainer as `regen.generators.trainer` describes it: options to a plan to a result.

Heavy modules are imported when they are needed, since the command line only asks for defaults.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regen.errors import TrainingError
from regen.generators.stylegan2.training.augmentation_settings import Augmentation
from regen.generators.stylegan2.training.settings import (
    SIZES,
    InitSettings,
    TrainingSettings,
    check_size,
)
from regen.generators.trainer import ImageSampler, Listeners, Log
from regen.training.batch_limit import check_batch

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from regen.generators.stylegan2.discriminator import Discriminator
    from regen.generators.stylegan2.generator import StyleGAN2
    from regen.generators.stylegan2.training.initialization import Initial, Networks
    from regen.generators.stylegan2.training.trainer import Trainer

FEWEST = 100  # images, of which augmentation learns more than copies (Zhao et al. 2020)
_INIT_OPTIONS = ("init_from", "channel_base", "channel_max")
_SETTINGS = tuple(spec.name for spec in fields(TrainingSettings) if spec.name != "augmentation")


class StyleGAN2Trainer:
    """Trains StyleGAN2 generators; a `FamilyTrainer`.

    Options are the fields of `TrainingSettings` but for the augmentation, those of `InitSettings`
    but for the architecture, and ``augment``, False for no augmentation.
    """

    sizes = SIZES

    def options(self, size: int) -> dict[str, object]:
        """See `FamilyTrainer.options`."""
        settings = TrainingSettings.preset(size)
        return {
            **dict.fromkeys(_INIT_OPTIONS),
            **{name: getattr(settings, name) for name in _SETTINGS},
            "augment": True,
        }

    def plan(self, size: int, given: Mapping[str, object]) -> StyleGAN2Plan:
        """See `FamilyTrainer.plan`; an untrained discriminator gets its warm-up."""
        from regen.generators.stylegan2.training.initialization import (
            needs_discriminator_warmup,
            open_initial,
        )

        _check_names(size, given, self.options(size))
        init = InitSettings(size, **_chosen(given, _INIT_OPTIONS))
        chosen = _chosen(given, _SETTINGS)
        settings = replace(TrainingSettings.preset(size), **chosen)
        if given.get("augment") is False:
            settings = replace(settings, augmentation=Augmentation.none())
        check_batch("batch_images", settings.batch_images, (size, size), TrainingError)
        initial = open_initial(init)
        if needs_discriminator_warmup(initial, size):
            settings = settings.with_discriminator_warmup(keep=chosen)
        return StyleGAN2Plan(init, settings, initial)


def _check_names(size: int, given: Mapping[str, object], known: Mapping[str, object]) -> None:
    check_size(size)
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise TrainingError(
            "training options", got=", ".join(unknown), expected=", ".join(sorted(known))
        )


def _chosen(given: Mapping[str, object], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: given[name] for name in names if name in given}


@dataclass(frozen=True)
class StyleGAN2Plan:
    """One training; a `TrainingPlan`.

    Attributes:
        init: What the networks are before the first step.
        training: How they are trained.
        initial: The generator to start from, if it is already open.
    """

    init: InitSettings
    training: TrainingSettings
    initial: Initial | None = None

    sizes = SIZES

    @property
    def size(self) -> int:
        """R."""
        return self.init.size

    @property
    def batch_images(self) -> int:
        """Real images in one step."""
        return self.training.batch_images

    @property
    def steps(self) -> int:
        """Steps of the whole training."""
        return self.training.steps

    def settings(self) -> dict[str, Any]:
        """See `TrainingPlan.settings`."""
        return {**asdict(self.init), **asdict(self.training)}

    def advice(self, images: int) -> list[str]:
        """See `TrainingPlan.advice`."""
        from regen.images.folder import FEW

        found = []
        if images < FEWEST:
            found.append(
                "So few images will be memorised, with samples that are copies of them; about "
                f"{FEWEST} are enough to start with, best with --init-from, and a thousand or more "
                "are better"
            )
        if images < FEW and self.training.augmentation == Augmentation.none():
            found.append(
                f"Few images, and no augmentation: below {FEW}, the discriminator soon memorises "
                "them"
            )
        return found

    def initialize(self, device: torch.device, log: Log) -> StyleGAN2Training:
        """See `TrainingPlan.initialize`."""
        from regen.generators.stylegan2.training.initialization import (
            initialize_networks,
            open_initial,
        )

        initial = self.initial or open_initial(self.init)
        networks = initialize_networks(self.init, self.training, initial, device, log)
        return StyleGAN2Training(self, networks)


@dataclass(frozen=True)
class StyleGAN2Training:
    """Networks that are ready to be trained; a `Training`."""

    plan: StyleGAN2Plan
    networks: Networks

    def train(
        self,
        images: Tensor,
        *,
        folder: Path,
        resume: bool,
        minutes: float | None,
        listeners: Listeners,
    ) -> FinishedStyleGAN2:
        """See `Training.train`."""
        from regen.generators.stylegan2.training.train import train_generator

        trainer = train_generator(
            self.networks.generator,
            images,
            self.plan.training,
            folder=folder,
            discriminator=self.networks.discriminator,
            init_digest=self.networks.init_digest,
            resume=resume,
            minutes=minutes,
            listeners=listeners,
        )
        return FinishedStyleGAN2(self.plan, trainer, self.networks)


@dataclass(frozen=True)
class FinishedStyleGAN2:
    """The outcome of a training; a `FinishedTraining`."""

    plan: StyleGAN2Plan
    trainer: Trainer
    networks: Networks

    @property
    def generator(self) -> StyleGAN2:
        """The moving average of the generator."""
        return self.trainer.average

    @property
    def discriminator(self) -> Discriminator:
        """The discriminator at the end, as data."""
        from regen.generators.stylegan2.training.discriminator_init import as_stored

        return as_stored(self.trainer.discriminator)

    @property
    def steps_done(self) -> int:
        """Steps taken."""
        return self.trainer.done

    @property
    def sample(self) -> ImageSampler:
        """Samples of the result."""
        from regen.generators.stylegan2.training.loop import sampler

        return sampler(self.generator)

    def notes(self) -> list[str]:
        """See `FinishedTraining.notes`."""
        if self.trainer.done > self.trainer.wait_steps:
            return []
        return ["The generator has not learned yet: so far the discriminator trained alone"]

    def card(self) -> dict[str, Any]:
        """See `FinishedTraining.card`."""
        card: dict[str, Any] = {"training": asdict(self.plan.training)}
        init_from = self.plan.init.init_from
        if init_from is not None:
            card["begun_from"] = {"name": Path(init_from).name, "digest": self.networks.init_digest}
        if self.networks.init_terms:
            card["attribution"] = self.networks.init_terms
        return card
