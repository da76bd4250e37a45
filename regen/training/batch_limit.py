"""How many images one step may take: what no machine has memory for is refused before it is tried.

A step on images of 256x256 takes a gigabyte an image. The limit leaves room for small networks.
"""

from __future__ import annotations

from collections.abc import Sequence

from regen.errors import RegenError
from regen.training.environment import process_count

MOST_PIXELS = 1 << 26  # in a process: 64 images of 1024x1024, or 1024 of 256x256


def check_batch(name: str, images: int, size: Sequence[int], kind: type[RegenError]) -> None:
    """Raise `kind` if a step has more images than any machine can train on.

    Args:
        name: Of the setting, for the message.
        images: In a step, of all processes together.
        size: Height and width of what is trained on of each image, in pixels.
        kind: Of the error.

    Example:
        >>> check_batch("batch", 1024, (256, 256), RegenError)
        >>> check_batch("batch", 1025, (256, 256), RegenError)
        Traceback (most recent call last):
        regen.errors.RegenError: batch: got 1025, expected at most 1024 images of 256x256
    """
    height, width = size
    processes = process_count()
    most = max(1, MOST_PIXELS // (height * width)) * processes
    if images > most:
        among = f" in {processes} processes" if processes > 1 else ""
        raise kind(name, got=images, expected=f"at most {most} images of {width}x{height}{among}")
