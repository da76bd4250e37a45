"""Recurrent feature reasoning (RFR; Li et al. 2020): fills the hole of an image from its border.

Written from the paper and from what its published files hold. The network is run in parts, so that
it can be cut between them: `gather` (all rounds, and what they found merged), the two convolutions
that follow, which can be a memory, and `finish`.

Shapes: N samples; w width; H, W height and width of the image; H', W' the next multiples of 16.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from regen.generators.rfr.config import MULTIPLE, RFRConfig
from regen.generators.rfr.layers import BatchNorm, Block, Convolution, Enlarging, PartialConvolution
from regen.generators.rfr.reasoning import Attended, Reasoning

SLOPE = 0.01  # of activations below 0 outside of the reasoning
_SMALL = 1e-7


class Refinement(nn.Module):
    """A bottleneck of three convolutions beside the identity."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        narrow = channels // 4
        self.first = Block(Convolution(channels, narrow, 1), narrow, 0.0)
        self.second = Block(Convolution(narrow, narrow, 3), narrow, 0.0)
        self.third, self.norm = Convolution(narrow, channels, 1), BatchNorm(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Features of the same shape."""
        return F.relu(self.norm(self.third(self.second(self.first(x)))) + x)


class Combination(PartialConvolution):
    """The convolution that sees the image beside the features at full size."""

    def combine(self, x: Tensor, image: Tensor, known: Tensor, found: Tensor) -> Tensor:
        """Features ``[N, w/2, H, W]``.

        Args:
            x: ``[N, w, H, W]``.
            image: ``[N, 3, H, W]`` in [0, 1].
            known: ``[N, 1, H, W]``.
            found: Where the merged features are known, ``[N, 1, H'/2, W'/2]``.
        """
        found = cropped(F.interpolate(found, scale_factor=2.0), image)
        x, _ = self.partial([(image, known), (x, found)])
        return F.leaky_relu(x, SLOPE)


class RFR(nn.Module):
    """The network of a configuration, with random weights."""

    def __init__(self, config: RFRConfig) -> None:
        super().__init__()
        self.config = config
        width, kernel = config.width, config.kernel
        self.first = PartialConvolution(3, width, 7, stride=2)
        self.first_norm = BatchNorm(width)
        self.second = PartialConvolution(width, width, kernel)
        self.second_norm = BatchNorm(width)
        narrowing = [PartialConvolution(width, width, kernel) for _ in range(2)]
        self.narrowing = nn.ModuleList(narrowing)
        self.narrowing_norm = BatchNorm(width)
        self.reasoning = Reasoning(config.channels)
        self.enlargement = Block(Enlarging(width, width), width, SLOPE)
        self.combination = Combination(width + 3, width // 2, 3)
        self.refinement = Refinement(width // 2)
        self.last = Convolution(width, 3, 3)

    def gather(self, image: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
        """All rounds.

        Args:
            image: ``[N, 3, H, W]`` in [0, 1], 0 in the hole.
            known: ``[N, 1, H, W]``.

        Returns:
            The merged features and where they are known, ``[N, w, H'/2, W'/2]`` and one channel.
        """
        image, known = padded(image), padded(known)
        x, known = self.first.partial([(image, known)])
        x = F.relu(self.first_norm(x))
        x, known = self.second.partial([(x, known)])
        x = F.relu(self.second_norm(x))
        group: list[tuple[Tensor, Tensor]] = [(x, known)]
        attended = None
        for _ in range(self.config.rounds):
            x, known, attended = self._round(x, known, attended)
            group.append((x, known))
        return _merged(group), known

    def narrowing_convolutions(self) -> Iterator[PartialConvolution]:
        """The two that each round begins with."""
        for convolution in self.narrowing:
            assert isinstance(convolution, PartialConvolution)
            yield convolution

    def _round(
        self, x: Tensor, known: Tensor, attended: Attended | None
    ) -> tuple[Tensor, Tensor, Attended]:
        """Narrow the hole, then reason about what was uncovered."""
        for convolution in self.narrowing_convolutions():
            x, known = convolution.partial([(x, known)])
        x = F.leaky_relu(self.narrowing_norm(x), SLOPE)
        x, attended = self.reasoning(x, known, attended)
        return x * known, known, attended

    def finish(self, x: Tensor) -> Tensor:
        """The image ``[N, 3, H, W]``, nominally in [0, 1], of the features ``[N, w/2, H, W]``."""
        image: Tensor = self.last(torch.cat([x, self.refinement(x)], dim=1))
        return image

    def forward(self, image: Tensor, known: Tensor) -> Tensor:
        """The filled image; its known pixels are those of the network, not of the input.

        Arguments are those of `gather`.
        """
        x, found = self.gather(image, known)
        x = cropped(self.enlargement(x), image)
        return self.finish(self.combination.combine(x, image, known, found))


def padded(x: Tensor) -> Tensor:
    """The border repeated to the right and below, up to the next multiples of 16."""
    below, right = (-size % MULTIPLE for size in x.shape[2:])
    return F.pad(x, (0, right, 0, below), mode="replicate") if below or right else x


def cropped(x: Tensor, image: Tensor) -> Tensor:
    """Features without what `padded` added to their image."""
    return x[:, :, : image.shape[2], : image.shape[3]]


def _merged(group: list[tuple[Tensor, Tensor]]) -> Tensor:
    """The mean of what all rounds know of each position."""
    features = torch.stack([x * known for x, known in group]).mean(dim=0)
    return features / (torch.stack([known for _, known in group]).mean(dim=0) + _SMALL)
