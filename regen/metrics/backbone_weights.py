"""Where the weights of LPIPS's backbones come from: the package, torch's hub cache, or a download.

The squeeze backbone ships with regen, convolutions in half precision, so that LPIPS is a number
everywhere. The others are large: they are looked for in torch's hub cache, and downloaded only if
they are not there. A backbone is never substituted by another.
"""

from __future__ import annotations

import socket
import sys
from http.client import HTTPException
from pathlib import Path

import torch
from torch import Tensor

from regen.errors import MetricError
from regen.files import tensor_file

BACKBONES = ("squeeze", "alex", "vgg")
"""Networks trained on ImageNet; squeeze is SqueezeNet 1.1, vgg is VGG-16."""

BUNDLED = Path(__file__).parent / "squeezenet1_1_features.safetensors"
FORMAT, VERSION = "backbone", 1  # of that file

DOWNLOADS = {"alex": "alexnet-owt-7be5be79.pth", "vgg": "vgg16-397923af.pth"}
"""The files of the others, as torchvision names them."""

DOWNLOAD_FROM = "https://download.pytorch.org/models/"
TIMEOUT_SECONDS = 10.0  # for connecting, and for each piece of a download


def check_backbone(backbone: str) -> None:
    """Raise MetricError if LPIPS has no backbone of this name."""
    if backbone not in BACKBONES:
        raise MetricError("LPIPS backbone", got=backbone, expected=" or ".join(BACKBONES))


def weights_path(backbone: str) -> Path:
    """The file of the weights: in the package, or where torch's hub cache keeps or would keep it.

    Raises:
        MetricError: If the backbone is unknown.
    """
    check_backbone(backbone)
    if backbone not in DOWNLOADS:
        return BUNDLED
    return Path(torch.hub.get_dir()) / "checkpoints" / DOWNLOADS[backbone]


def backbone_weights(backbone: str) -> dict[str, Tensor]:
    """The weights of a backbone, downloading them if neither the package nor the cache has them.

    Args:
        backbone: `squeeze`, which is in the package, `alex` (a 240 MB download) or `vgg` (550 MB).

    Returns:
        By torchvision's names, "features.0.weight" for instance, on the CPU in float32.

    Raises:
        MetricError: If the backbone is unknown, or its weights cannot be downloaded or read.
        StoreError: If the file in the package is missing or damaged.
    """
    path = weights_path(backbone)
    if path == BUNDLED:
        stored = tensor_file.load(path, format=FORMAT, version=VERSION)
        return {name: tensor.float() for name, tensor in stored.tensors.items()}
    if not path.is_file():
        _download(backbone, path)
    return _read(path)


def remedy(backbone: str) -> str:
    """How to get the weights of a `backbone` of `DOWNLOADS`, a sentence without a full stop."""
    path = weights_path(backbone)
    return f"download {DOWNLOAD_FROM}{path.name} to {path.parent} (TORCH_HOME moves that folder)"


def damaged(path: Path, why: str) -> MetricError:
    """The error for weights that are not what they should be."""
    return MetricError(f"{path}: damaged ({why})", remedy="delete it and run again to download it")


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
            remedy=f"{remedy(backbone)}; or use squeeze, which needs no download",
        ) from error
    finally:
        socket.setdefaulttimeout(before)


def _read(path: Path) -> dict[str, Tensor]:
    try:
        weights = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises whatever the damage leads to
        raise damaged(path, f"{type(error).__name__} while reading it") from error
    if not isinstance(weights, dict):
        raise damaged(path, f"a {type(weights).__name__} instead of named weights")
    return weights
