"""How many images are computed at once: as many as take a bounded amount of memory."""

from __future__ import annotations

from collections.abc import Sequence

_USUAL_PIXELS = 256 * 256


def at_once(most: int, size: Sequence[int]) -> int:
    """`most` of up to 256x256 pixels, and as many of larger images as take no more memory.

    Args:
        most: At least 1.
        size: Height and width of an image.

    Returns:
        From 1 to `most`.

    Example:
        >>> [at_once(16, (side, side)) for side in (64, 256, 512, 1024, 4096)]
        [16, 16, 4, 1, 1]
    """
    height, width = size
    return max(1, min(most, most * _USUAL_PIXELS // (height * width)))
