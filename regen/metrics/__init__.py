"""Measures of pictures: perceptual, of fidelity, and of how local and effective a rewrite is.

Pictures are float32 ``[N, 3, H, W]`` in [-1, 1] throughout, masks float32 ``[N, 1, H, W]`` in
[0, 1].
"""

from __future__ import annotations

from regen.metrics.fidelity import psnr, ssim
from regen.metrics.locality import masked_distance, oracle_distance, region_change
from regen.metrics.perceptual import Lpips, describe_lpips, load_lpips, try_lpips

__all__ = [
    "Lpips",
    "describe_lpips",
    "load_lpips",
    "masked_distance",
    "oracle_distance",
    "psnr",
    "region_change",
    "ssim",
    "try_lpips",
]
