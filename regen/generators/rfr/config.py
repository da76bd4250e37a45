"""The architecture of an RFR inpainting network, as its files record it.

All widths are multiples of one: that of the features at half the size of the image.
"""

from __future__ import annotations

from dataclasses import dataclass

from regen.errors import GeneratorError
from regen.files.budget import LARGEST_FILLED_SIDE, MOST_CHANNELS, MOST_ROUNDS

MULTIPLE = 16  # pixels; images of other sizes are padded to one
NORMS = 18  # batch norms of the network
MOST_BATCHES = 2**53  # that a float64, and so a JSON number, counts exactly
_WIDEST = MOST_CHANNELS // 8  # the innermost features are eight times as wide

_RANGES = {
    "width": (8, _WIDEST),
    "kernel": (3, 7),
    "rounds": (1, MOST_ROUNDS),
    "size": (MULTIPLE, LARGEST_FILLED_SIDE),
}


@dataclass(frozen=True)
class RFRConfig:
    """The architecture; together with the tensors it is the whole generator.

    Attributes:
        width: Channels w of the features at half size, a multiple of 8; 64 in the original.
        kernel: Kernel k of the partial convolutions at half size: 7, 5 for smaller holes, or 3.
        rounds: How often the hole is narrowed and its inside reasoned about, from 1; 6 in the
            original. It is no part of the original's files.
        size: Usual height and width of images in pixels; 256 in the original.
        batches: How many batches each batch norm has seen, in the order of the original's file;
            empty where it is not known. Nothing depends on it; kept for writing files back.

    Raises:
        GeneratorError: If a value is of the wrong kind or out of its range.

    Example:
        >>> RFRConfig().channels
        (64, 128, 256, 512)
    """

    width: int = 64
    kernel: int = 7
    rounds: int = 6
    size: int = 256
    batches: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        for name, (least, most) in _RANGES.items():
            _check_integer(name, getattr(self, name), least, most)
        if self.width % 8:
            raise GeneratorError("width", got=self.width, expected="a multiple of 8")
        if self.kernel % 2 == 0:
            raise GeneratorError("kernel", got=self.kernel, expected="3, 5 or 7")
        object.__setattr__(self, "batches", _checked_batches(self.batches))

    @property
    def channels(self) -> tuple[int, int, int, int]:
        """Channels at a half, a quarter, an eighth and a sixteenth of the image's size."""
        return self.width, 2 * self.width, 4 * self.width, 8 * self.width


def _check_integer(name: str, value: object, least: int, most: int) -> None:
    if type(value) is not int or not least <= value <= most:
        raise GeneratorError(name, got=repr(value), expected=f"an integer from {least} to {most}")


def _checked_batches(batches: object) -> tuple[int, ...]:
    if not isinstance(batches, (list, tuple)) or len(batches) not in (0, NORMS):
        raise GeneratorError("batches", got=repr(batches)[:80], expected=f"0 or {NORMS} integers")
    for count in batches:
        _check_integer("batches of a norm", count, 0, MOST_BATCHES)
    return tuple(batches)
