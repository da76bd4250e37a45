"""Where things are: the coordinates of a head and the outlines that several parts share.

Image coordinates (x, y) run over [0, 128] whatever the resolution; head coordinates (u, v) have
their origin between the eyes, u to the right and v down, and move, tilt and scale with the head.
Feature coordinates shift u a little further, as a slight turn of the head does. Lengths are in
1/128 of the image's side.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from regen.errors import RegenError
from regen.portraits.shapes import ellipse
from regen.portraits.traits import Attributes

EYE_HALF_WIDTH = 12.0  # at eye_size 1
IRIS_RADIUS = 5.6


class Face(NamedTuple):
    """Grids ``[N, 1, H, W]`` and outlines (signed distances) of N heads at one resolution.

    Attributes:
        px: Side of a pixel.
        a: The attributes, reshaped to broadcast: ``[N, 1, 1, 1]``, colours ``[N, 3, 1, 1]``.
        x, y: Image coordinates. u, v: head coordinates. fu: feature coordinate across.
        ex, ey: Coordinates around the nearer eye, ex positive away from the nose.
        ix: Like ex, but positive to the right, and around the iris rather than the eye.
        skull: Outline of the face. hair: of all hair, with the face still filled.
        window: Outline of what the hair leaves open.
        eyes: Outline of both eye openings. lid: of all below the upper lid's edge.
    """

    px: float
    a: Attributes
    x: Tensor
    y: Tensor
    u: Tensor
    v: Tensor
    fu: Tensor
    ex: Tensor
    ey: Tensor
    ix: Tensor
    skull: Tensor
    hair: Tensor
    window: Tensor
    eyes: Tensor
    lid: Tensor


def build_face(attributes: Attributes, size: int) -> Face:
    """Lay out heads on a grid of `size` x `size` pixels.

    Raises:
        RegenError: If the size is below 1.
    """
    if size < 1:
        raise RegenError("size of a portrait", got=size, expected="at least 1 pixel")
    a = Attributes(*(t.reshape(*t.shape, *(1,) * (4 - t.dim())) for t in attributes))
    px = 128.0 / size
    axis = (torch.arange(size, dtype=a.skin.dtype, device=a.skin.device) + 0.5) * px
    x, y = axis.reshape(1, 1, 1, size), axis.reshape(1, 1, size, 1)
    dx, dy = (x - 64 - a.shift_x) / a.scale, (y - 60 - a.shift_y) / a.scale
    cos, sin = torch.cos(a.tilt), torch.sin(a.tilt)
    u, v = cos * dx + sin * dy, cos * dy - sin * dx
    fu = u - a.turn

    right = 2.0 * (fu > 0).to(fu.dtype) - 1
    ex = fu.abs() - a.eye_spacing
    ey = v - 0.06 * (EYE_HALF_WIDTH * 0.5 - ex)
    ix = fu - right * a.eye_spacing - a.gaze
    lid, lower = _lids(ex, ey, a)
    return Face(
        px=px, a=a, x=x, y=y, u=u, v=v, fu=fu, ex=ex, ey=ey, ix=ix,
        skull=_skull(u, v, a), hair=_hair(u, v, a), window=_window(u, v, a),
        eyes=torch.maximum(lid, lower), lid=lid,
    )  # fmt: skip


def _lids(ex: Tensor, ey: Tensor, a: Attributes) -> tuple[Tensor, Tensor]:
    """Signed distances below the upper lid and above the lower one; the eye is inside both."""
    half = EYE_HALF_WIDTH * a.eye_size
    t = ex / half
    up, low = 7.6 * a.eye_openness * a.eye_size, 5.2 * (0.4 + 0.6 * a.eye_openness) * a.eye_size
    t2 = t * t
    bend = 1 - t2
    above = (-ey - up * bend) * torch.rsqrt(1 + t2 * (2 * up / half) ** 2)
    below = (ey - low * bend) * torch.rsqrt(1 + t2 * (2 * low / half) ** 2)
    return above, below


def _skull(u: Tensor, v: Tensor, a: Attributes) -> Tensor:
    """The outline of the face: an egg whose lower half tapers towards the chin."""
    down = (v / 46).clamp(0, 1)
    taper = 1 - a.jaw * down * down
    return ellipse(u / taper, v - 0.5, a.face_width, 45.0)


def _hair(u: Tensor, v: Tensor, a: Attributes) -> Tensor:
    """All hair: a circle around the skull, stretched downwards as it grows longer."""
    radius = a.face_width + 2.2 + 3.6 * a.hair_volume
    crown = v + 11.5 - 3 * a.hair_length
    length = 78 * a.hair_length * (0.3 + 0.7 * a.hair_length)
    beyond = crown.clamp(max=0) + (crown - length).clamp(min=0)
    wide = u / (1 + 0.0020 * crown.clamp(min=0) * a.hair_length)
    return torch.sqrt(wide * wide + beyond * beyond + 1e-6) - radius


def _window(u: Tensor, v: Tensor, a: Attributes) -> Tensor:
    """What hair leaves open: an arch over the forehead, slanted by the parting, open below."""
    top = 41 - 15 * a.fringe
    across = u - 0.4 * a.turn
    tufts = torch.cos(0.24 * across + 2.5 * a.parting) * (1.0 + 1.2 * a.fringe)
    rise = (v + 0.30 * a.parting * across - 4 + tufts).clamp(max=0)
    narrow = a.face_width - 2.5 - 0.05 * v.clamp(min=0)
    return ellipse(across, rise, narrow, top)
