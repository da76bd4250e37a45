"""Settings of a generator's training: how long, how fast, on what, and when to give up.

Defaults are those of Karras et al. 2020 ("StyleGAN2") where they do not depend on the size of the
images, with the augmentation of Zhao et al. 2020; `TrainingSettings.preset` knows the rest.
Everything that has a unit has it in its name; *kimg* is a thousand images shown to D as real.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args

from regen.errors import TrainingError
from regen.generators.stylegan2.config import StyleGAN2Config
from regen.generators.stylegan2.training.augmentation_settings import Augmentation

Precision = Literal["auto", "fp32", "bf16", "fp16"]
Check = Callable[[float], bool]

SIZES = (16, 32, 64, 128, 256, 512, 1024)  # sides of the images that can be trained on
FLOAT16_CLAMP = 256.0  # limit of the activations where float16 is computed in

_POSITIVE = ("length_kimg", "batch_images", "generator_lr", "discriminator_lr")
_INTERVALS = (
    "r1_interval_steps",
    "path_length_interval_steps",
    "path_length_batch_shrink",
    "checkpoint_every_kimg",
    "snapshot_every_kimg",
    "report_every_kimg",
    "stop_window_kimg",
    "augmentation_kimg",
)
_FROM_ZERO = ("r1_gamma", "path_length_weight", "ema_halflife_kimg", "generator_wait_kimg")
_WARMUP_WAIT_KIMG, _WARMUP_LR = 4.0, 0.25
_SHARES = (
    "style_mixing_probability",
    "flip_probability",
    "path_length_decay",
    "stop_sign",
    "augmented_share",
    "augmentation_target",
)


@dataclass(frozen=True)
class TrainingSettings:
    """How a generator and its discriminator D are trained.

    Attributes:
        length_kimg: Length of the training.
        batch_images: Images in one step, all processes together.
        generator_lr: Step size of Adam for the generator.
        discriminator_lr: Step size of Adam for D.
        r1_gamma: Weight of R1, ``gamma / 2 * E |grad D(x)|^2``; 0 trains without it.
        r1_interval_steps: Steps between two steps that minimise R1.
        path_length_weight: Weight of the path length penalty; 0 trains without it.
        path_length_interval_steps: Steps between two that minimise it.
        path_length_decay: Share of a new batch in the running mean of the path length.
        path_length_batch_shrink: One in so many images of a batch is used for it.
        style_mixing_probability: Share of samples whose styles come from two z.
        ema_halflife_kimg: The result is the generator's moving average of this half-life.
        flip_probability: Share of the real images shown mirrored. 0 where left and right differ.
        augmentation: What real and fake images go through before D sees them.
        augmented_share: Share of the images that each kind of augmentation changes.
        augmentation_target: Mean sign of D's logits of real images that this share is steered
            towards, from where it starts (Karras et al. 2020, "ADA", section 3.1, where it is
            0.6); 0 leaves the share as it is.
        augmentation_kimg: Over so many thousand images steering takes the share from 0 to 1.
        minibatch_group_images: Images over which D compares standard deviations.
        generator_wait_kimg: At first D trains alone for this long: for a trained generator with an
            untrained discriminator.
        precision: Of both networks, regularisers excepted (float32). "auto" is bf16 where it
            is quicker, see `regen.precision`, else fp32. Weights are float32 always.
        stop_sign: Training has failed when the mean sign of D's logits of real images is above
            this ...
        stop_generator_loss: ... and the generator's mean loss above this, ...
        stop_window_kimg: ... both over this many images.
        checkpoint_every_kimg: Thousands of images between checkpoints.
        snapshot_every_kimg: Thousands of images between two sheets of samples.
        report_every_kimg: Thousands of images between two points of the curves.
        seed: Source of all randomness.

    Raises:
        TrainingError: If a value is out of range.
    """

    length_kimg: float = 300.0
    batch_images: int = 16
    generator_lr: float = 0.002
    discriminator_lr: float = 0.002
    r1_gamma: float = 1.0
    r1_interval_steps: int = 16
    path_length_weight: float = 2.0
    path_length_interval_steps: int = 4
    path_length_decay: float = 0.01
    path_length_batch_shrink: int = 2
    style_mixing_probability: float = 0.9
    ema_halflife_kimg: float = 5.0
    flip_probability: float = 0.5
    augmentation: Augmentation = field(default_factory=Augmentation)
    augmented_share: float = 1.0
    augmentation_target: float = 0.0
    augmentation_kimg: float = 100.0
    minibatch_group_images: int = 4
    generator_wait_kimg: float = 0.0
    precision: Precision = "auto"
    stop_sign: float = 0.95
    stop_generator_loss: float = 8.0
    stop_window_kimg: float = 10.0
    checkpoint_every_kimg: float = 10.0
    snapshot_every_kimg: float = 5.0
    report_every_kimg: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        for name in (*_POSITIVE, *_INTERVALS):
            self._check(name, "above 0", lambda value: value > 0)
        for name in _FROM_ZERO:
            self._check(name, "0 or more", lambda value: value >= 0)
        for name in _SHARES:
            self._check(name, "a share, 0 to 1", lambda value: 0 <= value <= 1)
        self._check("minibatch_group_images", "1 or more", lambda value: value >= 1)
        if self.augmentation == Augmentation.none() and self.augmentation_target:
            raise TrainingError(
                "augmentation_target",
                got=f"{self.augmentation_target:g}, with no augmentation to steer",
                expected="0 without augmentation",
                remedy="leave out one of --no-augment and --augmentation-target",
            )
        if self.precision not in get_args(Precision):
            expected = " or ".join(get_args(Precision))
            raise TrainingError("precision", got=self.precision, expected=expected)

    def _check(self, name: str, expected: str, accepts: Check) -> None:
        value = getattr(self, name)
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not number or not math.isfinite(value) or not accepts(value):
            raise TrainingError(name, got=value, expected=expected)

    @property
    def steps(self) -> int:
        """How many steps the whole training takes."""
        return self.steps_of(self.length_kimg)

    def steps_of(self, kimg: float) -> int:
        """How many steps `kimg` thousand images take, at least one."""
        return max(1, round(kimg * 1000 / self.batch_images))

    def with_discriminator_warmup(self, keep: Collection[str] = ()) -> TrainingSettings:
        """These settings for a trained generator with an untrained discriminator D.

        With the settings of `preset` the generator soon makes images whose first features D cannot
        distinguish from real ones; D then learns nothing for a long time, and samples become alike.
        D therefore trains alone for 4,000 images, and the generator's step size is a quarter
        (measured in experiments/README.md).

        Args:
            keep: Names of settings that are left as they are.
        """
        wanted: dict[str, Any] = {
            "generator_wait_kimg": _WARMUP_WAIT_KIMG,
            "generator_lr": _WARMUP_LR * self.generator_lr,
        }
        return replace(self, **{n: value for n, value in wanted.items() if n not in keep})

    @classmethod
    def preset(cls, size: int) -> TrainingSettings:
        """Settings for images of a size.

        R1's weight grows with the number of pixels and falls with the batch, the half-life of the
        moving average grows with the batch, as in Karras et al. 2020 ("ADA"), table 5 and
        appendix C.

        Raises:
            TrainingError: If the size is not one of `SIZES`.
        """
        check_size(size)
        batch = 32 if size == 1024 else 16
        gamma = round(0.0002 * size**2 / batch, 4)
        return cls(batch_images=batch, r1_gamma=gamma, ema_halflife_kimg=batch * 10 / 32)


@dataclass(frozen=True)
class InitSettings:
    """What the networks are before the first step.

    Attributes:
        size: Side of the images.
        init_from: Name or path of a trained generator to start from; None for random networks.
        channel_base: Channels at resolution r are ``min(channel_base // r, channel_max)``; None
            takes those of the generator to start from, or of the size's preset.
        channel_max: The same.
        architecture: Taken instead of the preset's or the other generator's; None for theirs.

    Raises:
        TrainingError: If the size is not one of `SIZES`.
    """

    size: int
    init_from: str | Path | None = None
    channel_base: int | None = None
    channel_max: int | None = None
    architecture: StyleGAN2Config | None = None

    def __post_init__(self) -> None:
        check_size(self.size)


def architecture_preset(size: int) -> StyleGAN2Config:
    """The generator for images of a size: configuration f at 512 and 1024, smaller below.

    Raises:
        TrainingError: If the size is not one of `SIZES`.
    """
    check_size(size)
    base, most, latent = {128: (8192, 256, 256), 256: (16384, 512, 512)}.get(
        size, (4096, 128, 128) if size < 128 else (32768, 512, 512)
    )
    return StyleGAN2Config(
        resolution=size, z_dim=latent, w_dim=latent, channel_base=base, channel_max=most
    )


def check_size(size: int) -> None:
    """Raise TrainingError for a size that cannot be trained on."""
    if size not in SIZES:
        raise TrainingError("size", got=size, expected=" or ".join(map(str, SIZES)))
