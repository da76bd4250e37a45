"""What a rewrite must be: of finite numbers, and made for the generator that it is applied to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from regen.errors import RewriteError
from regen.generators import bundled
from regen.generators.protocol import Generator

_REAL = (torch.float32, torch.float16, torch.bfloat16, torch.float64)


def check_finite(path: Path | str, deltas: Mapping[str, Tensor]) -> None:
    """Raise RewriteError for the first delta that would ruin the weight it is added to."""
    for name, delta in deltas.items():
        if delta.dtype not in _REAL:
            got = str(delta.dtype).removeprefix("torch.")
            raise RewriteError(f"{path}: {name}", got=got, expected="float32")
        if not bool(delta.float().isfinite().all()):
            raise RewriteError(
                f"{path}: {name}",
                got="NaN or infinity",
                expected="finite numbers",
                remedy="learn the rewrite again, with a smaller --lr if its fit diverged",
            )


def named(base: str) -> str:
    """How messages call the generator with this digest."""
    return bundled.name_of(base) or f"generator {base[:12]}"


def check_fits(
    generator: Generator, parameters: Mapping[str, Tensor], base: str, deltas: Mapping[str, Tensor]
) -> None:
    """Check that a rewrite belongs to a generator as it is.

    Args:
        generator: The generator.
        parameters: Its parameters by name.
        base: Digest of the generator that the rewrite was made for.
        deltas: What the rewrite adds, by name.

    Raises:
        RewriteError: If it was made for another generator, or a delta has no parameter of its
            shape.
    """
    digest = generator.digest()
    if digest != base:
        owner = bundled.name_of(base)
        if owner is not None and generator.source_name != owner:
            raise RewriteError(
                "this rewrite belongs to another generator",
                got=generator.source_name or f"generator {digest[:12]}",
                expected=owner,
                remedy=f"use that one, for instance with --generator {owner}",
            )
        raise RewriteError(
            "this rewrite belongs to another generator, or to this one before it was changed",
            got=f"generator {digest[:12]}",
            expected=f"generator {base[:12]}",
            remedy="open the generator it was made for; compose rewrites before applying them",
        )
    for name, delta in deltas.items():
        if name not in parameters or parameters[name].shape != delta.shape:
            shape = list(parameters[name].shape) if name in parameters else "no such parameter"
            raise RewriteError(f"rewrite of {name}", got=list(delta.shape), expected=f"{shape}")
