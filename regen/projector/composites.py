"""Images with foreign patterns pasted in, so that B learns to keep patterns that no sample has.

A *paste* is a tile: a shape with smaller shapes nested in it, each filled with colours, gradients,
stripes or rings, or with a piece of another image. Shapes, sizes and colours are random and do not
depend on what the generator's images show. Most pastes are small, with strong contrast inside.
All tiles are rendered together, on the device of the images; equal states of the random generator
give equal composites on one kind of device.

The paper trains on plain samples; composites are regen's own. They make foreign patterns survive
projection better, and plain samples a little worse (measured in experiments/README.md).

Shapes: N images of H x W; T tiles of side P, half of the shorter one; L nested layers. Lengths of
a shape are in units of its tile's half side, unless they say pixels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from regen.errors import ProjectorError
from regen.projector.settings import CompositeSettings
from regen.training.transfer import sent

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


def composite(
    images: Tensor,
    generator: torch.Generator,
    *,
    config: CompositeSettings | None = None,
    extra: Tensor | None = None,
    whole: tuple[int, int] | None = None,
) -> tuple[Tensor, Tensor]:
    """Paste foreign patterns into each image.

    Args:
        images: ``[N, 3, H, W]`` in [-1, 1], the shorter side even and at least 8.
        generator: Source of all randomness, on the CPU.
        config: Number, size and content of the pastes.
        extra: Further images ``[M, 3, H, W]`` whose pieces may be pasted.
        whole: Height and width of the whole images where `images` are windows of them, or None:
            patterns are as large and as dense as in whole images. A window may get none, and some
            reach in from outside.

    Returns:
        Images ``[N, 3, H, W]`` in [-1, 1] and the masks ``[N, 1, H, W]`` in [0, 1] of what was
        pasted into them, float32, on the device of `images`.

    Raises:
        ProjectorError: If `images` are not of that shape, or `extra` have another size.

    Example:
        >>> image, mask = composite(torch.zeros(2, 3, 16, 16), torch.Generator().manual_seed(0))
        >>> bool((image[mask.expand(-1, 3, -1, -1) == 0] == 0).all())
        True
    """
    config = config or CompositeSettings()
    count, side = len(images), min(images.shape[2:], default=0)
    if images.dim() != 4 or images.shape[1] != 3 or side < 8 or side % 2:
        got = list(images.shape)
        raise ProjectorError(
            "images to paste into", got=got, expected="[N, 3, H, W], the shorter side even, from 8"
        )
    if extra is not None and extra.shape[1:] != images.shape[1:]:
        got, expected = list(extra.shape), f"[M, 3, {images.shape[2]}, {images.shape[3]}]"
        raise ProjectorError("extra images", got=got, expected=expected)
    many = torch.randint(config.pastes[0], config.pastes[1] + 1, [count], generator=generator)
    beyond = 0
    if whole is not None:
        side, beyond = min(whole), _beyond(images.shape[2:], whole, config)
        height, width = (length + 2 * beyond for length in images.shape[2:])
        share = torch.full([count], height * width / (whole[0] * whole[1]))
        many = torch.binomial(many.float(), share, generator=generator).long()
        if not many.any():
            return images.float(), torch.zeros_like(images[:, :1], dtype=torch.float32)
    dice = _Dice(int(many.sum()), _generator_on(images.device, generator))
    sources = images if extra is None else torch.cat([images, extra.to(images)])
    colour, alpha = _tiles(dice, sources.float(), side, config)
    tile = colour.shape[-1]
    pastes = _Pastes.of(many, images.shape[2:], tile, generator, config.mirrored, beyond)
    lay = _lay_in_rounds if images.is_cuda else _lay_in_turn
    return lay(images.float(), colour, alpha, pastes)


def _beyond(size: Sequence[int], whole: tuple[int, int], config: CompositeSettings) -> int:
    """How far outside of a window, in pixels, pastes of the usual sizes still reach into it."""
    radius = config.usual_radius[1] * min(whole) / 128
    outside = min((entire - own) // 2 for entire, own in zip(whole, size, strict=True))
    return min(round(radius), outside)


def _generator_on(device: torch.device, generator: torch.Generator) -> torch.Generator:
    """`generator` itself on the processor; elsewhere another, which it seeds."""
    if device.type == "cpu":
        return generator
    seed = int(torch.randint(2**62, [], generator=generator))
    return torch.Generator(device).manual_seed(seed)


class _Pastes(NamedTuple):
    """Where M pastes lie, in their order in each image; all on the processor.

    Attributes:
        owner: The image, ``[M]``, ascending.
        tile: The tile, ``[M]``.
        mirrored: Whether the tile is turned left to right, ``[M]``.
        top: First row of the tile, ``[M]``; negative where it sticks out.
        left: First column, ``[M]``.
    """

    owner: Tensor
    tile: Tensor
    mirrored: Tensor
    top: Tensor
    left: Tensor

    @classmethod
    def of(
        cls,
        many: Tensor,
        size: Sequence[int],
        side: int,
        generator: torch.Generator,
        mirrored: float,
        beyond: int = 0,
    ) -> _Pastes:
        """Random places of tiles of a side, ``many [N]`` in each image, each with its twin.

        Their middles lie in the image, or up to so many pixels beyond.
        """
        (height, width), tiles = size, int(many.sum())
        spans = torch.tensor([height, width, width]) + 2 * beyond
        top, left, other = (
            (torch.rand(tiles, 3, generator=generator) * spans).long() - (side // 2 + beyond)
        ).unbind(dim=1)
        twin = torch.rand(tiles, generator=generator) < mirrored
        tile = torch.arange(tiles).repeat_interleave(1 + twin.long())
        second = torch.zeros_like(tile, dtype=torch.bool)
        second[1:] = tile[1:] == tile[:-1]
        owner = torch.arange(len(many)).repeat_interleave(many)[tile]
        return cls(owner, tile, second, top[tile], torch.where(second, other[tile], left[tile]))


def _lay_in_turn(
    images: Tensor, colour: Tensor, alpha: Tensor, pastes: _Pastes
) -> tuple[Tensor, Tensor]:
    """Lay the tiles ``[T, ., P, P]`` over the images, one paste after the other."""
    image = images.contiguous().clone()
    mask = torch.zeros_like(image[:, :1])
    for n, k, turned, top, left in zip(*(part.tolist() for part in pastes), strict=True):
        one, opacity = colour[k], alpha[k]
        if turned:
            one, opacity = one.flip(-1), opacity.flip(-1)
        _paste(image[n], mask[n], one, opacity, top, left)
    return image, mask


def _paste(image: Tensor, mask: Tensor, colour: Tensor, alpha: Tensor, top: int, left: int) -> None:
    """Lay one tile over one image, in place; what sticks out is cut off."""
    (height, width), tile = image.shape[1:], alpha.shape[-1]
    y, x = max(top, 0), max(left, 0)
    bottom, right = min(top + tile, height), min(left + tile, width)
    here = (..., slice(y, bottom), slice(x, right))
    there = (..., slice(y - top, bottom - top), slice(x - left, right - left))
    image[here].lerp_(colour[there], alpha[there])
    mask[here] = torch.maximum(mask[here], alpha[there])


def _lay_in_rounds(
    images: Tensor, colour: Tensor, alpha: Tensor, pastes: _Pastes
) -> tuple[Tensor, Tensor]:
    """The same with one paste of every image at a time: few kernels, which a GPU wants.

    Images and mask lie on one canvas with a border as wide as tiles stick out.
    """
    (count, _, height, width), side = images.shape, alpha.shape[-1]
    least = int(torch.minimum(pastes.top, pastes.left).min())
    most = int(torch.maximum(pastes.top - height, pastes.left - width).max())
    before, after = max(side // 2, -least), max(side - side // 2, side + most)
    border, device = (before, after, before, after), images.device
    rows, columns = height + before + after, width + before + after
    layers = [F.pad(images, border), images.new_zeros(count, 1, rows, columns)]
    canvas = torch.cat(layers, dim=1).transpose(0, 1).flatten(1)  # [4, N rows columns]
    start = (pastes.owner * rows + pastes.top + before) * columns + pastes.left + before
    turn = torch.arange(len(start)) - torch.searchsorted(pastes.owner, pastes.owner)
    order = turn.argsort(stable=True)
    numbers = torch.stack([start, pastes.tile, pastes.mirrored.long()])[:, order]
    start, tile, mirrored = sent(numbers, device)
    line = torch.arange(side, device=device)
    places = start[:, None] + (line[:, None] * columns + line).flatten()  # [M, P P]
    tiles = torch.cat([colour, alpha], dim=1)[tile]
    turned = mirrored[:, None, None, None] > 0
    tiles = torch.where(turned, tiles.flip(-1), tiles).flatten(2).transpose(0, 1)  # [4, M, P P]
    sizes = turn.bincount().tolist()
    for here, new in zip(places.split(sizes), tiles.split(sizes, dim=1), strict=True):
        old, opacity = canvas[:, here], new[3:]
        blended = old[:3].lerp(new[:3], opacity)
        canvas[:, here] = torch.cat([blended, old[3:].maximum(opacity)])
    inside = canvas.view(4, count, rows, columns).transpose(0, 1)
    inside = inside[:, :, before : before + height, before : before + width]
    return inside[:, :3].contiguous(), inside[:, 3:].contiguous()


def _tiles(
    dice: _Dice, sources: Tensor, side: int, config: CompositeSettings
) -> tuple[Tensor, Tensor]:
    """Colours ``[T, 3, P, P]`` and opacities ``[T, 1, P, P]`` of all tiles."""
    scale, tile = side / 128, side // 2
    usual, rest = dice.log_uniform(*config.usual_radius), dice.log_uniform(*config.radius)
    radius = torch.where(dice.chance(config.usual), usual, rest) * scale  # pixels, [T, 1, 1]
    line = (torch.arange(tile, device=radius.device) + 0.5 - tile / 2).float()
    y, x = line[:, None] / radius, line[None, :] / radius  # [T, P, 1], [T, 1, P]
    u, v = _turned(x, y, dice.uniform(-math.pi, math.pi) * dice.chance(0.6))
    v = v * dice.log_uniform(1.0, 2.5)
    soft = dice.uniform(1.0, max(1.0, config.softest * scale))  # pixels
    sharp = torch.ones([], device=soft.device)
    soft = torch.where(dice.chance(0.6), sharp, soft)
    alpha = _opacity(dice, u, v, radius, soft)
    piece = dice.chance(config.pieces)[:, None]
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
