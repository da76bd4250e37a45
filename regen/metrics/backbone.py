"""Features of images for comparing sets of them, from the backbone of LPIPS.

One network thus serves every perceptual metric. It is not the Inception network of the Frechet
Inception Distance, and a distance taken with it must never be called FID.

Shapes: N images of H x W pixels; D features.
"""

from __future__ import annotations

import torch
from torch import Tensor

from regen.batches import at_once
from regen.errors import MetricError
from regen.metrics._check import check_pair
from regen.metrics.perceptual import SMALLEST, Lpips

_BATCH = 16


def backbone_features(images: Tensor, backbone: Lpips, batch: int = _BATCH) -> Tensor:
    """The deepest layer that LPIPS reads, averaged over positions.

    For squeeze these are the 512 channels after torchvision's ``features.12``, for alex the 256
    after ``features.11``, for vgg the 512 after ``features.29``; all are outputs of a ReLU.

    Args:
        images: ``[N, 3, H, W]`` in [-1, 1], at least 32 pixels high and wide.
        backbone: From `load_lpips`.
        batch: Images processed at once, fewer of large ones; bounds the memory, never changes the
            result.

    Returns:
        ``[N, D]`` float32 on the device of `images`, at least 0.

    Raises:
        MetricError: If these are not images in [-1, 1], or there are none.
    """
    if len(images) == 0:
        raise MetricError(
            "backbone features: no images", got=list(images.shape), expected="N at least 1"
        )
    check_pair("LPIPS backbone", images, images, least=SMALLEST)
    size = at_once(batch, images.shape[2:])
    parts = [backbone.layers(part)[-1].mean(dim=(2, 3)) for part in torch.split(images, size)]
    return torch.cat(parts).float()
