"""Foreign patterns, drawn: tiles of shapes in shapes, with colours that no sample has.

A tile is a shape with smaller shapes nested in it, each filled with colours, gradients, stripes or
rings, or with a piece of another image. Shapes, sizes and colours are random. All tiles are drawn
together, where the random generator is.

Shapes: T tiles of side P, half of the shorter side of an image; L nested layers. Lengths of a shape
are in units of its tile's half side, unless they say pixels.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from regen.projector.settings import CompositeSettings

LAYERS = 3


class _Dice:
    """Random numbers of T tiles, shaped to broadcast over their pixels, where `generator` is."""

    def __init__(self, tiles: int, generator: torch.Generator) -> None:
        self.tiles, self.generator = tiles, generator

    def uniform(self, low: float, high: float, *shape: int) -> Tensor:
        """``[T, *shape, 1, 1]`` between low and high."""
        place, random = self.generator.device, self.generator
        numbers = torch.rand(self.tiles, *shape, 1, 1, generator=random, device=place)
        return numbers * (high - low) + low

    def log_uniform(self, low: float, high: float, *shape: int) -> Tensor:
        """As `uniform`, even in the logarithm."""
        return self.uniform(math.log(low), math.log(high), *shape).exp()

    def chance(self, share: float, *shape: int) -> Tensor:
        """True with probability `share`."""
        return self.uniform(0, 1, *shape) < share

    def below(self, end: int, *shape: int) -> Tensor:
        """Whole numbers from 0 to end - 1, ``[T, *shape]``."""
        place, random = self.generator.device, self.generator
        return torch.randint(end, [self.tiles, *shape], generator=random, device=place)


def draw_tiles(
    count: int,
    random: torch.Generator,
    sources: Tensor,
    side: int,
    settings: CompositeSettings,
) -> tuple[Tensor, Tensor]:
    """Draw tiles.

    Args:
        count: T.
        random: Source of all randomness, on the device of `sources`.
        sources: Images ``[N, 3, H, W]`` in [-1, 1] of which pieces are taken, float32.
        side: The shorter side of the images that sizes are chosen for, in pixels.
        settings: Sizes and content.

    Returns:
        Colours ``[T, 3, P, P]`` in [-1, 1] and opacities ``[T, 1, P, P]`` in [0, 1].
    """
    dice, scale, tile = _Dice(count, random), side / 128, side // 2
    usual, rest = dice.log_uniform(*settings.usual_radius), dice.log_uniform(*settings.radius)
    radius = torch.where(dice.chance(settings.usual), usual, rest) * scale  # pixels, [T, 1, 1]
    line = (torch.arange(tile, device=radius.device) + 0.5 - tile / 2).float()
    y, x = line[:, None] / radius, line[None, :] / radius  # [T, P, 1], [T, 1, P]
    u, v = _turned(x, y, dice.uniform(-math.pi, math.pi) * dice.chance(0.6))
    v = v * dice.log_uniform(1.0, 2.5)
    soft = dice.uniform(1.0, max(1.0, settings.softest * scale))  # pixels
    sharp = torch.ones([], device=soft.device)
    soft = torch.where(dice.chance(0.6), sharp, soft)
    alpha = _opacity(dice, u, v, radius, soft)
    piece = dice.chance(settings.pieces)[:, None]
    colour = torch.where(piece, _pieces(dice, sources, tile), _fill(dice, u, v))
    for _ in range(LAYERS - 1):
        size, squeeze = dice.uniform(0.25, 0.85), dice.log_uniform(1.0, 5.0)
        a, b = _turned(u, v, dice.uniform(-math.pi, math.pi) * dice.chance(0.3))
        a = (a - dice.uniform(-0.3, 0.3)) / size * squeeze
        b = (b - dice.uniform(-0.3, 0.3)) / size
        there = dice.chance(0.75) & ~(piece[:, 0] & dice.chance(0.7))
        inner = _opacity(dice, a, b, radius * size / squeeze.sqrt(), sharp) * there
        colour = colour.lerp(_fill(dice, a, b), inner[:, None])
    return colour, alpha[:, None]


def _turned(x: Tensor, y: Tensor, angle: Tensor) -> tuple[Tensor, Tensor]:
    cos, sin = angle.cos(), angle.sin()
    return x * cos + y * sin, y * cos - x * sin


def _opacity(dice: _Dice, u: Tensor, v: Tensor, radius: Tensor, soft: Tensor) -> Tensor:
    """``[T, P, P]``: ellipse, box, diamond, lens, ring or toothed star of radius 1 in (u, v)."""
    a, b = u.abs(), v.abs()
    round_ = (a.square() + b.square() + 1e-8).sqrt()
    lens = (a.square() + (b + 0.75).square()).sqrt() / 1.25
    teeth = dice.uniform(3, 13).floor()
    wave = torch.tanh(torch.cos(teeth * torch.atan2(v, u)) * dice.log_uniform(0.5, 8.0))
    star = round_ * (1.2 + dice.uniform(0.05, 0.35) * wave)
    ring = ((round_ - 0.75).abs() / 0.25).maximum(round_ * 0.5)
    kinds = (round_, round_, a.maximum(b), (a + b) * 0.8, lens, ring, star)
    kind = dice.below(len(kinds), 1, 1)
    distance = round_
    for number, other in enumerate(kinds):
        distance = torch.where(kind == number, other, distance)
    return ((1 - distance) * radius / soft + 0.5).clamp(0, 1)


def _fill(dice: _Dice, u: Tensor, v: Tensor) -> Tensor:
    """``[T, 3, P, P]``: two colours, mixed evenly, along a line, in stripes or in rings."""
    one, other = dice.uniform(-1, 1, 3), dice.uniform(-1, 1, 3)
    grey = dice.chance(0.25)[:, None]
    one = torch.where(grey, one[:, :1].sign() * one[:, 1:2].abs().sqrt(), one)
    along, _ = _turned(u, v, dice.uniform(-math.pi, math.pi))
    rings = (u.square() + v.square() + 1e-8).sqrt()
    way = torch.where(dice.chance(0.3), rings, along)
    waves = torch.sin(way * dice.log_uniform(3.0, 20.0) + dice.uniform(0, 6)) * dice.uniform(1, 8)
    mix = torch.where(dice.chance(0.35), torch.sigmoid(waves), (0.5 + 0.5 * way).clamp(0, 1))
    return one.lerp(other, (mix * dice.uniform(0, 1) * dice.chance(0.7))[:, None])


def _pieces(dice: _Dice, sources: Tensor, tile: int) -> Tensor:
    """``[T, 3, P, P]``: a piece of a random source, turned, scaled, recoloured."""
    which = dice.below(len(sources))
    angle = (dice.uniform(-math.pi, math.pi) * dice.chance(0.5)).flatten()
    zoom = dice.log_uniform(0.2, 1.0).flatten()
    flip = dice.chance(0.5).flatten().float() * 2 - 1
    cos, sin = angle.cos() * zoom, angle.sin() * zoom
    shift = dice.uniform(-0.6, 0.6, 2).flatten(1)
    rows = torch.stack([torch.stack([cos * flip, -sin], 1), torch.stack([sin * flip, cos], 1)], 1)
    matrix = torch.cat([rows, shift[:, :, None]], dim=2)  # [T, 2, 3]
    grid = F.affine_grid(matrix, [dice.tiles, 3, tile, tile], align_corners=False)
    piece = F.grid_sample(sources[which], grid, padding_mode="reflection", align_corners=False)
    rolled = torch.where(dice.chance(0.3)[:, None], piece.roll(1, dims=1), piece)
    return (rolled * dice.uniform(0.5, 1.5, 3) + dice.uniform(-0.4, 0.4, 3)).clamp(-1, 1)
