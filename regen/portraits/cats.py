"""Draw people as cats: the same head, pose, eyes and light, in fur.

From the person come pose, width, jaw, eyes, length of the nose and light; colours, stripes, ears
and muzzle are the style's. Patterns lie where they lie on the person, so `patterns.region` and
`patterns.pattern_region` hold for the cat as well.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from regen.portraits.cat_styles import CatStyle
from regen.portraits.face import Face, build_face
from regen.portraits.patterns import PATTERNS, lookup
from regen.portraits.renderer import NOTHING, draw_background, draw_eyes
from regen.portraits.shapes import both, circle, cover, either, ellipse, over, rgb, segment, soft
from regen.portraits.traits import Attributes


class Cat(NamedTuple):
    """A head laid out, with what only cats have.

    Attributes:
        face: Its layout, with the colours of the cat in place of the person's.
        s: The style, reshaped to broadcast: ``[N, 1, 1, 1]``, colours ``[N, 3, 1, 1]``.
        head: Outline of the furry head, without the ears, ``[N, 1, H, W]``.
        pale: Colour of muzzle and chest, ``[N, 3, 1, 1]``.
        light: How light the fur is, ``[N, 1, 1, 1]`` in [0, 1].
    """

    face: Face
    s: CatStyle
    head: Tensor
    pale: Tensor
    light: Tensor


def render_cat(
    attrs: Attributes, style: CatStyle, size: int = 128, pattern: str | None = None
) -> Tensor:
    """Draw N people as cats, as they are or with a pattern that no cat of the domain has.

    Args:
        attrs: N people, from `attributes`.
        style: Their looks as cats, from `cat_style`.
        size: Height and width in pixels; the scene is the same at any size.
        pattern: One of `patterns.PATTERNS`, or None for an image of the domain.

    Returns:
        Images ``[N, 3, size, size]`` in [-1, 1], differentiable in attributes and style.

    Raises:
        RegenError: If the pattern is unknown, or the size is below 1.
    """
    extra = NOTHING if pattern is None else lookup(PATTERNS, pattern, "pattern of portraits")
    cat = build_cat(attrs, style, size)
    image = draw_background(cat.face)
    image = draw_body(image, cat)
    image = draw_ears(image, cat)
    image = draw_head(image, cat)
    image = draw_muzzle(image, cat)
    image = draw_whiskers(image, cat)
    if extra.on_face:
        image = extra.on_face(image, cat.face)
    image = draw_eyes(image, cat.face, extra.iris or draw_iris)
    if extra.on_top:
        image = extra.on_top(image, cat.face)
    return image.clamp(0, 1) * 2 - 1


def build_cat(attrs: Attributes, style: CatStyle, size: int) -> Cat:
    """Lay out cats on a grid of `size` x `size` pixels."""
    coat = attrs._replace(
        skin=style.fur, hair=style.marking, iris=style.eyes, background=style.background
    )
    face = build_face(coat, size)
    s = CatStyle(*(t.reshape(*t.shape, *(1,) * (4 - t.dim())) for t in style))
    white = rgb(s.fur, 0.98, 0.97, 0.95)
    pale = s.fur + (white - s.fur) * (0.15 + 0.85 * s.muzzle)
    return Cat(face, s, _head(face), pale, s.fur.mean(dim=1, keepdim=True))


def _head(face: Face) -> Tensor:
    """The outline of the head: wide and round, with tufts at the cheeks."""
    a = face.a
    down = ((face.v - 4) / 38).clamp(0, 1)
    taper = 1 - (0.10 + 0.45 * a.jaw) * down * down
    ball = ellipse(face.u / taper, face.v - 3, a.face_width + 4.0, 38.0)
    tufts = torch.cos(0.62 * (face.v - 12)) * soft((face.v - 19).abs() - 10, 8.0)
    return ball - 1.6 * tufts * soft(25 - face.u.abs(), 12.0)


def _stripes(cat: Cat) -> Tensor:
    """How much of the marking's colour the coat has, ``[N, 1, H, W]`` in [0, 1]."""
    u, v, s = cat.face.u, cat.face.v, cat.s
    side = u.abs()
    fan = torch.atan2(side, 12 - v)  # 0 straight up from between the eyes
    brow = torch.cos(11 * fan + s.phase) * soft(v + 15, 9.0) * soft(fan - 0.75, 0.3)
    cheek = torch.cos(0.42 * (v - 0.25 * side) + s.phase) * soft(29 - side, 8.0) * soft(-4 - v, 8.0)
    return s.stripes * (1.6 * torch.maximum(brow, cheek) - 0.1).clamp(0, 1)


def draw_body(image: Tensor, cat: Cat) -> Tensor:
    """Shoulders and a pale chest, striped across."""
    face, s, px = cat.face, cat.s, cat.face.px
    x = face.x - 64 - 0.75 * face.a.shift_x
    y = face.y - 0.5 * face.a.shift_y
    body = ellipse(x, y - 146, 50.0, 56.0)
    band = torch.cos(0.36 * (y + 0.010 * x * x) + s.phase) * soft(22 - x.abs(), 10.0)
    coat = over(s.fur, s.marking, s.stripes * (1.6 * band - 0.1).clamp(0, 1))
    coat = over(coat, cat.pale, soft(ellipse(x, y - 122, 19.0, 26.0), 8.0))
    shade = 1.0 - 0.005 * (y - 100) + 0.003 * face.a.light * x
    shade = shade - 0.35 * soft(cat.head - 4.0, 14.0)
    return over(image, coat * shade, cover(body, px))


def draw_ears(image: Tensor, cat: Cat) -> Tensor:
    """Two triangles with bulging sides, pink within."""
    px = cat.face.px
    coat = cat.s.fur * 0.55 + cat.s.marking * 0.45
    outer, inner = _ear(cat, 0.0), _ear(cat, 4.2)
    image = over(image, coat * (0.86 + 0.14 * soft(outer + 2.5, 4.0)), cover(outer, px))
    pink = rgb(image, 0.93, 0.66, 0.64) * (0.55 + 0.45 * cat.light)
    return over(image, pink, soft(inner, 1.6))


def _ear(cat: Cat, margin: float) -> Tensor:
    """The outline of both ears, or of what is `margin` inside of it."""
    a, size = cat.face.a, cat.s.ears
    x, y = cat.face.u.abs() - a.face_width + 11.5, cat.face.v + 26
    height, half = 24.0 + 6.0 * size + 1.5 * a.hair_volume, 13.0 + 2.5 * size
    x = x - 0.22 * (-y).clamp(min=0)  # leans outwards
    rise = (height + y) / height  # 0 at the tip, 1 at the base
    bulge = half * (rise.clamp(min=0) + 1e-4) ** 0.8
    sides = (x.abs() - bulge) * 0.85
    return both(sides, -y - height, y - 16) + margin


def draw_head(image: Tensor, cat: Cat) -> Tensor:
    """Fur, striped, shaded round, with light from one side."""
    face, s = cat.face, cat.s
    a = face.a
    coat = over(s.fur, s.marking, _stripes(cat))
    edge = soft(-cat.head - 4, 13.0)
    side = torch.sigmoid((-a.light * face.u - 18) / 9) * a.light.abs()
    coat = coat * (1.02 - 0.22 * edge - 0.16 * side)
    coat = coat + 0.05 * soft(ellipse(face.fu - 5 * a.light, face.v + 18, 24.0, 12.0), 24.0)
    return over(image, coat, cover(cat.head, face.px))


def draw_muzzle(image: Tensor, cat: Cat) -> Tensor:
    """Two pale pads and a chin, the nose between them, and a line that parts them."""
    face, px = cat.face, cat.face.px
    across, down = face.fu - 0.35 * face.a.turn, face.v - face.a.nose_length
    blaze = ellipse(across, down + 10, 3.5 + 5 * cat.s.muzzle, 16.0)
    pads = circle(across.abs() - 8.5, down - 8.0, 10.0)
    chin = ellipse(across, down - 16.5, 9.0, 6.5)
    pale = torch.maximum(soft(either(pads, chin), 3.0), 0.6 * soft(blaze, 6.0) * cat.s.muzzle)
    image = over(image, cat.pale, pale)
    dark = rgb(image, 0.24, 0.15, 0.15)
    lip = (circle(across.abs() - 6.0, down - 7.5, 6.0)).abs() - 0.75
    lip = both(lip, 9.0 - down)
    stem = segment(across, down, (0.0, 3.0), (0.0, 8.5), 0.7)
    image = over(image, dark, 0.85 * cover(either(lip, stem), max(px, 1.0)))
    nose = both((across.abs() * 0.75 + (down - 4.0) * 0.85), -down - 2.6) - 0.6
    pink = over(dark + 0.06, rgb(image, 0.91, 0.52, 0.54), soft(0.42 - cat.light, 0.3))
    pink = pink * (1 + 0.25 * soft(ellipse(across + 1.2, down + 1.0, 2.2, 1.0), 1.5))
    return over(image, pink, cover(nose, px))


def draw_iris(ball: Tensor, face: Face) -> Tensor:
    """An iris that fills the eye, lighter towards the centre, and a tall pupil."""
    px, iy = face.px, face.ey + 1.0
    outward = (torch.sqrt(face.ix**2 + iy**2 + 1e-6) / 9).clamp(max=1)
    colour = face.a.iris * (1.18 - 0.35 * outward)
    colour = colour * (1 - 0.6 * ((face.eyes + 2.0) / 2.0).clamp(0, 1))
    colour = over(colour, 0.04, cover(ellipse(face.ix, iy, 4.1, 5.4), px))
    return over(colour, 1.0, 0.95 * cover(circle(face.ix + 2.2, iy + 2.4, 1.5), px))


def draw_whiskers(image: Tensor, cat: Cat) -> Tensor:
    """Three to each side, light on dark fur and dark on light."""
    face = cat.face
    across, down = (face.fu - 0.35 * face.a.turn).abs(), face.v - face.a.nose_length
    ends = ((48.0, -1.0), (50.0, 8.0), (46.0, 17.0))
    starts = ((13.0, 5.0), (14.0, 8.0), (13.0, 11.0))
    lines = [segment(across, down, a, b, 0.45) for a, b in zip(starts, ends, strict=True)]
    dark = soft(0.6 - cat.light, 0.3)
    colour = over(rgb(image, 0.97, 0.97, 0.97), rgb(image, 0.30, 0.27, 0.27), dark)
    return over(image, colour, 0.75 * cover(either(*lines), max(face.px, 1.0)))
