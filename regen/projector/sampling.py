"""Training images made on the fly: samples of the generator, their values, and pastes.

Shapes: N images of a batch; H, W their height and width; C, h, w channels, height and width of the
value.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from regen.generators.crops import CropSplit, Window, cut
from regen.generators.protocol import Generator, Source
from regen.generators.samples import random_samples
from regen.generators.split import Activation, Latent, Split
from regen.images.raster import size_of
from regen.projector.composites import composite
from regen.projector.guide import guided
from regen.projector.settings import ProjectorTrainingSettings
from regen.projector.windows import WindowPlan
from regen.seeds import VALUE_STATISTICS
from regen.training.graphs import Graphs, graphs_for
from regen.training.transfer import sent

_LARGEST = 2**31


@dataclass(frozen=True)
class Batch:
    """Inputs of B for one step, and the targets of its prediction.

    Attributes:
        image: ``[N, 3, H, W]`` in [-1, 1], pastes included.
        pasted: Where something foreign was pasted, ``[N, 1, H, W]`` in [0, 1].
        kept: Where `value` still holds for the image, ``[N, 1, h, w]``, 0 or 1.
        value: The sample's own value, in the precision of training: ``[N, C, h, w]``, or, of
            windows, with the positions around it that the tail needs beside.
        counted: Where windows count in the losses, ``[N, 1, H, W]``, 1 or 0; None where whole
            images do.
        ring: Rows above and columns left of the predicted positions in `value`.
        guide: Where the images can change, ``[N, 1, H, W]`` of 0 and 1; None for everywhere.
    """

    image: Tensor
    pasted: Tensor
    kept: Tensor
    value: Activation
    counted: Tensor | None = None
    ring: tuple[int, int] = (0, 0)
    guide: Tensor | None = None

    @property
    def seen(self) -> Tensor:
        """What B takes, see `guided`."""
        return guided(self.image, self.guide)

    @property
    def wanted(self) -> Tensor:
        """The values ``[N, C, h, w]`` at the positions that B predicts."""
        return self.value.features[self._predicted()]

    def completed(self, prediction: Tensor) -> Tensor:
        """What the tail decodes: a prediction ``[N, C, h, w]``, within the sample's own value."""
        if prediction.shape == self.value.features.shape:
            return prediction
        whole = self.value.features.clone()
        whole[self._predicted()] = prediction
        return whole

    def _predicted(self) -> tuple[slice, ...]:
        (top, left), (h, w) = self.ring, self.kept.shape[2:]
        return (slice(None), slice(None), slice(top, top + h), slice(left, left + w))


def kept_positions(pasted: Tensor, value: Tensor) -> Tensor:
    """Positions of the value, 1 or 0, that no paste reaches, with a margin of one cell.

    Args:
        pasted: Masks ``[N, 1, H, W]`` in [0, 1].
        value: Features ``[N, C, h, w]``, whose size is used; at most that of the images.

    Returns:
        ``[N, 1, h, w]``, float32.

    Example:
        >>> pasted = torch.zeros(1, 1, 8, 8)
        >>> pasted[..., 7, 7] = 1
        >>> kept_positions(pasted, torch.zeros(1, 2, 4, 4))[0, 0].int().tolist()
        [[1, 1, 1, 1], [1, 1, 1, 1], [1, 1, 0, 0], [1, 1, 0, 0]]
    """
    reached = F.max_pool2d(F.adaptive_max_pool2d(pasted, size_of(value)), 3, stride=1, padding=1)
    return (reached < 0.02).float()


class Sampler:
    """Generates batches. All randomness comes from `random`, whose state can be saved.

    Args:
        generator: In eval mode, its parameters frozen.
        split: The same generator, cut at the value layer.
        source: Its samples.
        settings: Batch, composites and context are used.
        count: Images in a batch of this process.
        seed: Of this process.
        extra: Images ``[M, 3, H, W]`` to paste pieces of, or None.
        plan: Which windows of the samples are trained on; None for whole images.
        graphs: How whole samples are computed; by default as suits the device.

    Attributes:
        graphs: How a training should run on these batches: windows are Python's numbers, another
            recording each, so steps on them are called as they are.
    """

    def __init__(
        self,
        generator: Generator,
        split: Split,
        source: Source,
        settings: ProjectorTrainingSettings,
        *,
        count: int,
        seed: int,
        extra: Tensor | None = None,
        plan: WindowPlan | None = None,
        graphs: Graphs | None = None,
    ) -> None:
        self.generator, self.split, self.settings, self.plan = generator, split, settings, plan
        self.source = source
        self.count = count
        self.extra = None if extra is None else extra.to(generator.device)
        self.random = torch.Generator().manual_seed(seed)
        suited = graphs or graphs_for(generator.device, recordable=split.recordable)
        self.graphs = suited if plan is None else Graphs(None)
        self._mean: Activation | None = None

    @torch.no_grad()
    def next_batch(self) -> Batch:
        """The next batch. What is recorded of it holds until the batch after it."""
        numbers = torch.randint(_LARGEST, [self.count], generator=self.random).tolist()
        samples = random_samples(self.source, numbers, varied=True)
        latents = self.generator.latents(samples)
        if self.plan is not None:
            return self._windows(self.plan, latents)
        value, plain = self.graphs.run("samples", self._valued, latents)
        guide = self.generator.changeable(latents)
        image, pasted = self._pasted(plain)
        if guide is not None:  # elsewhere nothing foreign can be
            image, pasted = plain.lerp(image, guide), pasted * guide
        kept = kept_positions(pasted, value.features)
        return Batch(image, pasted, kept, value, guide=guide)

    def _valued(self, latents: Latent) -> tuple[Activation, Tensor]:
        """Values of latents, and their images ``[N, 3, H, W]``."""
        value = self.split.value_of(latents)
        return value, self.split.tail(value).float()

    def _windows(self, plan: WindowPlan, latents: Latent) -> Batch:
        """A batch of windows, one of each sample."""
        windows, value = self._window_values(plan, latents)
        image, pasted = self._pasted(self.split.tail(value).float())
        counted = sent(plan.counted(windows), image.device)
        there = kept_positions(pasted, image[:, :, :: plan.ratio, :: plan.ratio])
        kept = there * (F.avg_pool2d(counted, plan.ratio) == 1)
        return Batch(image, pasted, kept, value, counted, plan.ring(self.split, windows))

    def _window_values(self, plan: WindowPlan, latents: Latent) -> tuple[list[Window], Activation]:
        """Random windows, one of each sample, and the values that their images need."""
        assert isinstance(self.split, CropSplit)
        windows = plan.choose(len(latents), self.random)
        return windows, self.split.recall(self.split.crop_key(self.split.head(latents), windows))

    def _values(self, latents: Latent) -> Activation:
        """Values of latents; of windows where these are trained on."""
        if self.plan is None:
            return self.split.value_of(latents)
        return self._window_values(self.plan, latents)[1]

    def _pasted(self, plain: Tensor) -> tuple[Tensor, Tensor]:
        """Composites of the first images of a batch, and the rest as they are."""
        many = round(self.settings.composites * len(plain))
        none = torch.zeros_like(plain[:, :1])
        if many == 0:
            return plain, none
        extra, whole = self.extra, None
        if self.plan is not None:
            whole = self.plan.image_size
            extra = None if extra is None else self._extra_windows(self.plan, extra)
        image, pasted = composite(
            plain[:many], self.random, settings=self.settings.pastes, extra=extra, whole=whole
        )
        return torch.cat([image, plain[many:]]), torch.cat([pasted, none[many:]])

    def _extra_windows(self, plan: WindowPlan, extra: Tensor) -> Tensor:
        """The same random window of all extra images."""
        (window,) = plan.choose(1, self.random)
        return cut(extra, [window] * len(extra))

    @torch.no_grad()
    def decoding_context(self, value: Activation) -> Activation:
        """The activation whose context decodes B's prediction for `value`'s images."""
        count, device = len(value.features), value.features.device
        if self.settings.context == "own":
            return value
        if self.settings.context == "swap":
            return value.select(torch.arange(count, device=device).roll(-1))
        if self._mean is None:
            self._mean = self.split.value_of(self.generator.latents(self.source.typical(1)))
        return self._mean.select(torch.zeros(count, dtype=torch.int64, device=device))

    @torch.no_grad()
    def statistics(self, samples: int = 256) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of each channel of the value, ``[1, C, 1, 1]`` each.

        Of windows where they are trained on: random ones, others at each call.
        """
        mean = square = torch.zeros([])
        indices = VALUE_STATISTICS.take(samples)
        for first in range(0, samples, 16):
            chosen = random_samples(self.source, indices[first : first + 16], varied=True)
            values = self._values(self.generator.latents(chosen)).features.float()
            share = len(values) / samples
            mean = mean + share * values.mean(dim=(0, 2, 3))
            square = square + share * values.square().mean(dim=(0, 2, 3))
        std = (square - mean.square()).clamp_min(0).sqrt()
        std = std.clamp_min(1e-3 * float(std.max()) or 1.0)  # a channel that never changes
        return mean.reshape(1, -1, 1, 1), std.reshape(1, -1, 1, 1)
