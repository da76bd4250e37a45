"""The architecture of a backward projector (section 4.1 of the paper), fitted to a value layer."""

from __future__ import annotations

from dataclasses import dataclass

from regen.errors import ProjectorError
from regen.generators.protocol import Latent, Split

_COARSEST = 4  # no level is smaller than this


@dataclass(frozen=True)
class ProjectorConfig:
    """The architecture; together with the tensors it is the whole projector.

    Attributes:
        resolution: Side R of the images, in pixels.
        value_channels: Channels C of the value layer.
        value_size: Side h of the value layer; R is h times a power of two.
        widths: Channels at the sizes h, h/2, h/4, ...
        blocks: Residual blocks at each of these sizes, before going coarser and again after.

    Raises:
        ProjectorError: If these sizes do not fit each other.
    """

    resolution: int
    value_channels: int
    value_size: int
    widths: tuple[int, ...] = (48, 96, 128, 128)
    blocks: tuple[int, ...] = (1, 1, 1, 1)

    def __post_init__(self) -> None:
        object.__setattr__(self, "widths", tuple(self.widths))
        object.__setattr__(self, "blocks", tuple(self.blocks))
        sizes = (self.resolution, self.value_channels, self.value_size)
        if min(sizes + self.widths + self.blocks, default=0) < 1 or not self.widths:
            raise ProjectorError("projector architecture: every size must be at least 1", got=self)
        ratio = self.resolution // self.value_size
        if ratio * self.value_size != self.resolution or ratio & (ratio - 1):
            raise ProjectorError(
                "projector architecture: side of the image over side of the value",
                got=f"{self.resolution} / {self.value_size}",
                expected="a power of two",
            )
        levels = len(self.widths)
        if len(self.blocks) != levels or self.value_size % (1 << (levels - 1)):
            raise ProjectorError(
                "projector architecture: widths and blocks",
                got=f"{list(self.widths)} and {list(self.blocks)} for a value of {self.value_size}",
                expected="as many of each, and a value whose side can be halved between them",
            )

    @classmethod
    def for_split(
        cls,
        split: Split[Latent],
        resolution: int,
        *,
        widths: tuple[int, ...] = widths,
        blocks: tuple[int, ...] = blocks,
    ) -> ProjectorConfig:
        """The architecture for a split of a generator, without the sizes that are too coarse.

        Raises:
            ProjectorError: If the value is not square, or does not fit the images.
        """
        height, width = split.value_size
        if height != width:
            raise ProjectorError("value layer", got=f"{height}x{width}", expected="a square one")
        levels = 1
        while levels < len(widths) and height % (2 << levels - 1) == 0:
            if height >> levels < _COARSEST:
                break
            levels += 1
        return cls(resolution, split.value_channels, height, widths[:levels], blocks[:levels])
