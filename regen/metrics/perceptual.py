"""LPIPS, the learned perceptual distance of Zhang et al. 2018.

Its *backbone* is an ImageNet network, see `regen.metrics.backbone_weights`; its linear weights come
with the `lpips` package, which computes it for all backbones but the smallest, see
`regen.metrics.squeeze_lpips`. LPIPS values are only comparable for the same backbone, version and
resolution: `Lpips.describe` names them.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

import torch
from torch import Tensor, nn

from regen.batches import at_once
from regen.errors import MetricError
from regen.metrics._check import check_pair
from regen.metrics.backbone_weights import (
    backbone_weights,
    check_backbone,
    damaged,
    weights_path,
)
from regen.metrics.squeeze_lpips import SqueezeLpips, compared, unit_length

_AT_ONCE = 4  # images of each name whose features are held
SMALLEST = 32  # below this some backbone has no pixel left in its last layer


class Lpips:
    """A frozen LPIPS network. Make one with `load_lpips`.

    Attributes:
        backbone: One of `BACKBONES`.
        batch_size: Images compared at once, fewer of large ones; never changes the result.
        device: Where distances are computed, wherever the images are; None for where they are.
    """

    def __init__(
        self,
        backbone: str,
        network: nn.Module,
        batch_size: int = 16,
        device: torch.device | None = None,
    ) -> None:
        self.backbone, self.batch_size, self.device = backbone, batch_size, device
        self._network = network.eval().requires_grad_(False)

    def __call__(self, a: Tensor, b: Tensor, *, differentiable: bool = False) -> Tensor:
        """Perceptual distance of each pair of images.

        Args:
            a: Images ``[N, 3, H, W]`` in [-1, 1], at least 32 pixels high and wide. Published
                values use 64 and up; below that the deepest layers have almost no pixels.
            b: Images of the same shape.
            differentiable: Whether gradients flow to `a` and `b` (first order).

        Returns:
            Distances ``[N]`` on the device of `a`, 0 for equal images.

        Raises:
            MetricError: If the shapes do not match, a side is below 32 pixels, or these are not
                images in [-1, 1].
        """
        check_pair("LPIPS", a, b, least=SMALLEST)
        network, place = self._network_for(a)
        size = at_once(self.batch_size, a.shape[2:])
        pieces = zip(a.split(size), b.split(size), strict=True)
        with torch.set_grad_enabled(differentiable):
            found = [network(x.to(place), y.to(place)).flatten() for x, y in pieces]
            return torch.cat(found).to(a.device)

    def distances(
        self, images: Mapping[str, Tensor], pairs: Sequence[tuple[str, str]]
    ) -> dict[tuple[str, str], Tensor]:
        """Perceptual distances of many pairs that share images, each of which is seen once.

        Args:
            images: ``[N, 3, H, W]`` each, as for a call.
            pairs: Names of images to compare.

        Returns:
            For each pair what a call gives, ``[N]``.

        Raises:
            MetricError: As for a call.
        """
        for one, two in pairs:
            check_pair("LPIPS", images[one], images[two], least=SMALLEST)
        names = sorted({name for pair in pairs for name in pair})
        count = len(images[names[0]]) if names else 0
        found: dict[tuple[str, str], list[Tensor]] = {pair: [] for pair in pairs}
        with torch.no_grad():
            size = at_once(_AT_ONCE, images[names[0]].shape[2:]) if names else 1
            for first in range(0, count, size):
                part = slice(first, first + size)
                seen = {name: self._features(images[name][part]) for name in names}
                for one, two in pairs:
                    found[one, two].append(self._compared(seen[one], seen[two]))
        return {pair: torch.cat(found[pair]).to(images[pair[0]].device) for pair in pairs}

    def _network_for(self, images: Tensor) -> tuple[Any, torch.device]:
        """The network, which is not typed, moved to where distances of these are computed."""
        place = self.device or images.device
        return self._network.to(place), place

    def _features(self, images: Tensor) -> list[Tensor]:
        """Outputs of the backbone's layers, each position's channels of length 1."""
        network, place = self._network_for(images)
        return [unit_length(x) for x in network.net(network.scaling_layer(images.to(place)))]

    def _compared(self, one: list[Tensor], two: list[Tensor]) -> Tensor:
        network: Any = self._network
        return compared(network.lins, one, two).flatten()

    @property
    def network(self) -> nn.Module:
        """LPIPS itself, for a loss: two batches of images in, ``[N, 1, 1, 1]`` out, all at once.

        It takes images that go beyond [-1, 1], as those of a generator in training may.
        """
        return self._network

    def layers(self, images: Tensor) -> list[Tensor]:
        """What LPIPS compares, from the shallowest to the deepest layer, before any weighting.

        Args:
            images: ``[N, 3, H, W]`` in [-1, 1], at least 32 pixels high and wide. All N are
                processed at once.

        Returns:
            Outputs of ReLUs, ``[N, C_l, h_l, w_l]`` each, outside of any autograd graph: seven
            for squeeze, five for alex and vgg.

        Raises:
            MetricError: If a side is below 32 pixels, or these are not images in [-1, 1].
        """
        check_pair("LPIPS backbone", images, images, least=SMALLEST)
        network, place = self._network_for(images)
        with torch.no_grad():
            found = network.net(network.scaling_layer(images.to(place).float()))
            return [layer.to(images.device) for layer in found]

    def describe(self, resolution: int) -> dict[str, str | int]:
        """What every LPIPS is reported with: backbone, version and resolution in pixels."""
        return {"backbone": self.backbone, "version": lpips_version(), "resolution": resolution}


def lpips_version() -> str:
    """Version of the linear weights, and of the package they came with."""
    return f"0.1 (lpips {version('lpips')})"


def load_lpips(backbone: str = "squeeze", device: torch.device | None = None) -> Lpips:
    """Build LPIPS, downloading the backbone's weights if need be.

    Args:
        backbone: `squeeze`, which is in the package, `alex` (a 240 MB download) or `vgg` (550 MB).
        device: Where to compute distances, or None for where the images are.

    Returns:
        The network; it goes where it computes.

    Raises:
        MetricError: If the backbone is unknown, or its weights cannot be downloaded or read.
    """
    return Lpips(backbone, _build(backbone, backbone_weights(backbone)), device=device)


def try_lpips(
    backbone: str = "squeeze",
    size: tuple[int, int] | None = None,
    device: torch.device | None = None,
) -> tuple[Lpips | None, str | None]:
    """`load_lpips`, for jobs that succeed without it.

    Args:
        backbone: As for `load_lpips`.
        size: Height and width of the images to compare, in pixels, where they are known.
        device: As for `load_lpips`.

    Returns:
        The network and None, or None and the reason: images too small for it, or weights that
        are missing (of alex and vgg) or damaged.

    Raises:
        MetricError: If the backbone is unknown, which is an error unlike missing weights.
    """
    check_backbone(backbone)
    if size is not None and min(size) < SMALLEST:
        return None, (
            f"images of {size[0]}x{size[1]} pixels are too small for it, at least "
            f"{SMALLEST}x{SMALLEST} are needed"
        )
    try:
        return load_lpips(backbone, device), None
    except MetricError as error:
        return None, str(error)


def describe_lpips(
    lpips: Lpips | None, reason: str | None, resolution: int
) -> dict[str, str | int | None]:
    """The `lpips` entry of a metrics file, from the result of `try_lpips`.

    Args:
        lpips: The network, or None where it cannot be had.
        reason: Why not, where it is None.
        resolution: Side of the images it was taken on, in pixels.

    Returns:
        `Lpips.describe`, or the same keys with None and the reason under `unavailable`.
    """
    if lpips is not None:
        return {**lpips.describe(resolution)}
    return {"backbone": None, "version": None, "resolution": resolution, "unavailable": reason}


def _build(backbone: str, weights: dict[str, Tensor]) -> nn.Module:
    """LPIPS with torchvision's `weights` in its backbone; takes no random numbers from torch."""
    with torch.random.fork_rng(devices=[]):
        network = SqueezeLpips() if backbone == "squeeze" else _of_the_package(backbone)
    net: Any = network.net
    # lpips names "slice2.3.x" what torchvision names "features.3.x", and we name "3.x".
    names = {name: "features." + re.sub(r"^slice\d+\.", "", name) for name in net.state_dict()}
    missing = sorted(set(names.values()) - set(weights))
    if missing:
        raise damaged(weights_path(backbone), f"lacks {missing[0]}")
    try:
        net.load_state_dict({name: weights[theirs] for name, theirs in names.items()})
    except RuntimeError as error:
        raise damaged(weights_path(backbone), "weights of another shape") from error
    return network


def _of_the_package(backbone: str) -> nn.Module:
    """LPIPS as the `lpips` package builds it, its backbone with random weights."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # lpips calls torchvision in a deprecated way
        import lpips  # two seconds, see `regen.metrics.squeeze_lpips`

        made: nn.Module = lpips.LPIPS(net=backbone, pnet_rand=True, verbose=False)
    return made
