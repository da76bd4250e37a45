"""The architecture of a backward projector (section 4.1 of the paper), fitted to a value layer."""

from __future__ import annotations

from dataclasses import dataclass

from regen.errors import ProjectorError
from regen.generators.protocol import Generator
from regen.generators.split import Split

_COARSEST = 4  # no level is smaller than this


Size = int | tuple[int, int]  # a side in pixels, or height and width


@dataclass(frozen=True)
class ProjectorConfig:
    """The architecture; together with the tensors it is the whole projector.

    Attributes:
        resolution: Side of the images in pixels, or height and width where they are not square.
        value_channels: Channels C of the value layer.
        value_size: Side of the value layer, or height and width; the images are larger by a power
            of two.
        widths: Channels at the value's size, half of it, a quarter, ...
        blocks: Residual blocks at each of these sizes, before going coarser and again after.
        guides: Channels that B takes beside the image's three: 1 for where the image can change,
            in a family whose images change in part, and 0 in others.

    Raises:
        ProjectorError: If these sizes do not fit each other.
    """

    resolution: Size
    value_channels: int
    value_size: Size
    widths: tuple[int, ...] = (48, 96, 128, 128)
    blocks: tuple[int, ...] = (1, 1, 1, 1)
    guides: int = 0

    def __post_init__(self) -> None:
        for name in ("widths", "blocks"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        for name in ("resolution", "value_size"):
            object.__setattr__(self, name, _normalised(getattr(self, name)))
        sizes = (*self.image_size, *self.value_shape)
        if min(sizes + self.widths + self.blocks, default=0) < 1 or not self.widths:
            raise ProjectorError("projector architecture: every size must be at least 1", got=self)
        if type(self.guides) is not int or self.guides not in (0, 1):
            raise ProjectorError(
                "projector architecture: guides", got=self.guides, expected="0 or 1"
            )
        _, h, w = self.value_shape
        ratio = self.ratio
        if (ratio * h, ratio * w) != self.image_size or ratio & (ratio - 1):
            raise ProjectorError(
                "projector architecture: size of the image over size of the value",
                got=f"{self.resolution} / {self.value_size}",
                expected="a power of two, the same along both axes",
            )
        levels = len(self.widths)
        if len(self.blocks) != levels or h % (1 << (levels - 1)) or w % (1 << (levels - 1)):
            raise ProjectorError(
                "projector architecture: widths and blocks",
                got=f"{list(self.widths)} and {list(self.blocks)} for a value of {self.value_size}",
                expected="as many of each, and a value whose sides can be halved between them",
            )

    @property
    def channels(self) -> int:
        """Channels of what B takes: the image's, and its guides."""
        return 3 + self.guides

    @property
    def image_size(self) -> tuple[int, int]:
        """Height and width of the images, in pixels."""
        return _pair(self.resolution)

    @property
    def value_shape(self) -> tuple[int, int, int]:
        """Channels, height and width of the value."""
        return self.value_channels, *_pair(self.value_size)

    @property
    def ratio(self) -> int:
        """Number of pixels that a position of the value spans along each axis."""
        return self.image_size[0] // self.value_shape[1]

    @property
    def reach(self) -> int:
        """Pixels beyond a position of the value that its feature depends on, coarser sizes apart.

        The first convolution of the downsampler reaches 3 pixels, or 1 where nothing is halved,
        those of stride 2 two of their positions; each other convolution one position.
        """
        halvings = self.ratio.bit_length() - 1
        down = 3 + sum(2 << i for i in range(1, halvings)) if halvings else 1
        blocks = 2 * 2 * self.blocks[0]  # two convolutions each, before and after the coarser sizes
        return down + (blocks + 1) * self.ratio

    @classmethod
    def for_split(
        cls,
        split: Split,
        generator: Generator,
        *,
        widths: tuple[int, ...] = widths,
        blocks: tuple[int, ...] = blocks,
    ) -> ProjectorConfig:
        """The architecture for a split of a generator, without the sizes that are too coarse.

        Raises:
            ProjectorError: If the value does not fit the images.
        """
        channels, height, width = split.value_shape(generator.image_size)
        levels = 1
        while levels < len(widths) and not (height % (1 << levels) or width % (1 << levels)):
            if min(height, width) >> levels < _COARSEST:
                break
            levels += 1
        size = (height, width)
        guides = int(generator.changes_in_part)
        return cls(generator.image_size, channels, size, widths[:levels], blocks[:levels], guides)


def _pair(size: Size) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else size


def _normalised(size: object) -> Size:
    """A side where both are equal, as files of square images have it; otherwise a pair.

    Raises:
        ProjectorError: If it is neither.
    """
    if isinstance(size, int) and not isinstance(size, bool):
        return size
    sides = tuple(size) if isinstance(size, (list, tuple)) else ()
    if len(sides) != 2 or not all(type(side) is int for side in sides):
        raise ProjectorError(
            "projector architecture: size", got=repr(size), expected="a side, or two"
        )
    return sides[0] if sides[0] == sides[1] else (sides[0], sides[1])
