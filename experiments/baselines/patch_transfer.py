"""Patch transfer: edit every image by itself, through correspondences, and learn nothing.

In the manner of Neural Best-Buddies (Aberman et al. 2018), written from the paper's idea: two
positions of two images correspond if each is the other's nearest neighbour in the features of a
pretrained network. The target's untouched image is matched with each new image around the
region; the region follows its correspondences, and the exemplar is pasted where they say. The
network is the backbone of LPIPS; its layers are compared together instead of from coarse to fine.

Shapes: T targets; N images of side R; g side of the grid of positions; D features of a position;
P positions around a part of the region.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

from regen.images.alignment import align
from regen.images.regions import Region, feather, paste, resize_mask
from regen.metrics import Lpips
from regen.rewriting.composite import Example
from regen.rewriting.settings import RuleSettings

_LAYERS = 4  # of the backbone, from the shallowest: up to an eighth of the image's size
_REACH = 1 / 6  # how far a position may move, in sides of the image
_AGREE = 2.0  # cells between a correspondence and the median that it may help to refine


@dataclass(frozen=True)
class PatchTransferConfig:
    """Settings.

    Attributes:
        around: Cells around the region whose correspondences count as well.
        batch: Images whose features are taken at once.
    """

    around: int = 2
    batch: int = 16


class PatchTransfer:
    """Edits images after the examples of a rule.

    Args:
        lpips: Whose backbone gives the features.
        examples: At least one.
        images: The targets as they are, ``[T, 3, R, R]`` in [-1, 1].
        rule: How exemplars are laid onto targets; ``feather_px`` and ``scale`` are used.
        config: Settings.
    """

    def __init__(
        self,
        lpips: Lpips,
        examples: Sequence[Example],
        images: Tensor,
        rule: RuleSettings,
        config: PatchTransferConfig | None = None,
    ) -> None:
        self.lpips, self.examples, self.rule = lpips, list(examples), rule
        self.config = config or PatchTransferConfig()
        self.targets = dense_features(lpips, images)

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Tensor:
        """Images ``[N, 3, R, R]`` in [-1, 1] with the exemplar pasted where they correspond.

        An image without any correspondence is returned as it is.
        """
        edited = []
        for batch in images.split(self.config.batch):
            features = dense_features(self.lpips, batch)
            edited += [self._one(batch[i : i + 1], features[i]) for i in range(len(batch))]
        return torch.cat(edited)

    def _one(self, image: Tensor, features: Tensor) -> Tensor:
        """Edit one image after the target that is most like it, position by position."""
        like = (self.targets * features).sum(dim=1).mean(dim=(1, 2))
        nearest = int(like.argmax())
        example = self.examples[nearest]
        side = int(image.shape[-1])
        place = self._carry(example.target_region, self.targets[nearest], features, side)
        if place is None:
            return image
        carried, hard = align(
            example.exemplar.to(image),
            example.exemplar_region,
            place,
            (side, side),
            uniform=self.rule.scale == "uniform",
            shape=example.outline(self.rule.shape),
            alpha=example.alpha,
        )
        soft = feather(hard, self.rule.feather_px) if self.rule.feather_px else hard
        return paste(image, carried, soft)

    def _carry(self, place: Region, target: Tensor, features: Tensor, side: int) -> Region | None:
        """The region in the new image; None if nothing corresponds."""
        grid = features.shape[-1]
        moved, votes = [], 0
        for part in place.split():
            inside = resize_mask(part.mask(side, side), grid, grid)
            reach = 2 * self.config.around + 1
            cells = F.max_pool2d(inside, reach, 1, self.config.around)[0, 0] > 0.25
            shift, found = mean_shift(target, features, cells.to(features.device))
            dx, dy = (shift * side / grid).tolist()
            moved.append(_kept_inside(part, dx, dy, side))
            votes += found
        return Region.union(moved) if votes else None


def dense_features(lpips: Lpips, images: Tensor) -> Tensor:
    """Unit vectors for every position, ``[N, D, g, g]``: all layers in equal parts."""
    layers = lpips.layers(images)[:_LAYERS]
    size = layers[0].shape[2:]
    parts = [
        F.interpolate(F.normalize(layer, dim=1), size=size, mode="bilinear", align_corners=False)
        for layer in layers
    ]
    return F.normalize(torch.cat(parts, dim=1), dim=1)


def mean_shift(target: Tensor, features: Tensor, cells: Tensor) -> tuple[Tensor, int]:
    """How far a part of an image has moved in another.

    Args:
        target: Features of the first image, ``[D, g, g]``.
        features: Of the second.
        cells: Which positions of the first make up the part, ``[g, g]`` booleans.

    Returns:
        The mean shift (x, y) in cells of the correspondences that agree with their median, and how
        many correspondences there were; a shift of 0 where there were none.
    """
    grid = target.shape[-1]
    first, second = target.flatten(1).T, features.flatten(1).T  # [g * g, D]
    wanted = cells.flatten().nonzero().flatten()
    there = (_near(wanted, grid, first[wanted] @ second.T)).argmax(dim=1)
    back = (_near(there, grid, second[there] @ first.T)).argmax(dim=1)
    mutual = back == wanted
    found = int(mutual.sum())
    if found == 0:
        return torch.zeros(2), 0
    shift = (_places(there[mutual], grid) - _places(wanted[mutual], grid)).float()
    median = shift.median(dim=0).values
    agree = (shift - median).abs().amax(dim=1) <= _AGREE
    return (shift[agree].mean(dim=0) if bool(agree.any()) else median).cpu(), found


def _near(origin: Tensor, grid: int, likeness: Tensor) -> Tensor:
    """``likeness [P, g * g]``, and -1 for what is out of reach of ``origin [P]``."""
    return likeness.masked_fill(_far(grid).to(origin.device)[origin], -1.0)


@lru_cache(maxsize=1)
def _far(grid: int) -> Tensor:
    """``[g * g, g * g]``: whether one position is out of reach of another."""
    line = torch.arange(grid)
    far = (line[:, None] - line[None]).abs() > _REACH * grid  # along one axis
    return (far[:, None, :, None] | far[None, :, None, :]).reshape(grid**2, grid**2)


def _places(index: Tensor, grid: int) -> Tensor:
    """(x, y) of positions that are counted row by row."""
    return torch.stack([index % grid, index // grid], dim=-1)


def _kept_inside(part: Region, dx: float, dy: float, side: int) -> Region:
    """A part shifted as far as the image allows."""
    x0, y0, x1, y1 = part.bounds
    dx = min(max(dx, -x0), side - x1)
    dy = min(max(dy, -y0), side - y1)
    return part.shifted(dx, dy)
