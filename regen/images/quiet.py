"""Decode without what C libraries print: libtiff writes to the process's standard error.

Whatever is wrong with an image is said once, by the error that is raised.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Lock

from PIL import Image

_STDERR = 2
_ONE_AT_A_TIME = Lock()


def load_quietly(image: Image.Image) -> None:
    """Decode an opened image. Raises whatever Pillow raises."""
    if image.format != "TIFF":
        image.load()
        return
    with _ONE_AT_A_TIME, _silence():
        image.load()


@contextmanager
def _silence() -> Iterator[None]:
    """Let nothing that the process writes to its standard error through in the block."""
    try:
        kept = os.dup(_STDERR)
    except OSError:  # there is none
        yield
        return
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, _STDERR)
        os.close(nowhere)
        yield
    finally:
        with suppress(OSError):
            os.dup2(kept, _STDERR)
        os.close(kept)
