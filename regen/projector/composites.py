"""Images with foreign patterns pasted in, so that B learns to keep patterns that no sample has.

A *paste* is a tile of `regen.projector.tiles`, laid over an image at a random place; it does not
depend on what the generator's images show. Most pastes are small, with strong contrast inside.
Equal states of the random generator give equal composites on one kind of device.

The paper trains on plain samples; composites are regen's own. They make foreign patterns survive
projection better, and plain samples a little worse (measured in experiments/README.md).

Shapes: N images of H x W; T tiles of side P, half of the shorter one; M pastes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from regen.errors import ProjectorError
from regen.projector.settings import CompositeSettings
from regen.projector.tiles import draw_tiles
from regen.training.transfer import sent


def composite(
    images: Tensor,
    generator: torch.Generator,
    *,
    settings: CompositeSettings | None = None,
    extra: Tensor | None = None,
    whole: tuple[int, int] | None = None,
) -> tuple[Tensor, Tensor]:
    """Paste foreign patterns into each image.

    Args:
        images: ``[N, 3, H, W]`` in [-1, 1], the shorter side even and at least 8.
        generator: Source of all randomness, on the CPU.
        settings: Number, size and content of the pastes.
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
    settings = settings or CompositeSettings()
    count, side = len(images), min(images.shape[2:], default=0)
    if images.dim() != 4 or images.shape[1] != 3 or side < 8 or side % 2:
        got = list(images.shape)
        raise ProjectorError(
            "images to paste into", got=got, expected="[N, 3, H, W], the shorter side even, from 8"
        )
    if extra is not None and extra.shape[1:] != images.shape[1:]:
        got, expected = list(extra.shape), f"[M, 3, {images.shape[2]}, {images.shape[3]}]"
        raise ProjectorError("extra images", got=got, expected=expected)
    many = torch.randint(settings.pastes[0], settings.pastes[1] + 1, [count], generator=generator)
    beyond = 0
    if whole is not None:
        side, beyond = min(whole), _beyond(images.shape[2:], whole, settings)
        height, width = (length + 2 * beyond for length in images.shape[2:])
        share = torch.full([count], height * width / (whole[0] * whole[1]))
        many = torch.binomial(many.float(), share, generator=generator).long()
        if not many.any():
            return images.float(), torch.zeros_like(images[:, :1], dtype=torch.float32)
    random = _generator_on(images.device, generator)
    sources = images if extra is None else torch.cat([images, extra.to(images)])
    colour, alpha = draw_tiles(int(many.sum()), random, sources.float(), side, settings)
    tile = colour.shape[-1]
    pastes = _Pastes.of(many, images.shape[2:], tile, generator, settings.mirrored, beyond)
    lay = _lay_in_rounds if images.is_cuda else _lay_in_turn
    return lay(images.float(), colour, alpha, pastes)


def _beyond(size: Sequence[int], whole: tuple[int, int], settings: CompositeSettings) -> int:
    """How far outside of a window, in pixels, pastes of the usual sizes still reach into it."""
    radius = settings.usual_radius[1] * min(whole) / 128
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
