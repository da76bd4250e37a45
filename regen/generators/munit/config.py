"""The architecture of a MUNIT translation network, as its files record it.

All widths of the encoders and the decoder are multiples of one: that of the features at the size of
the image.
"""

from __future__ import annotations

from dataclasses import dataclass

from regen.errors import GeneratorError
from regen.files.budget import LARGEST_FILLED_SIDE, LARGEST_WIDTH, MOST_CHANNELS, MOST_LAYERS

LAYOUTS = ("2018", "2021")
MULTIPLE = 4  # pixels; images are halved twice and doubled twice
SHRINKING = 4  # convolutions of the style encoder that halve the image
_SMALLEST = 16  # pixels, so that the style encoder has one left

_RANGES = {
    "width": (2, MOST_CHANNELS // 4),
    "blocks": (1, MOST_LAYERS),
    "style": (1, LARGEST_WIDTH),
    "mapping": (1, LARGEST_WIDTH),
    "size": (_SMALLEST, LARGEST_FILLED_SIDE),
}


@dataclass(frozen=True)
class MUNITConfig:
    """The architecture; together with the tensors it is the whole generator.

    Attributes:
        layout: "2018" of the first MUNIT, or "2021" of the improved one.
        width: Channels d of the features at the size of the image, even; 64 in the originals.
        blocks: Residual blocks n of the content encoder, and of the decoder; 4 in the originals.
        style: Numbers of a style; 8 in the originals.
        mapping: Width of the layers that a style goes through; 256 in the originals.
        size: Usual height and width of images in pixels, a multiple of 4; 256 in the originals.
            It is no part of their files.

    Raises:
        GeneratorError: If a value is of the wrong kind or out of its range.

    Example:
        >>> MUNITConfig().channels, MUNITConfig().convolutions
        ((64, 128, 256), 10)
    """

    layout: str = "2018"
    width: int = 64
    blocks: int = 4
    style: int = 8
    mapping: int = 256
    size: int = 256

    def __post_init__(self) -> None:
        if self.layout not in LAYOUTS:
            raise GeneratorError("layout", got=repr(self.layout), expected=" or ".join(LAYOUTS))
        for name, (least, most) in _RANGES.items():
            value = getattr(self, name)
            if type(value) is not int or not least <= value <= most:
                expected = f"an integer from {least} to {most}"
                raise GeneratorError(name, got=repr(value), expected=expected)
        for name, multiple in (("width", 2), ("size", MULTIPLE)):
            if getattr(self, name) % multiple:
                expected = f"a multiple of {multiple}"
                raise GeneratorError(name, got=getattr(self, name), expected=expected)

    @property
    def channels(self) -> tuple[int, int, int]:
        """Channels at the size of the image, at a half and at a quarter of it."""
        return self.width, 2 * self.width, 4 * self.width

    @property
    def convolutions(self) -> int:
        """Convolutions of the decoder before its last: two a block, and two that enlarge."""
        return 2 * self.blocks + 2

    @property
    def improved(self) -> bool:
        """Whether the layout is that of 2021."""
        return self.layout == "2021"
