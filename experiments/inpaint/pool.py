"""Rendered people, the masks of their parts and where each pixel is in the face, kept in a file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from regen.files.atomic import atomic_write
from regen.portraits import REGIONS, Z_DIM, Attributes, attributes, render
from regen.portraits.face import Face, build_face
from regen.portraits.shapes import cover

SIZE = 64
GUIDED = ("eyes", "nose", "mouth", "glasses")  # parts whose distance a pixel should know
_REACH = 16.0  # 1/128 of the side; distances are cut off there
_HEAD = 64.0  # the same for coordinates of the head
_BATCH = 32
_BEYOND = 1.5  # 1/128 of the side: a part's mask reaches as far beyond it, as in `region`


@dataclass(frozen=True)
class Pool:
    """People that the network is trained on.

    Attributes:
        images: ``[P, 3, 64, 64]`` uint8.
        parts: Masks of `names`, ``[P, names, 64, 64]`` bool.
        guides: At half size, how far each pixel is from the parts of `GUIDED` and where it is in
            the head, across and down, ``[P, 6, 32, 32]`` int8; 127 is 1.
        names: Of the parts of a face.
    """

    images: Tensor
    parts: Tensor
    guides: Tensor
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.images)


def load_pool(path: Path, count: int) -> Pool:
    """The pool in a file, which is made if it is not there."""
    if not path.exists():
        batches = [_rendered(people) for people in _people(count)]
        images, parts, guides = (torch.cat(part)[:count] for part in zip(*batches, strict=True))
        with atomic_write(path) as temporary:
            torch.save({"images": images, "parts": parts, "guides": guides}, temporary)
    kept = torch.load(path, weights_only=True)
    return Pool(kept["images"], kept["parts"], kept["guides"], tuple(REGIONS))


def _people(count: int) -> Iterator[Attributes]:
    """People of random latents, none of them a numbered one."""
    source = torch.Generator().manual_seed(0)
    for _ in range(0, count, _BATCH):
        yield attributes(torch.randn(_BATCH, Z_DIM, generator=source))


@torch.no_grad()
def _rendered(people: Attributes) -> tuple[Tensor, Tensor, Tensor]:
    """Images, masks of parts and guides of some people."""
    face = build_face(people, SIZE)
    outlines = [cover(outline(face) - _BEYOND, face.px) > 0 for outline in REGIONS.values()]
    images = ((render(people, SIZE) + 1) * 127.5).round().to(torch.uint8)
    return images, torch.cat(outlines, dim=1), _guides(build_face(people, SIZE // 2))


def _guides(face: Face) -> Tensor:
    distances = [REGIONS[name](face) / _REACH for name in GUIDED]
    maps = torch.cat([*distances, face.fu / _HEAD, face.v / _HEAD], dim=1)
    return (maps.clamp(-1, 1) * 127).round().to(torch.int8)
