"""LPIPS, the learned perceptual distance of Zhang et al. 2018.

Its *backbone* is an ImageNet network whose weights do not come with the `lpips` package: they are
looked for in torch's hub cache, and downloaded only if they are not there. LPIPS values are only
comparable for the same backbone, version and resolution: `Lpips.describe` names them. A backbone is
never substituted by another; a missing one is an error with a remedy.
"""

from __future__ import annotations

import socket
import sys
import warnings
from http.client import HTTPException
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from regen.errors import MetricError
from regen.metrics._check import check_pair

BACKBONES = {
    "squeeze": "squeezenet1_1-b8a52dc0.pth",
    "alex": "alexnet-owt-7be5be79.pth",
    "vgg": "vgg16-397923af.pth",
}
"""Backbones and the files of their weights, as torchvision names them."""

DOWNLOAD_FROM = "https://download.pytorch.org/models/"
SMALLEST = 32  # below this some backbone has no pixel left in its last layer
TIMEOUT_SECONDS = 10.0  # for connecting, and for each piece of a download


class Lpips:
    """A frozen LPIPS network. Make one with `load_lpips`.

    Attributes:
        backbone: One of `BACKBONES`.
        batch_size: Images compared at once; bounds the memory, never changes the result.
    """

    def __init__(self, backbone: str, network: nn.Module, batch_size: int = 16) -> None:
        self.backbone, self.batch_size = backbone, batch_size
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
        self._network.to(a.device)
        pieces = zip(a.split(self.batch_size), b.split(self.batch_size), strict=True)
        with torch.set_grad_enabled(differentiable):
            return torch.cat([self._network(x, y).flatten() for x, y in pieces])

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
        network: Any = self._network.to(images.device)  # LPIPS is not typed
        with torch.no_grad():
            return list(network.net(network.scaling_layer(images.float())))

    def describe(self, resolution: int) -> dict[str, str | int]:
        """What every LPIPS is reported with: backbone, version and resolution in pixels."""
        return {"backbone": self.backbone, "version": lpips_version(), "resolution": resolution}


def lpips_version() -> str:
    """Version of the linear weights, and of the package they came with."""
    return f"0.1 (lpips {version('lpips')})"


def weights_path(backbone: str) -> Path:
    """Where torch's hub cache keeps, or would keep, the weights of `backbone`.

    Raises:
        MetricError: If the backbone is unknown.
    """
    if backbone not in BACKBONES:
        raise MetricError("LPIPS backbone", got=backbone, expected=" or ".join(BACKBONES))
    return Path(torch.hub.get_dir()) / "checkpoints" / BACKBONES[backbone]


def load_lpips(backbone: str = "squeeze") -> Lpips:
    """Build LPIPS, downloading the backbone's weights if torch's cache lacks them.

    Args:
        backbone: `squeeze` (a 5 MB download), `alex` (240 MB) or `vgg` (550 MB).

    Returns:
        The network, on the CPU; it follows the images it is given to their device.

    Raises:
        MetricError: If the backbone is unknown, or its weights cannot be downloaded or read.
    """
    path = weights_path(backbone)
    if not path.is_file():
        _download(backbone, path)
    return Lpips(backbone, _build(backbone, _read_weights(path)))


def try_lpips(
    backbone: str = "squeeze", size: tuple[int, int] | None = None
) -> tuple[Lpips | None, str | None]:
    """`load_lpips`, for jobs that succeed without it.

    Args:
        backbone: As for `load_lpips`.
        size: Height and width of the images to compare, in pixels, where they are known.

    Returns:
        The network and None, or None and the reason why its weights are missing, or why it cannot
        compare images of this size.

    Raises:
        MetricError: If the backbone is unknown, which is an error unlike missing weights.
    """
    weights_path(backbone)
    if size is not None and min(size) < SMALLEST:
        return None, (
            f"images of {size[0]}x{size[1]} pixels are too small for it, at least "
            f"{SMALLEST}x{SMALLEST} are needed"
        )
    try:
        return load_lpips(backbone), None
    except MetricError as error:
        return None, str(error)


def describe_lpips(
    lpips: Lpips | None, reason: str | None, resolution: int
) -> dict[str, str | int | None]:
    """The `lpips` entry of a metrics file, from the result of `try_lpips`.

    Args:
        lpips: The network, or None where it is missing.
        reason: Why not, where it is None.
        resolution: Side of the images it was taken on, in pixels.

    Returns:
        `Lpips.describe`, or the same keys with None and the reason under `unavailable`.
    """
    if lpips is not None:
        return {**lpips.describe(resolution)}
    return {"backbone": None, "version": None, "resolution": resolution, "unavailable": reason}


def remedy(backbone: str) -> str:
    """How to get the weights of `backbone` by hand, as one sentence without a full stop."""
    path = weights_path(backbone)
    return f"download {DOWNLOAD_FROM}{path.name} to {path.parent} (TORCH_HOME moves that folder)"


def _download(backbone: str, path: Path) -> None:
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(TIMEOUT_SECONDS)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(
            DOWNLOAD_FROM + path.name,
            str(path),
            hash_prefix=path.stem.rsplit("-", 1)[1],
            progress=sys.stderr.isatty(),
        )
    except (OSError, HTTPException, RuntimeError) as error:  # the last is torch's for a wrong hash
        raise MetricError(
            f"LPIPS {backbone}: its weights are not in torch's cache, and the download failed "
            f"({error})",
            remedy=remedy(backbone),
        ) from error
    finally:
        socket.setdefaulttimeout(before)


def _read_weights(path: Path) -> dict[str, Tensor]:
    try:
        weights = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises whatever the damage leads to
        raise _damaged(path, f"{type(error).__name__} while reading it") from error
    if not isinstance(weights, dict):
        raise _damaged(path, f"a {type(weights).__name__} instead of named weights")
    return weights


def _damaged(path: Path, why: str) -> MetricError:
    return MetricError(f"{path}: damaged ({why})", remedy="delete it and run again to download it")


def _build(backbone: str, weights: dict[str, Tensor]) -> nn.Module:
    """LPIPS with torchvision's `weights` in its backbone; takes no random numbers from torch."""
    with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
        warnings.simplefilter("ignore")  # lpips calls torchvision in a deprecated way
        import lpips

        network: Any = lpips.LPIPS(net=backbone, pnet_rand=True, verbose=False)
    # lpips names "slice2.3.x" what torchvision names "features.3.x".
    names = {name: f"features.{name.split('.', 1)[1]}" for name in network.net.state_dict()}
    missing = sorted(set(names.values()) - set(weights))
    if missing:
        raise _damaged(weights_path(backbone), f"lacks {missing[0]}")
    try:
        network.net.load_state_dict({name: weights[theirs] for name, theirs in names.items()})
    except RuntimeError as error:
        raise _damaged(weights_path(backbone), "weights of another shape") from error
    made: nn.Module = network
    return made
