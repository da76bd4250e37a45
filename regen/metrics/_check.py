"""The one check that every metric makes of its images."""

from __future__ import annotations

import torch
from torch import Tensor

from regen.errors import MetricError

TOLERANCE = 1e-3
"""How far pixels may lie outside of [-1, 1], since half precision rounds."""


def check_pair(metric: str, a: Tensor, b: Tensor, least: int = 1) -> None:
    """Refuse two batches of images that cannot be compared.

    Args:
        metric: Name of the metric, for the message.
        a: Images ``[N, 3, H, W]`` in [-1, 1], `TOLERANCE` allowed, in any floating-point format.
        b: Images of the same shape.
        least: Smallest side that the metric can take, in pixels.

    Raises:
        MetricError: If either is not a batch of RGB images, they differ in shape, are too small,
            are not floating-point numbers, or have pixels outside of [-1, 1] or not finite.
    """
    if a.dim() != 4 or a.shape[1] != 3 or a.shape != b.shape or a.shape[0] == 0:
        raise MetricError(
            f"{metric}: the two batches of images do not match",
            got=f"{list(a.shape)} and {list(b.shape)}",
            expected="twice [N, 3, H, W] with N at least 1",
        )
    if min(a.shape[2:]) < least:
        raise MetricError(
            f"{metric}: the images are too small",
            got=f"{a.shape[2]}x{a.shape[3]}",
            expected=f"at least {least}x{least} pixels",
        )
    for images in (a,) if a is b else (a, b):
        check_pixels(metric, images)


def check_pixels(metric: str, images: Tensor) -> None:
    """Refuse images that are not floating-point numbers in [-1, 1].

    Args:
        metric: Name of the metric, for the message.
        images: Of any shape, not empty.

    Raises:
        MetricError: If they are integers, or a pixel is not finite or not within [-1, 1], with a
            tolerance of `TOLERANCE`.
    """
    if not images.is_floating_point():
        raise MetricError(
            f"{metric}: the images are not floating-point numbers",
            got=str(images.dtype).removeprefix("torch."),
            expected="float32 in [-1, 1]",
            remedy="divide pixels of 0 to 255 by 127.5 and subtract 1",
        )
    low, high = (float(bound) for bound in torch.aminmax(images.detach()))
    if not (low >= -1 - TOLERANCE and high <= 1 + TOLERANCE):
        raise MetricError(
            f"{metric}: the images have pixels outside of [-1, 1]",
            got=f"values from {low:.4g} to {high:.4g}",
            expected=f"-1 to 1, give or take {TOLERANCE:g}",
            remedy="scale them, or clamp what a generator made",
        )
