"""Settings of the first stage, section 4.1 of the paper: how a backward projector is trained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from math import inf
from typing import Literal, get_args

from regen.errors import ProjectorError
from regen.files.budget import is_finite
from regen.numbers import plain

Context = Literal["own", "mean", "swap"]
Schedule = Literal["cosine", "constant"]
Precision = Literal["auto", "fp32", "bf16"]

_INTERVALS = ("checkpoint_every_kimg", "report_every_kimg")
_POSITIVE, _FROM_ZERO = "a number above 0", "a number, 0 or more"


@dataclass(frozen=True)
class CompositeSettings:
    """What is pasted into samples. Sizes are pixels of an image of 128, and scale with the image.

    Attributes:
        pastes: Fewest and most pastes in one image, at least 1.
        radius: Smallest and largest half width of a paste.
        usual_radius: The same for the share `usual` of the pastes.
        usual: Share of pastes of the usual size.
        pieces: Share of pastes filled with a piece of another image.
        mirrored: Share of pastes that have a mirrored twin at the same height.
        softest: Largest width of a soft edge, in pixels.
    """

    pastes: tuple[int, int] = (2, 6)
    radius: tuple[float, float] = (3.0, 30.0)
    usual_radius: tuple[float, float] = (5.0, 15.0)
    usual: float = 0.6
    pieces: float = 0.35
    mirrored: float = 0.4
    softest: float = 6.0

    def __post_init__(self) -> None:
        for name in ("pastes", "radius", "usual_radius"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        few, most = self.pastes
        if not 1 <= few <= most:
            raise ProjectorError("composites: pastes", got=(few, most), expected="two, from 1")
        for name in ("usual", "pieces", "mirrored"):
            share = getattr(self, name)
            if not 0 <= share <= 1:
                raise ProjectorError(f"composites: {name}", got=share, expected="0 to 1")
        if not 0 < self.softest < inf:
            raise ProjectorError("composites: softest", got=self.softest, expected=_POSITIVE)
        for name in ("radius", "usual_radius"):
            low, high = getattr(self, name)
            if not 0 < low <= high <= 32:
                raise ProjectorError(f"composites: {name}", got=(low, high), expected="0 to 32")


@dataclass(frozen=True)
class ProjectorTrainingSettings:
    """Length, step sizes, images and losses of a training.

    Attributes:
        kimg: Length in thousands of images, all processes together.
        batch: Images in one step, all processes together.
        window: Side in pixels of the windows of samples that are trained on, one of each sample,
            see `regen.projector.windows`; 0 for whole images.
        lr: Step size of Adam for B, above 0.
        schedule: "cosine" lets it fall to 1 % of `lr` at the end, "constant" keeps it.
        warmup_kimg: Over this many images the step size rises from 0.
        feature_l1: Weight of the L1 of features, in normalised units. These four weigh the total
            loss of section 4.1.2 of the paper, see `regen.projector.losses`.
        adversarial: Weight of the feature discriminator's term; 0 trains without one.
        semi_cycle_l1: Weight of the L1 of decoded images.
        semi_cycle_ssim: Weight of 1 - SSIM of decoded images.
        paste_weight: In the semi-cycle's L1 a pasted pixel counts ``1 + paste_weight`` times.
        context: Which context decodes in the semi-cycle: the sample's "own", the "mean" latent's,
            or another sample's of the batch ("swap").
        composites: Share of the images with foreign patterns pasted in; 0 is the paper's choice.
        pastes: What these patterns are.
        discriminator_lr: Step size of Adam for the discriminator.
        r1_gamma: Weight of the R1 penalty.
        r1_every_steps: Steps between two R1 penalties, which are scaled up by as much.
        ema_halflife_kimg: The result is a moving average of B with this half-life; 0 takes B.
        precision: Of the convolutions in training; "auto" is bf16 where it is quicker, see
            `regen.precision`, else fp32. Weights are float32 always.
        checkpoint_every_kimg: Thousands of images between checkpoints.
        report_every_kimg: Thousands of images between reports.
        seed: Source of initial weights, samples and composites.

    Raises:
        ProjectorError: If a value is no number, not finite, or out of range.
    """

    kimg: float = 100.0
    batch: int = 16
    window: int = 0
    lr: float = 0.002
    schedule: Schedule = "cosine"
    warmup_kimg: float = 1.0
    feature_l1: float = 1.0
    adversarial: float = 0.02
    semi_cycle_l1: float = 4.0
    semi_cycle_ssim: float = 1.0
    paste_weight: float = 4.0
    context: Context = "own"
    composites: float = 0.75
    pastes: CompositeSettings = field(default_factory=CompositeSettings)
    discriminator_lr: float = 0.002
    r1_gamma: float = 0.1
    r1_every_steps: int = 16
    ema_halflife_kimg: float = 2.0
    precision: Precision = "auto"
    checkpoint_every_kimg: float = 5.0
    report_every_kimg: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        self._check_numbers()
        choices = {
            "schedule": get_args(Schedule),
            "context": get_args(Context),
            "precision": get_args(Precision),
        }
        for name, allowed in choices.items():
            if getattr(self, name) not in allowed:
                raise ProjectorError(name, got=getattr(self, name), expected=" or ".join(allowed))
        if self.window and self.context != "own":
            raise ProjectorError(
                "context", got=self.context, expected="own, since only windows are decoded"
            )
        if self.context == "swap" and self.batch < 2:
            raise ProjectorError("batch", got=self.batch, expected="2 or more to swap contexts")

    def _check_numbers(self) -> None:
        for name in ("kimg", "lr", "discriminator_lr", *_INTERVALS):
            self._check(name, float, _POSITIVE, lambda value: value > 0)
        for name in ("batch", "r1_every_steps"):
            self._check(name, int, "an integer above 0", lambda value: value > 0)
        weights = ("feature_l1", "adversarial", "semi_cycle_l1", "semi_cycle_ssim")
        others = ("paste_weight", "warmup_kimg", "r1_gamma", "ema_halflife_kimg")
        for name in (*weights, *others):
            self._check(name, float, _FROM_ZERO, lambda value: value >= 0)
        self._check("window", int, "an integer, 0 or more", lambda value: value >= 0)
        self._check("composites", float, "a share, 0 to 1", lambda value: 0 <= value <= 1)
        if not any(getattr(self, name) for name in weights):
            raise ProjectorError("training", got="no loss with a weight", expected="at least one")

    def _check(
        self, name: str, kind: type, expected: str, accepts: Callable[[float], bool]
    ) -> None:
        """Check a number; those of NumPy and torch become those of Python."""
        value = plain(getattr(self, name))
        accepted = (int, float) if kind is float else int
        if not (isinstance(value, accepted) and is_finite(value) and accepts(value)):
            raise ProjectorError(name, got=value, expected=expected)
        object.__setattr__(self, name, value)

    @property
    def steps(self) -> int:
        """How many steps the whole training takes."""
        return self.steps_of(self.kimg)

    def steps_of(self, kimg: float) -> int:
        """How many steps `kimg` thousand images take, at least one."""
        return max(1, round(kimg * 1000 / self.batch))

    def paper(self) -> ProjectorTrainingSettings:
        """These settings with the paper's choices: plain samples, own context, constant step."""
        return replace(self, composites=0.0, context="own", schedule="constant")
