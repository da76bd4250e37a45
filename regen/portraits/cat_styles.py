"""From a style code to the looks of a cat: eight normal numbers, one trait each.

The code is what a translator such as MUNIT takes beside an image. Each coordinate goes through the
normal distribution function, as those of `traits.attributes` do, and is stretched over the range
of its trait or looked up on a palette. Everything else about a cat comes from a person.
"""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

from regen.errors import RegenError
from regen.portraits.traits import Palette, Range, trait_values

STYLE_DIM = 8

RANGES: dict[str, Range] = {
    "stripes": (0.0, 1.0),
    "phase": (0.0, 3.2),
    "ears": (0.0, 1.0),
    "muzzle": (0.0, 1.0),
}

PALETTES: dict[str, Palette] = {
    "fur": (
        (0.30, 0.29, 0.32),
        (0.54, 0.54, 0.58),
        (0.90, 0.89, 0.88),
        (0.95, 0.83, 0.64),
        (0.93, 0.62, 0.30),
        (0.68, 0.45, 0.29),
    ),
    "marking": (
        (0.16, 0.15, 0.19),
        (0.36, 0.36, 0.41),
        (0.29, 0.19, 0.14),
        (0.50, 0.31, 0.19),
        (0.74, 0.38, 0.16),
    ),
    "eyes": (
        (0.95, 0.62, 0.13),
        (0.93, 0.83, 0.25),
        (0.60, 0.78, 0.29),
        (0.25, 0.66, 0.52),
        (0.30, 0.62, 0.90),
    ),
    "background": (
        (0.55, 0.72, 0.62),
        (0.50, 0.70, 0.80),
        (0.66, 0.64, 0.84),
        (0.90, 0.66, 0.72),
        (0.93, 0.80, 0.55),
    ),
}


class CatStyle(NamedTuple):
    """What distinguishes the looks of N cats: tensors ``[N]``, colours ``[N, 3]``, float32.

    Ranges and palettes are `RANGES` and `PALETTES`; field i is a function of the code's
    coordinate i.
    """

    fur: Tensor
    marking: Tensor
    stripes: Tensor
    phase: Tensor
    eyes: Tensor
    ears: Tensor
    muzzle: Tensor
    background: Tensor


def cat_style(code: Tensor) -> CatStyle:
    """The looks that style codes stand for.

    Args:
        code: Style codes ``[N, 8]``, floating, standard normal.

    Returns:
        The looks of N cats, on the code's device and in its dtype.

    Raises:
        RegenError: If the code has another shape.
    """
    if code.dim() != 2 or code.shape[1] != STYLE_DIM:
        got = f"shape {list(code.shape)}"
        raise RegenError("style codes of cats", got=got, expected=f"[N, {STYLE_DIM}]")
    return CatStyle(*trait_values(code, CatStyle._fields, RANGES, PALETTES))
