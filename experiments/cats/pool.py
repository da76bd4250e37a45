"""Rendered people, each as a cat in several styles, and where pixels are in the face, in a file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from regen.files.atomic import atomic_write
from regen.portraits import (
    REGIONS,
    STYLE_DIM,
    Z_DIM,
    Attributes,
    attributes,
    cat_style,
    render,
    render_cat,
)
from regen.portraits.face import build_face

GUIDED = ("eyes", "nose", "hat", "glasses")  # parts whose distance a position should know
_REACH = 16.0  # 1/128 of the side; distances are cut off there
_HEAD = 64.0  # the same for coordinates of the head
_BATCH = 32


@dataclass(frozen=True)
class Pool:
    """People that the network is trained on, and the same people as cats.

    Attributes:
        people: ``[P, 3, H, W]`` uint8.
        cats: In K styles, ``[P, K, 3, H, W]`` uint8.
        codes: The styles, ``[P, K, 8]``.
        guides: At a quarter of the size, how far each position is from the parts of `GUIDED` and
            where it is in the head, across and down, ``[P, 6, H/4, W/4]`` int8; 127 is 1.
    """

    people: Tensor
    cats: Tensor
    codes: Tensor
    guides: Tensor

    def __len__(self) -> int:
        return len(self.people)


def load_pool(path: Path, count: int, styles: int, size: int, compiled: bool = True) -> Pool:
    """The pool in a file, which is made if it is not there.

    Args:
        path: Of the file.
        count: People, P; rounded up to whole batches.
        styles: Of each, K.
        size: Height and width.
        compiled: Whether to compile the renderer: a minute, and then it is ten times as fast.
    """
    if not path.exists():
        parts = zip(*_batches(count, styles, size, compiled), strict=True)
        with atomic_write(path) as temporary:
            torch.save([torch.cat(part) for part in parts], temporary)
    return Pool(*torch.load(path, weights_only=True, mmap=True))


@torch.no_grad()
def _batches(count: int, styles: int, size: int, compiled: bool) -> Iterator[tuple[Tensor, ...]]:
    """People of random latents, none of them a numbered one, in random styles."""
    source = torch.Generator().manual_seed(0)
    draw = torch.compile(render, dynamic=False, disable=not compiled)
    draw_cat = torch.compile(render_cat, dynamic=False, disable=not compiled)
    for _ in range(0, count, _BATCH):
        people = attributes(torch.randn(_BATCH, Z_DIM, generator=source))
        codes = torch.randn(_BATCH, styles, STYLE_DIM, generator=source)
        cats = [_stored(draw_cat(people, cat_style(one), size)) for one in codes.unbind(1)]
        yield _stored(draw(people, size)), torch.stack(cats, dim=1), codes, _guides(people, size)


def _stored(images: Tensor) -> Tensor:
    return ((images + 1) * 127.5).round().to(torch.uint8)


def _guides(people: Attributes, size: int) -> Tensor:
    face = build_face(people, size // 4)
    distances = [REGIONS[name](face) / _REACH for name in GUIDED]
    maps = torch.cat([*distances, face.fu / _HEAD, face.v / _HEAD], dim=1)
    return (maps.clamp(-1, 1) * 127).round().to(torch.int8)
