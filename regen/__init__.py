"""Rewrite the rules of a trained generator with patterns it has never seen.

    >>> import regen
    >>> generator = regen.open_generator("portraits")

The names below are imported on first use, so that `import regen` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from regen.api import (
        Edits,
        FitSettings,
        RefineSettings,
        Region,
        Rewrite,
        RewriteSettings,
        RuleSettings,
        Workbench,
        compose,
        edits_of,
        evaluate,
        generate,
        learn,
        load_image,
        load_mask,
        open_generator,
        open_projector,
        preset,
        preview,
        project,
        read_edits,
        rewrite,
        rewritten,
        sample,
        save_generator,
        save_image,
        sheet,
        to_pil,
    )
    from regen.errors import RegenError

    __version__: str

__all__ = [
    "Edits",
    "FitSettings",
    "RefineSettings",
    "RegenError",
    "Region",
    "Rewrite",
    "RewriteSettings",
    "RuleSettings",
    "Workbench",
    "__version__",
    "compose",
    "edits_of",
    "evaluate",
    "generate",
    "learn",
    "load_image",
    "load_mask",
    "open_generator",
    "open_projector",
    "preset",
    "preview",
    "project",
    "read_edits",
    "rewrite",
    "rewritten",
    "sample",
    "save_generator",
    "save_image",
    "sheet",
    "to_pil",
]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'regen' has no attribute {name!r}")
    if name == "__version__":
        from importlib.metadata import version  # several times what all else here takes

        return version("regen")
    module = import_module("regen.errors" if name == "RegenError" else "regen.api")
    return getattr(module, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
