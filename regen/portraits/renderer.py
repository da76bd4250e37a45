"""Draw portraits: attributes to images, exactly and at any resolution.

Every part is a signed distance turned into pixel coverage and painted over what is behind it, from
the background to the brows. All of it is elementwise arithmetic on ``[N, C, H, W]`` grids.
"""

from __future__ import annotations

import torch
from torch import Tensor

from regen.portraits.face import IRIS_RADIUS, Face, build_face
from regen.portraits.patterns import PATTERNS, Painter, Pattern, lookup
from regen.portraits.shapes import both, circle, cover, either, ellipse, over, rgb, soft
from regen.portraits.traits import Attributes

NOTHING = Pattern(region="")


def render(attrs: Attributes, size: int = 128, pattern: str | None = None) -> Tensor:
    """Draw N people, as they are or with a pattern that nobody of the domain has.

    Args:
        attrs: N people, from `attributes`.
        size: Height and width in pixels; the scene is the same at any size.
        pattern: One of `patterns.PATTERNS`, or None for an image of the domain.

    Returns:
        Images ``[N, 3, size, size]`` in [-1, 1], differentiable in the attributes.

    Raises:
        RegenError: If the pattern is unknown, or the size is below 1.
    """
    extra = NOTHING if pattern is None else lookup(PATTERNS, pattern, "pattern of portraits")
    face = build_face(attrs, size)
    image = draw_background(face)
    image = draw_back_hair(image, face)
    image = draw_body(image, face)
    image = draw_head(image, face)
    image = draw_nose(image, face)
    image = draw_mouth(image, face)
    if extra.on_face:
        image = extra.on_face(image, face)
    image = draw_front_hair(image, face)
    image = draw_eyes(image, face, extra.iris or draw_iris)
    image = draw_brows(image, face)
    if extra.on_top:
        image = extra.on_top(image, face)
    return image.clamp(0, 1) * 2 - 1


def _shadow_of(skin: Tensor) -> Tensor:
    """The colour of skin in shadow: darker and a little redder, ``[N, 3, 1, 1]``."""
    return skin * rgb(skin, 0.74, 0.58, 0.56)


def draw_background(face: Face) -> Tensor:
    """A slanted gradient with a glow behind the head."""
    a = face.a
    slope = (face.y + 0.25 * face.x) / 160
    glow = soft(circle(face.x - 64, face.y - 52, 40.0), 90.0)
    shade = 1.04 - 0.20 * slope + 0.10 * glow
    return a.background * shade + 0.03 * glow


def _hair_colour(face: Face) -> Tensor:
    """Hair ``[N, 3, H, W]``: light from above and one side, soft strands, a band of gloss."""
    a = face.a
    ring = (face.hair + 12 - 0.06 * face.u * a.light) / 5.0
    gloss = torch.exp(-ring * ring) * torch.sigmoid((-face.v - 16) / 5)
    angle = torch.atan2(face.u - 14 * a.parting, face.v.clamp(max=0) + 62)
    strands = torch.cos(22 * angle) * torch.sigmoid((face.hair + 26) / 4)
    shade = 1 + 0.005 * a.light * face.u - 0.0025 * face.v + 0.05 * strands
    return a.hair * shade + (0.06 + 0.13 * a.hair) * gloss * (1 + 0.35 * strands)


def draw_back_hair(image: Tensor, face: Face) -> Tensor:
    """Hair that falls behind neck and shoulders, in shadow towards the neck."""
    inner = soft(face.u.abs() - face.a.face_width + 2, 9.0)
    colour = _hair_colour(face) * (1 - 0.45 * inner)
    return over(image, colour, cover(face.hair, face.px))


def draw_body(image: Tensor, face: Face) -> Tensor:
    """Neck, shoulders and a neckline between round and deep."""
    a, px = face.a, face.px
    x = face.x - 64 - 0.75 * a.shift_x
    y = face.y - 0.5 * a.shift_y
    neck = x.abs() - 14.0 - 0.02 * (y - 98).clamp(min=0) ** 2
    under_chin = soft(face.skull - 5.0, 12.0)
    skin = over(a.skin * 0.97, _shadow_of(a.skin), 0.20 + 0.65 * under_chin)
    shoulders = ellipse(x, y - 156, 66.0, 48.0)
    body = both(either(neck, shoulders), 92 - y)
    image = over(image, skin, cover(body, px))
    collar = ellipse(x, y - 105, 17.5 + 6 * a.neckline, 8.0 + 12 * a.neckline)
    cloth = both(shoulders, -collar)
    shade = 1.06 - 0.008 * (y - 108) + 0.003 * a.light * x
    seam = 0.18 * soft(collar - 1.8, 2.2)
    return over(image, a.clothes * (shade - seam), cover(cloth, px))


def draw_head(image: Tensor, face: Face) -> Tensor:
    """Ears and the face, shaded round, with light from one side and blushing cheeks."""
    a, px = face.a, face.px
    dark = _shadow_of(a.skin)
    ear_u, ear_v = face.u.abs() - a.face_width - 0.5, face.v - 5
    ear = a.skin * 0.7 + dark * 0.3
    image = over(image, ear, cover(ellipse(ear_u, ear_v, 5.0, 9.0), px))
    image = over(image, dark, 0.7 * soft(ellipse(ear_u - 0.6, ear_v, 2.2, 5.2), 2.5))

    edge = soft(-face.skull - 5, 16.0)
    side = torch.sigmoid((-a.light * face.u - 18) / 9) * a.light.abs()
    skin = over(a.skin, dark, (0.34 * edge + 0.30 * side).clamp(0, 1))
    skin = skin + 0.05 * soft(ellipse(face.fu - 5 * a.light, face.v + 16, 26.0, 14.0), 24.0)
    cheek = soft(ellipse(face.fu.abs() - 23, face.v - 19, 9.0, 6.5), 11.0)
    rosy = a.skin * rgb(a.skin, 1.0, 0.62, 0.60)
    skin = over(skin, rosy, 0.50 * a.blush * cheek)
    return over(image, skin, cover(face.skull, px))


def draw_front_hair(image: Tensor, face: Face) -> Tensor:
    """Hair in front of the face, and the shadow it throws on the forehead."""
    a, px = face.a, face.px
    hem = face.v - 3 - 150 * a.hair_length * a.hair_length - 0.35 * (face.u.abs() - 36)
    front = both(face.hair, -face.window, hem)
    shade = soft(front - 2.5, 6.0) * cover(face.skull, px)
    image = over(image, _shadow_of(a.skin), 0.45 * shade)
    return over(image, _hair_colour(face), cover(front, px))


def draw_nose(image: Tensor, face: Face) -> Tensor:
    """Shading beside the bridge, a light tip, a shadow below and two nostrils."""
    a = face.a
    dark = _shadow_of(a.skin)
    across, down = face.fu - 0.35 * a.turn, face.v - a.nose_length
    side = soft(ellipse(across + 3.6 * a.light, down + 8, 3.2, 11.5), 5.0)
    image = over(image, dark, 0.40 * side * a.light.abs())
    image = over(image, dark, 0.75 * soft(ellipse(across, down - 1.4, a.nose_width, 3.0), 3.5))
    ridge = soft(ellipse(across - 0.8 * a.light, down + 7, 1.9, 9.0), 3.5)
    tip = soft(ellipse(across, down + 1.5, a.nose_width * 0.80, 3.7), 3.5)
    image = over(image, a.skin * 1.06 + 0.015, torch.maximum(0.85 * tip, 0.45 * ridge))
    nostril = soft(ellipse(across.abs() - 0.52 * a.nose_width, down - 2.0, 1.6, 1.0), 1.4)
    return over(image, dark * 0.62, 0.8 * nostril)


def draw_mouth(image: Tensor, face: Face) -> Tensor:
    """Two lips along a smile, parted as far as the mouth is open, with teeth behind."""
    a, px = face.a, face.px
    dark = _shadow_of(a.skin)
    t = face.fu / a.mouth_width
    t2 = t * t
    down = face.v - 30.5 + a.smile * (t2 - 0.35)
    arch = (1 - t2).clamp(min=0)
    ends = (t.abs() - 1) * a.mouth_width
    gap = a.mouth_openness * arch
    steep = torch.rsqrt(1 + t2 * ((3.5 + 2 * a.smile) / a.mouth_width) ** 2)
    upper = (-down - 0.6 * gap - 3.0 * arch * (1 - 0.35 * torch.exp(-t2 * 30))) * steep
    lower = (down - gap - 3.7 * arch) * steep
    inside = both(both(-down - 0.6 * gap, down - gap) * steep, ends)
    teeth = both(inside + 0.35, down - 0.45 * gap)

    fold = ellipse(face.fu, face.v - 38.0 - 0.8 * a.mouth_openness, a.mouth_width * 0.6, 1.4)
    corner = ellipse(face.fu.abs() - a.mouth_width - 0.3, down, 1.2, 1.2)
    image = over(image, dark, 0.35 * soft(fold, 3.5) + 0.4 * soft(corner, 2.5))
    lip = a.lips * 0.75 + dark * 0.25
    shine = soft(ellipse(face.fu, down - gap - 1.7, a.mouth_width * 0.5, 1.1), 2.0)
    lip = lip * (1 + 0.14 * shine - 0.20 * cover(down, 2.0))
    image = over(image, lip, cover(both(upper, lower, ends), px))
    image = over(image, a.lips * 0.33, cover(inside - 0.25, px))
    shown = (a.mouth_openness / 1.6).clamp(max=1)
    return over(image, 0.94, cover(teeth, px) * shown)


def draw_eyes(image: Tensor, face: Face, paint_iris: Painter) -> Tensor:
    """Sclera and iris inside the lids; lid lines and a crease around them."""
    a, px = face.a, face.px
    dark = _shadow_of(a.skin)
    image = over(image, dark, 0.35 * soft(face.eyes - 2.5, 7.0))
    opening = cover(face.eyes, px)
    ball = paint_iris(_sclera(face), face)
    shade = soft(-face.lid - 2.6, 4.0)
    image = over(image, ball * (1 - 0.30 * shade), opening)
    lash = a.hair * 0.25 + 0.06
    outward = (0.45 + 0.045 * face.ex).clamp(0.2, 1.0)
    line = both((face.lid + 0.2).abs() - 0.35 - outward, face.eyes - 1.6)
    image = over(image, lash, cover(line, px))
    below = both((face.eyes - 0.3).abs() - 0.35, 1.5 - face.ey)
    image = over(image, dark * 0.75, 0.6 * cover(below, px))
    crease = both((face.lid - 3.2).abs() - 0.35, face.ex.abs() - 10.0, face.ey + 1.0)
    return over(image, dark * 0.85, 0.5 * soft(crease, 1.6))


def _sclera(face: Face) -> Tensor:
    """The white of the eye, greyer towards its corners."""
    return rgb(face.u, 0.97, 0.965, 0.96) * (1 - 0.10 * soft(7.5 - face.ex.abs(), 8.0))


def draw_iris(ball: Tensor, face: Face) -> Tensor:
    """Iris with a dark rim, lighter below, a round pupil and a highlight."""
    a, px = face.a, face.px
    iy = face.ey + 1.0
    radius = torch.sqrt(face.ix * face.ix + iy * iy + 1e-6)
    colour = a.iris * (1.05 + 0.045 * iy)
    rim = ((radius - IRIS_RADIUS + 1.9) / 1.9).clamp(0, 1)
    colour = colour * (1 - 0.62 * rim)
    ball = over(ball, colour, cover(radius - IRIS_RADIUS, px))
    ball = over(ball, 0.05, cover(radius - 2.5, px))
    return over(ball, 1.0, 0.95 * cover(circle(face.ix + 1.9, iy + 2.1, 1.45), px))


def draw_brows(image: Tensor, face: Face) -> Tensor:
    """Two arched strokes, thinner outwards, in the hair's colour darkened."""
    a = face.a
    t = (face.ex - 0.5) / 13.0
    arc = a.brow_height + 0.6 + 13 * a.brow_tilt * t - 3.4 * (t - 0.15) ** 2
    stroke = (face.v + arc).abs() - a.brow_thickness * (1 - 0.45 * t)
    brow = both(stroke, (t.abs() - 1) * 13)
    colour = a.hair * 0.36 + _shadow_of(a.skin) * 0.22
    return over(image, colour, 0.92 * soft(brow, 1.4))
