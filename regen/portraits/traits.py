"""From a latent to the attributes of a person: every attribute a smooth function of one coordinate.

A latent z is normalised as StyleGAN2's mapping network does it; each coordinate then goes through
the normal distribution function, which makes it uniform on (0, 1), and is stretched over the range
of its attribute or looked up on a palette. Nothing is discontinuous: a small step in z is a small
step in every attribute.

Units: lengths are 1/128 of the image's side, angles radians, colours RGB in [0, 1].
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from regen.errors import RegenError

Range = tuple[float, float]
Palette = tuple[tuple[float, float, float], ...]

Z_DIM = 32

# What each coordinate of z means, in order: the range of a number, or the palette of a colour.
RANGES: dict[str, Range] = {
    "shift_x": (-4.0, 4.0),
    "shift_y": (-1.5, 3.0),
    "scale": (0.94, 1.05),
    "tilt": (-0.07, 0.07),
    "turn": (-3.5, 3.5),
    "face_width": (36.0, 40.0),
    "jaw": (0.05, 0.32),
    "hair_length": (0.0, 1.0),
    "hair_volume": (0.0, 1.0),
    "fringe": (0.0, 1.0),
    "parting": (-1.0, 1.0),
    "brow_thickness": (1.1, 2.5),
    "brow_height": (12.4, 15.6),
    "brow_tilt": (-0.22, 0.05),
    "eye_size": (0.93, 1.08),
    "eye_spacing": (17.0, 19.0),
    "eye_openness": (0.80, 1.15),
    "gaze": (-2.6, 2.6),
    "nose_length": (15.0, 19.5),
    "nose_width": (4.4, 7.0),
    "mouth_width": (10.0, 14.5),
    "smile": (0.5, 5.0),
    "mouth_openness": (0.0, 3.4),
    "blush": (0.0, 1.0),
    "neckline": (0.0, 1.0),
    "light": (-1.0, 1.0),
}

PALETTES: dict[str, Palette] = {
    "skin": (
        (0.99, 0.87, 0.79),
        (0.96, 0.79, 0.68),
        (0.91, 0.70, 0.56),
        (0.81, 0.59, 0.44),
        (0.67, 0.46, 0.33),
        (0.52, 0.34, 0.24),
        (0.40, 0.26, 0.19),
    ),
    "hair": (
        (0.11, 0.09, 0.11),
        (0.22, 0.14, 0.11),
        (0.37, 0.23, 0.15),
        (0.55, 0.30, 0.16),
        (0.76, 0.42, 0.19),
        (0.83, 0.63, 0.36),
        (0.83, 0.74, 0.57),
        (0.66, 0.66, 0.69),
    ),
    "iris": (
        (0.30, 0.17, 0.09),
        (0.47, 0.29, 0.13),
        (0.42, 0.47, 0.24),
        (0.25, 0.52, 0.46),
        (0.26, 0.52, 0.78),
        (0.50, 0.59, 0.67),
    ),
    "lips": (
        (0.78, 0.46, 0.42),
        (0.88, 0.47, 0.46),
        (0.82, 0.26, 0.29),
        (0.60, 0.19, 0.31),
    ),
    "clothes": (
        (0.17, 0.24, 0.40),
        (0.24, 0.46, 0.62),
        (0.26, 0.57, 0.53),
        (0.56, 0.66, 0.42),
        (0.93, 0.76, 0.42),
        (0.90, 0.52, 0.39),
        (0.74, 0.31, 0.37),
        (0.47, 0.34, 0.55),
    ),
    "background": (
        (0.62, 0.80, 0.88),
        (0.67, 0.86, 0.78),
        (0.88, 0.89, 0.70),
        (0.98, 0.84, 0.67),
        (0.97, 0.74, 0.68),
        (0.85, 0.72, 0.86),
    ),
}


class Attributes(NamedTuple):
    """Everything that distinguishes N people: tensors ``[N]``, colours ``[N, 3]``, float32.

    Ranges and palettes are `RANGES` and `PALETTES`; field i is a function of z's coordinate i.
    """

    shift_x: Tensor
    shift_y: Tensor
    scale: Tensor
    tilt: Tensor
    turn: Tensor
    face_width: Tensor
    jaw: Tensor
    hair_length: Tensor
    hair_volume: Tensor
    fringe: Tensor
    parting: Tensor
    brow_thickness: Tensor
    brow_height: Tensor
    brow_tilt: Tensor
    eye_size: Tensor
    eye_spacing: Tensor
    eye_openness: Tensor
    gaze: Tensor
    nose_length: Tensor
    nose_width: Tensor
    mouth_width: Tensor
    smile: Tensor
    mouth_openness: Tensor
    blush: Tensor
    neckline: Tensor
    light: Tensor
    skin: Tensor
    hair: Tensor
    iris: Tensor
    lips: Tensor
    clothes: Tensor
    background: Tensor


def attributes(z: Tensor) -> Attributes:
    """The people that latents stand for.

    Args:
        z: Latents ``[N, 32]``, floating; only their directions matter.

    Returns:
        The attributes of N people, on z's device and in z's dtype.

    Raises:
        RegenError: If z has another shape.
    """
    if z.dim() != 2 or z.shape[1] != Z_DIM:
        raise RegenError(
            "latents of portraits", got=f"shape {list(z.shape)}", expected=f"[N, {Z_DIM}]"
        )
    z = z * torch.rsqrt(z.square().mean(dim=1, keepdim=True) + 1e-8)
    return Attributes(*trait_values(z, Attributes._fields, RANGES, PALETTES))


def trait_values(
    normal: Tensor,
    names: Sequence[str],
    ranges: Mapping[str, Range],
    palettes: Mapping[str, Palette],
) -> list[Tensor]:
    """What standard normal numbers stand for, a trait each.

    Args:
        normal: ``[N, T]``, floating.
        names: Of the T traits, each in one of the following.
        ranges: Over which the normal distribution function of a number is stretched.
        palettes: On which it is looked up.

    Returns:
        In the order of the names: numbers ``[N]``, or colours ``[N, 3]``.
    """
    values = []
    for name, position in zip(names, torch.special.ndtr(normal).unbind(dim=1), strict=True):
        if name in ranges:
            low, high = ranges[name]
            values.append(low + (high - low) * position)
        else:
            values.append(_palette_colour(palettes[name], position))
    return values


def _palette_colour(palette: Palette, position: Tensor) -> Tensor:
    """Colours ``[N, 3]`` at positions ``[N]`` in [0, 1] along a palette, linearly in between."""
    colours = torch.tensor(palette, dtype=position.dtype, device=position.device)
    stops = torch.arange(len(palette), dtype=position.dtype, device=position.device)
    distance = (position[:, None] * (len(palette) - 1) - stops).abs()
    return ((1 - distance).clamp(min=0)[:, :, None] * colours).sum(dim=1)
