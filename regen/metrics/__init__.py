"""Metrics of images: perceptual, of fidelity, and of how local and effective a rewrite is.

Images are float32 ``[N, 3, H, W]`` in [-1, 1] throughout, masks float32 ``[N, 1, H, W]`` in
[0, 1]. A metric refuses images on another scale. Sets of images and of features are compared as
distributions.
"""

from __future__ import annotations

from regen.metrics.backbone import backbone_features
from regen.metrics.bootstrap import Interval, mean_interval
from regen.metrics.fidelity import psnr, ssim
from regen.metrics.frechet import frechet_distance
from regen.metrics.locality import (
    masked_distance,
    masked_l1,
    masked_lpips,
)
from regen.metrics.perceptual import Lpips, describe_lpips, load_lpips, try_lpips
from regen.metrics.precision_recall import precision_recall
from regen.metrics.verdict import Verdict, verdict_of
from regen.metrics.wasserstein import sliced_wasserstein, wasserstein_per_channel

__all__ = [
    "Interval",
    "Lpips",
    "Verdict",
    "backbone_features",
    "describe_lpips",
    "frechet_distance",
    "load_lpips",
    "masked_distance",
    "masked_l1",
    "masked_lpips",
    "mean_interval",
    "precision_recall",
    "psnr",
    "sliced_wasserstein",
    "ssim",
    "try_lpips",
    "verdict_of",
    "wasserstein_per_channel",
]
