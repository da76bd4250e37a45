"""Feature reasoning: an encoder and decoder with attention, which fills what a round uncovered.

Attention remembers the scores of the round before. The memory is a value that is passed on; the
module keeps nothing.

Shapes: N samples; w width; H, W size of the features; P positions at a quarter of that size.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from regen.generators.rfr.layers import Block, Convolution, Enlarging

_SMALL = 1e-7
_SLOPE = 0.2  # below 0 in the decoder


@dataclass(frozen=True)
class Attended:
    """What attention remembers of a round.

    Attributes:
        scores: How much of each position every position took, ``[N, P, h, w]``.
        known: Where features were known in that round, ``[N, 1, h, w]``.
    """

    scores: Tensor
    known: Tensor


class Attention(nn.Module):
    """Features of every position from those that look alike, consistent from round to round."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.ratio = nn.Parameter(torch.ones(1))
        self.combiner = nn.Conv2d(2 * channels, channels, 1)

    def forward(self, x: Tensor, known: Tensor, before: Attended | None) -> tuple[Tensor, Attended]:
        """Combine features with what they attend to.

        Args:
            x: ``[N, C, h, w]``.
            known: ``[N, 1, H, W]``; brought to the size of the features.
            before: Memory of the previous round, None in the first.

        Returns:
            Features of the same shape, and the memory for the next round.
        """
        known = F.interpolate(known, size=x.shape[2:])
        unit = F.normalize(x.flatten(2) + _SMALL, dim=1, eps=0)  # [N, C, P]
        scores = self._scores(unit, x)
        if before is not None:
            ratio = self.ratio.abs() + _SMALL
            earlier = before.scores * before.known
            scores = (earlier + scores * ratio) / (before.known + ratio)
        attended = (unit @ scores.flatten(2)).view_as(x)
        combined: Tensor = self.combiner(torch.cat([attended, x], dim=1))
        return combined, Attended(scores, known)

    @staticmethod
    def _scores(unit: Tensor, x: Tensor) -> Tensor:
        """Softmax over all positions of their likeness, summed over 3x3 neighbours."""
        likeness = (unit.transpose(1, 2) @ x.flatten(2)).unflatten(2, x.shape[2:])
        return torch.softmax(9 * F.avg_pool2d(likeness, 3, 1, 1), dim=1)


class Reasoning(nn.Module):
    """Encoder, attention and decoder.

    Args:
        channels: Widths at a half, a quarter, an eighth and a sixteenth of the image's size.
    """

    def __init__(self, channels: tuple[int, int, int, int]) -> None:
        super().__init__()
        half, quarter, eighth, deep = channels
        steps = [(half, quarter), (quarter, eighth), (eighth, deep)]
        shrinking = [Block(Convolution(i, o, 3, stride=2), o, 0.0) for i, o in steps]
        wide = [Block(Convolution(deep, deep, 3, dilation=2), deep, 0.0) for _ in range(3)]
        self.encoder = nn.ModuleList([*shrinking, *wide])
        inner = [Block(Convolution(2 * deep, deep, 3, dilation=2), deep, _SLOPE) for _ in range(2)]
        steps = [(2 * deep, deep), (deep + eighth, eighth), (eighth + quarter, half)]
        self.inner = nn.ModuleList(inner)
        self.enlarging = nn.ModuleList([Block(Enlarging(i, o), o, _SLOPE) for i, o in steps])
        self.attention = Attention(deep)

    def forward(self, x: Tensor, known: Tensor, before: Attended | None) -> tuple[Tensor, Attended]:
        """Reasoned features ``[N, w, H, W]`` of features, and the attention's memory.

        Args:
            x: ``[N, w, H, W]``, height and width multiples of 8.
            known: ``[N, 1, H, W]``.
            before: Memory of the previous round, None in the first.
        """
        seen = []
        for block in self.encoder:
            x = block(x)
            seen.append(x)
        for block, beside in zip(self.inner, (seen[4], seen[3]), strict=True):
            x = block(torch.cat([x, beside], dim=1))
        x = self.enlarging[0](torch.cat([x, seen[2]], dim=1))
        x, attended = self.attention(x, known, before)
        x = self.enlarging[1](torch.cat([x, seen[1]], dim=1))
        return self.enlarging[2](torch.cat([x, seen[0]], dim=1)), attended
