"""Import torch for one command: sooner there, and sooner gone at the end."""

from __future__ import annotations

import gc
import sys

from regen.errors import RegenError


def import_torch() -> None:
    """Import torch, unless it is imported already, and exempt it from garbage collection.

    Torch makes some 400,000 objects that live until the process ends. Python's collector looks
    through them several times while they are made and once more at the end, which is a tenth of
    the import and half a second in all. It is paused meanwhile, and afterwards leaves alone
    everything that is there (``gc.freeze``); whatever the command makes is collected as usual.

    Raises:
        RegenError: If torch is not installed, or a library that it needs cannot be loaded.
    """
    if "torch" in sys.modules:
        return
    collecting = gc.isenabled()
    gc.disable()
    try:
        import torch  # noqa: F401
    except (ImportError, OSError) as error:
        raise RegenError(
            f"torch cannot be imported: {error}",
            remedy="install it again: pip install --force-reinstall torch",
        ) from error
    finally:
        gc.freeze()
        if collecting:
            gc.enable()
