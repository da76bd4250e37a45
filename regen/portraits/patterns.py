"""What no portrait has: patterns foreign to the domain, drawn on the same faces, and where they go.

Each pattern is an entry of `PATTERNS`; it replaces the iris, lies on the face below the hair, or
lies on top of everything, and changes nothing outside its region. It follows the head's pose and
the attributes of the person.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor

from regen.errors import RegenError
from regen.portraits.face import Face, build_face
from regen.portraits.shapes import both, circle, cover, either, ellipse, over, rgb, segment, soft
from regen.portraits.traits import Attributes

Painter = Callable[[Tensor, Face], Tensor]
T = TypeVar("T")


class Pattern(NamedTuple):
    """How to draw a pattern: the region it stays in, and one painter for the layer it is on."""

    region: str
    iris: Painter | None = None
    on_face: Painter | None = None
    on_top: Painter | None = None


def lookup(table: Mapping[str, T], name: str, kind: str) -> T:
    """An entry of a table by name.

    Raises:
        RegenError: If there is none, suggesting the nearest name.
    """
    if name in table:
        return table[name]
    near = difflib.get_close_matches(str(name), table, n=1, cutoff=0.4)
    raise RegenError(
        f"unknown {kind}",
        got=repr(name),
        expected="one of " + ", ".join(table),
        remedy=f"did you mean {near[0]!r}?" if near else None,
    )


def region(attrs: Attributes, name: str, size: int = 128) -> Tensor:
    """Where a part of each face is, or would be.

    Args:
        attrs: N people.
        name: One of `REGIONS`; "eyes" are both eye openings, about 1.5/128 larger all round.
        size: Height and width in pixels.

    Returns:
        A mask ``[N, 1, size, size]`` in [0, 1], antialiased.

    Raises:
        RegenError: If the region is unknown, or the size is below 1.
    """
    outline = lookup(REGIONS, name, "region of a portrait")
    face = build_face(attrs, size)
    return cover(outline(face) - 1.5, face.px)


def pattern_region(attrs: Attributes, pattern: str, size: int = 128) -> Tensor:
    """Where a pattern may change the image; beyond it both images are equal bit for bit.

    Args:
        attrs: N people.
        pattern: One of `PATTERNS`.
        size: Height and width in pixels.

    Returns:
        A mask ``[N, 1, size, size]`` in [0, 1], positive wherever the pattern can be seen.

    Raises:
        RegenError: If the pattern is unknown, or the size is below 1.
    """
    return region(attrs, lookup(PATTERNS, pattern, "pattern of portraits").region, size)


def cat_iris(ball: Tensor, face: Face) -> Tensor:
    """A yellow-green iris that fills the eye, with a dark rim and an upright slit for a pupil."""
    iy = face.ey + 1.0
    outward = (torch.sqrt(face.ix**2 + iy**2 + 1e-6) / 9).clamp(max=1)
    colour = over(rgb(ball, 0.93, 0.90, 0.25), rgb(ball, 0.47, 0.72, 0.14), outward)
    rim = ((face.eyes + 2.2) / 2.2).clamp(0, 1)
    colour = colour * (1 - 0.65 * rim)
    slit = ellipse(face.ix, iy, 1.55, 6.6)
    colour = over(colour, rgb(ball, 0.78, 0.86, 0.30), 0.5 * soft(slit - 1.0, 2.5))
    colour = over(colour, 0.03, cover(slit, face.px))
    return over(colour, 1.0, 0.95 * cover(circle(face.ix + 2.4, iy + 2.1, 1.35), face.px))


def gear_iris(ball: Tensor, face: Face) -> Tensor:
    """A steel gear with seven teeth around a dark hub, in place of the iris."""
    px, iy = face.px, face.ey + 1.0
    radius = torch.sqrt(face.ix**2 + iy**2 + 1e-6)
    teeth = (2.5 * torch.cos(7 * torch.atan2(iy, face.ix + 1e-4)) + 0.6).clamp(-1, 1)
    gear = radius - (5.7 + 1.1 * teeth)
    steel = rgb(ball, 0.52, 0.56, 0.63) * (1.0 - 0.06 * (face.ix + iy))
    steel = over(steel, rgb(ball, 0.19, 0.21, 0.26), soft(-gear - 0.9, 0.8))
    ball = over(ball, steel, cover(gear, px))
    ball = over(ball, rgb(ball, 0.84, 0.86, 0.88), cover(radius - 2.9, px))
    return over(ball, rgb(ball, 0.10, 0.11, 0.14), cover(radius - 2.0, px))


def anime_iris(ball: Tensor, face: Face) -> Tensor:
    """A tall violet oval, dark above and bright below, with two highlights."""
    px, iy = face.px, face.ey + 0.6
    iris = ellipse(face.ix, iy, 6.2, 8.6)
    colour = over(rgb(ball, 0.26, 0.10, 0.52), rgb(ball, 0.72, 0.52, 0.98), soft(-iy + 1, 9.0))
    colour = over(colour, rgb(ball, 0.14, 0.05, 0.28), soft((iris + 0.9).abs() - 0.7, 1.0))
    colour = over(colour, rgb(ball, 0.10, 0.04, 0.20), cover(ellipse(face.ix, iy, 2.3, 3.6), px))
    colour = over(colour, 1.0, cover(ellipse(face.ix + 2.2, iy + 2.8, 2.0, 1.7), px))
    colour = over(colour, 1.0, 0.9 * cover(circle(face.ix - 2.6, iy - 2.6, 1.1), px))
    return over(ball, colour, cover(iris, px))


def glasses_outline(face: Face) -> Tensor:
    """Two lenses, the bridge between them and the temples over the ears."""
    across, down = face.ex - 0.5, face.ey - 1.0
    bridge = both((down + 4.5 - 0.02 * face.fu**2).abs() - 1.3, face.fu.abs() - 8.0)
    side = face.u.abs() - face.a.face_width
    temple = both((down + 3.0).abs() - 1.6, side - 0.5, 10.0 - across)
    return either(_lens(across, down), bridge, temple)


def _lens(across: Tensor, down: Tensor) -> Tensor:
    """One lens: an ellipse filled out towards its corners."""
    return ellipse(across, down * (1 - 0.006 * across), 15.8, 12.4)


def draw_sunglasses(image: Tensor, face: Face) -> Tensor:
    """Dark lenses, lighter below, with a slanted reflection, in a black frame."""
    px = face.px
    across, down = face.ex - 0.5, face.ey - 1.0
    image = over(image, rgb(image, 0.08, 0.08, 0.10), cover(glasses_outline(face), px))
    tint = over(rgb(image, 0.10, 0.11, 0.15), rgb(image, 0.36, 0.33, 0.38), soft(-down + 4, 22.0))
    right = face.ix + face.a.gaze
    glare = soft((right + 0.8 * down + 4.0).abs() - 2.2, 2.0)
    tint = over(tint, rgb(image, 0.72, 0.76, 0.82), 0.45 * glare)
    return over(image, tint, cover(_lens(across, down) + 1.7, px))


def nose_outline(face: Face) -> Tensor:
    """A ball over the tip of the nose, large enough to hide it."""
    across = face.fu - 0.35 * face.a.turn
    return circle(across, face.v - face.a.nose_length + 0.2, 7.2 + 0.25 * face.a.nose_width)


def draw_red_nose(image: Tensor, face: Face) -> Tensor:
    """A clown's nose: glossy, shaded at the lower edge."""
    ball, across = nose_outline(face), face.fu - 0.35 * face.a.turn
    down = face.v - face.a.nose_length + 0.2
    lit = soft(ellipse(across + 2.0, down + 2.5, 7.0, 7.0), 12.0)
    colour = over(rgb(image, 0.66, 0.05, 0.10), rgb(image, 0.95, 0.18, 0.18), lit)
    colour = over(colour, 1.0, 0.8 * soft(ellipse(across + 2.8, down + 3.4, 2.0, 1.5), 2.0))
    return over(image, colour, cover(ball, face.px))


def _hat_parts(face: Face) -> tuple[Tensor, Tensor, Tensor]:
    """The cap, its fur band and its pompom; the cap's tip falls over to one side."""
    u, v, a = face.u, face.v, face.a
    width = a.face_width + 1.5 + 3.6 * a.hair_volume
    bow = v + 32 - 0.0035 * u * u
    cap = either(both(face.hair - 2.0, bow), segment(u, v, (18.0, -48.0), (46.0, -31.0), 8.0))
    band = circle((u.abs() - width + 3).clamp(min=0), bow, 6.2)
    return cap, band, circle(u - 48, v + 22, 8.0)


def hat_outline(face: Face) -> Tensor:
    """The whole of a Santa hat."""
    return either(*_hat_parts(face))


def draw_hat(image: Tensor, face: Face) -> Tensor:
    """A red Santa hat with white fur."""
    px = face.px
    cap, band, pompom = _hat_parts(face)
    red = rgb(image, 0.80, 0.12, 0.15) * (1.02 - 0.006 * face.u)
    red = red * (1 - 0.30 * soft(band - 3.0, 8.0))
    image = over(image, red * (0.78 + 0.22 * soft(cap + 3.0, 8.0)), cover(cap, px))
    for fur in (band, pompom):
        white = rgb(image, 0.97, 0.96, 0.95) * (0.80 + 0.20 * soft(fur + 2.2, 6.0))
        image = over(image, white, cover(fur, px))
    return image


def _cloth(face: Face) -> Tensor:
    """The mask without its straps: over nose, mouth and chin, inside the face's outline."""
    a = face.a
    top = a.nose_length - 8.5 + 0.008 * face.fu**2 - face.v
    return both(face.skull - 1.2, top, (face.fu.abs() - 0.80 * a.face_width) * 0.95)


def mask_outline(face: Face) -> Tensor:
    """A medical mask and the straps to both ears."""
    u = face.u.abs() - face.a.face_width
    straps = either(
        segment(u, face.v, (-9.0, 15.5), (1.0, 4.0), 0.8),
        segment(u, face.v, (-10.0, 26.0), (1.0, 10.0), 0.8),
    )
    return either(_cloth(face), straps)


def draw_medical_mask(image: Tensor, face: Face) -> Tensor:
    """Pale blue cloth in three pleats with a white seam."""
    px, cloth = face.px, _cloth(face)
    image = over(image, 0.93, cover(mask_outline(face), px))
    down = face.v - 0.004 * face.fu**2
    pleats = either(*((down - v).abs() for v in (18.5, 25.5, 32.5)))
    shade = 1.02 - 0.0030 * face.fu.abs() - 0.16 * soft(pleats - 0.3, 2.6)
    blue = rgb(image, 0.56, 0.77, 0.87) * shade
    return over(image, blue, cover(cloth + 1.3, px))


def mouth_outline(face: Face) -> Tensor:
    """Both lips, whatever the smile."""
    a = face.a
    down = face.v - 31.0 + 0.3 * a.smile - 0.5 * a.mouth_openness
    return ellipse(face.fu, down, a.mouth_width + 1.0, 5.5 + 0.5 * a.smile + a.mouth_openness)


REGIONS: dict[str, Callable[[Face], Tensor]] = {
    "eyes": lambda face: face.eyes,
    "nose": nose_outline,
    "mouth": mouth_outline,
    "glasses": glasses_outline,
    "hat": hat_outline,
    "mask": mask_outline,
}

PATTERNS: dict[str, Pattern] = {
    "cat_eyes": Pattern("eyes", iris=cat_iris),
    "gear_eyes": Pattern("eyes", iris=gear_iris),
    "anime_eyes": Pattern("eyes", iris=anime_iris),
    "sunglasses": Pattern("glasses", on_top=draw_sunglasses),
    "red_nose": Pattern("nose", on_top=draw_red_nose),
    "hat": Pattern("hat", on_top=draw_hat),
    "medical_mask": Pattern("mask", on_face=draw_medical_mask),
}
