"""A discriminator that travels with its generator: tensors and what they are, never run here.

Training continues in the tool the file came from or goes to, so `regen` only has to keep it whole.
Tensors have the names of NVIDIA's torch code without its resampling filters, which the
architecture determines: ``b64.conv0.weight``, ``b4.fc.bias``, ``mapping.embed.weight``.

Source of the architecture: Karras et al. 2020, "Analyzing and Improving the Image Quality of
StyleGAN", figure 7 and appendix B; of the class-conditional one, Karras et al. 2020, "Training
Generative Adversarial Networks with Limited Data", appendix C.

Letters: r resolution.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

import torch
from torch import Tensor

from regen.errors import GeneratorError
from regen.files import tensor_file
from regen.files.budget import (
    LARGEST_RESOLUTION,
    LARGEST_WIDTH,
    MOST_CHANNELS,
    MOST_CLASSES,
    MOST_LAYERS,
)
from regen.generators.stylegan2.config import check_positive, check_size, checked_taps

Architecture = Literal["resnet", "skip", "orig"]
_RANGES = {
    "resolution": (8, LARGEST_RESOLUTION),
    "label_dim": (0, MOST_CLASSES),
    "label_features": (0, LARGEST_WIDTH),
    "mapping_layers": (0, MOST_LAYERS),
    "stddev_channels": (0, MOST_CHANNELS),
    "num_fp16_res": (0, MOST_LAYERS),
}


@dataclass(frozen=True)
class DiscriminatorConfig:
    """The architecture of a StyleGAN2 discriminator.

    Attributes:
        resolution: Of the images it judges, in pixels, a power of two from 8.
        architecture: "resnet" (residual), "skip" (colours enter at each resolution) or "orig".
        channels: Output channels of the convolutions by resolution, from `resolution` down to 4.
        label_dim: Number of classes, 0 for an unconditional one.
        label_features: Dimensions of the mapped label, 0 for an unconditional one.
        mapping_layers: Fully connected layers that map the label.
        mapping_lr_multiplier: Their learning-rate factor.
        stddev_group: Samples whose deviation is measured together, None for the whole batch.
        stddev_channels: Channels added for that deviation, 0 for none.
        conv_clamp: Limit of the activations, or None.
        resample_taps: One-dimensional filter used in downsampling.
        num_fp16_res: How many of the highest resolutions NVIDIA's code computes in float16.

    Raises:
        GeneratorError: If the resolution, the architecture or the channels are not possible.
    """

    resolution: int
    architecture: Architecture
    channels: tuple[int, ...]
    label_dim: int = 0
    label_features: int = 0
    mapping_layers: int = 0
    mapping_lr_multiplier: float = 0.01
    stddev_group: int | None = 4
    stddev_channels: int = 1
    conv_clamp: float | None = None
    resample_taps: tuple[float, ...] = (1.0, 3.0, 3.0, 1.0)
    num_fp16_res: int = 0

    def __post_init__(self) -> None:
        for name, (least, most) in _RANGES.items():
            check_size(f"discriminator: {name}", getattr(self, name), least, most)
        if self.resolution & (self.resolution - 1):
            raise GeneratorError("discriminator: resolution", got=self.resolution)
        if self.architecture not in ("resnet", "skip", "orig"):
            raise GeneratorError("discriminator: architecture", got=self.architecture)
        if self.stddev_group is not None:
            check_size("discriminator: stddev_group", self.stddev_group, 1, LARGEST_WIDTH)
        check_positive("discriminator: mapping_lr_multiplier", self.mapping_lr_multiplier)
        if self.conv_clamp is not None:
            check_positive("discriminator: conv_clamp", self.conv_clamp)
        self._check_channels()
        taps = checked_taps("discriminator: resample_taps", self.resample_taps)
        object.__setattr__(self, "resample_taps", taps)

    def _check_channels(self) -> None:
        channels: object = self.channels
        if not isinstance(channels, (list, tuple)):
            raise GeneratorError("discriminator: channels", got=repr(channels))
        if len(channels) != self.resolution.bit_length() - 2:
            raise GeneratorError("discriminator: channels", got=list(channels))
        for count in channels:
            check_size("discriminator: channels", count, 1, MOST_CHANNELS)
        object.__setattr__(self, "channels", tuple(channels))

    def at(self, resolution: int) -> int:
        """Channels at a resolution, from 4 up to that of the images."""
        return self.channels[self.resolution.bit_length() - resolution.bit_length()]

    def resolutions(self) -> list[int]:
        """Resolutions of its blocks, from the images' own down to 8."""
        return [1 << i for i in range(self.resolution.bit_length() - 1, 2, -1)]

    def shapes(self) -> Iterator[tuple[str, list[int]]]:
        """Name and shape of each tensor."""
        for r in self.resolutions():
            here, below = self.at(r), self.at(r // 2)
            if r == self.resolution or self.architecture == "skip":
                yield from _layer(f"b{r}.fromrgb", [here, 3, 1, 1])
            yield from _layer(f"b{r}.conv0", [here, here, 3, 3])
            yield from _layer(f"b{r}.conv1", [below, here, 3, 3])
            if self.architecture == "resnet":
                yield f"b{r}.skip.weight", [below, here, 1, 1]
        last = self.at(4)
        if self.architecture == "skip":
            yield from _layer("b4.fromrgb", [last, 3, 1, 1])
        yield from _layer("b4.conv", [last, last + self.stddev_channels, 3, 3])
        yield from _layer("b4.fc", [last, last * 16])
        yield from _layer("b4.out", [self.label_features or 1, last])
        if self.label_dim:
            yield from self._label_shapes()

    def _label_shapes(self) -> Iterator[tuple[str, list[int]]]:
        width = self.label_features
        yield from _layer("mapping.embed", [width, self.label_dim])
        for i in range(self.mapping_layers):
            yield from _layer(f"mapping.fc{i}", [width, width])


@dataclass(frozen=True)
class Discriminator:
    """A discriminator as data.

    Attributes:
        config: Its architecture.
        tensors: By name, float32; see `DiscriminatorConfig.shapes`.
    """

    config: DiscriminatorConfig
    tensors: Mapping[str, Tensor]

    @classmethod
    def checked(
        cls, config: DiscriminatorConfig, tensors: Mapping[str, Tensor], where: str
    ) -> Discriminator:
        """A discriminator whose tensors match its architecture.

        Raises:
            StoreError: If they do not.
        """
        wanted = {name: torch.empty(shape, device="meta") for name, shape in config.shapes()}
        return cls(config, tensor_file.check_tensors(tensors, wanted, f"{where}: discriminator"))

    @property
    def image_size(self) -> tuple[int, int]:
        """Height and width of the images it judges, in pixels."""
        return self.config.resolution, self.config.resolution

    def header(self) -> dict[str, Any]:
        """Its architecture as JSON values."""
        return asdict(self.config)


def read_discriminator_header(header: object, where: str) -> DiscriminatorConfig:
    """The architecture that `Discriminator.header` wrote.

    Raises:
        GeneratorError: If it is not one.
    """
    known = {field.name for field in fields(DiscriminatorConfig)}
    if not isinstance(header, dict) or set(header) != known:
        raise GeneratorError(f"{where}: architecture of the discriminator", got=repr(header))
    try:
        return DiscriminatorConfig(**header)
    except GeneratorError as error:
        raise GeneratorError(
            f"{where}: architecture of the discriminator: {error}", remedy="the file is damaged"
        ) from error


def _layer(name: str, weight: list[int]) -> Iterator[tuple[str, list[int]]]:
    yield f"{name}.weight", weight
    yield f"{name}.bias", weight[:1]
