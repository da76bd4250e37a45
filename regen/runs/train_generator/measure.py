"""How good a trained generator is, compared with the images it was trained on.

Frechet distance, precision and recall are taken on the features of LPIPS's backbone, and are named
so: they are not FID, which `fidelity` takes by torch-fidelity, with a network that it downloads.

Shapes: N samples; M training images; R their side.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset

from regen.batches import at_once
from regen.errors import MetricError
from regen.files.run_files import NEIGHBOURS_FILE
from regen.generators.trainer import ImageSampler
from regen.images import save_image, to_uint8
from regen.metrics import (
    Lpips,
    backbone_features,
    frechet_distance,
    precision_recall,
    try_lpips,
)
from regen.metrics.neighbours import Neighbours, nearest, sheet
from regen.runs.progress import track
from regen.seeds import GENERATOR_METRICS

_BATCH, _K, _SHOWN, _SMALLEST = 16, 3, 12, 32
_MOST = 100_000  # twice as many as FID is usually taken on
_FLOATS = 256  # images that become floats together, fewer of large ones
_NAME = "LPIPS-backbone features"


@dataclass(frozen=True)
class MeasureSettings:
    """What is measured of a trained generator.

    Attributes:
        samples: N, at most 100,000, which are all kept; 0 measures nothing.
        backbone: Of LPIPS.
        fid: Also FID and KID, by torch-fidelity.
    """

    samples: int = 1000
    backbone: str = "squeeze"
    fid: bool = False

    def __post_init__(self) -> None:
        if self.samples != 0 and self.samples <= _K:
            raise MetricError("samples to measure", got=self.samples, expected=f"0, or above {_K}")
        if self.samples > _MOST:
            raise MetricError("samples to measure", got=self.samples, expected=f"at most {_MOST}")
        if self.fid and not self.samples:
            raise MetricError("FID", got="no samples", expected="samples to measure")
        if self.fid:
            load_torch_fidelity()


def load_torch_fidelity() -> Any:
    """The package, which is optional.

    Raises:
        MetricError: If it is not installed.
    """
    try:
        return importlib.import_module("torch_fidelity")
    except ImportError as error:
        raise MetricError(
            "FID and KID need the package torch-fidelity, which is not installed",
            remedy="pip install torch-fidelity, or leave out --fid",
        ) from error


def measure_samples(
    sample: ImageSampler,
    images: Tensor,
    folder: Path,
    settings: MeasureSettings,
    device: torch.device,
) -> dict[str, Any]:
    """Measure a generator, and show samples beside their nearest training images.

    Args:
        sample: Its samples.
        images: What it was trained on, uint8 ``[M, 3, R, R]``, M at least 2.
        folder: Gets neighbours.png.
        settings: What to measure.
        device: Where to compute features.

    Returns:
        JSON values: metrics, and what each was computed on; the reason where one is missing.

    Raises:
        MetricError: If FID is requested and cannot be computed.
        StoreError: If the image cannot be written.
    """
    if not settings.samples:
        return {}
    lpips, reason = try_lpips(settings.backbone)
    if images.shape[-1] < _SMALLEST:
        lpips, reason = None, f"images are smaller than {_SMALLEST} pixels"
    metrics: dict[str, Any] = {"features": f"none: {reason}"}
    if lpips is None and not settings.fid:
        return {"training_images": len(images), **metrics}
    samples = measured_images(sample, settings.samples, images.shape[-1])
    if lpips is not None:
        metrics = _by_backbone(samples, images, folder, lpips, device)
    if settings.fid:
        metrics.update(fidelity(samples, images, cuda=device.type == "cuda"))
    return {"samples": len(samples), "training_images": len(images), **metrics}


def measured_images(sample: ImageSampler, count: int, side: int) -> Tensor:
    """Samples of `GENERATOR_METRICS`, each with its own noise.

    Args:
        sample: Its samples.
        count: N, at least 1.
        side: R; fewer of large images are computed at once.

    Returns:
        uint8 ``[N, 3, R, R]``.
    """
    numbers, size = GENERATOR_METRICS.take(count), at_once(_BATCH, (side, side))
    images = torch.empty(count, 3, side, side, dtype=torch.uint8)
    for i in track(range(0, count, size), "generating samples"):
        images[i : i + size] = to_uint8(sample(numbers[i : i + size], vary_noise=True))
    return images


def _by_backbone(
    samples: Tensor, images: Tensor, folder: Path, lpips: Lpips, device: torch.device
) -> dict[str, Any]:
    def features(batch: Tensor, *, mirrored: bool = False) -> Tensor:
        parts = torch.split(batch, at_once(_FLOATS, batch.shape[2:]))
        turned = (part.flip(3) if mirrored else part for part in parts)
        seen = [backbone_features(_floats(part).to(device), lpips) for part in turned]
        return torch.cat(seen).cpu()

    fake, real, mirrored = features(samples), features(images), features(images, mirrored=True)
    found = nearest(fake, real, mirrored=mirrored, k=min(_K, len(real)))
    save_image(folder / NEIGHBOURS_FILE, _neighbours(samples, images, found))
    metrics = {
        "features": f"{_NAME}: {lpips.backbone}, {images.shape[-1]} pixels",
        "frechet_distance": frechet_distance(real, fake),
        "nearest_neighbour_ratio": found.ratio,
    }
    if len(real) > _K:
        precision, recall = precision_recall(real, fake, _K)
        metrics.update(precision=precision, recall=recall)
    else:
        metrics["precision"] = metrics["recall"] = f"none: they need more than {_K} images"
    return metrics


def _neighbours(samples: Tensor, images: Tensor, found: Neighbours) -> Tensor:
    """The first samples beside what is nearest to each; no other images become floats."""
    shown, index = found.index[:_SHOWN].unique(return_inverse=True)
    return sheet(_floats(samples[:_SHOWN]), _floats(images[shown]), replace(found, index=index))


def _floats(images: Tensor) -> Tensor:
    return images.float() / 127.5 - 1


class _Images(Dataset[Tensor]):
    """uint8 images as torch-fidelity expects them."""

    def __init__(self, images: Tensor) -> None:
        self.images = images

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> Tensor:
        return self.images[index]


def fidelity(samples: Tensor, images: Tensor, *, cuda: bool) -> dict[str, float]:
    """FID (Heusel et al. 2017) and KID (Binkowski et al. 2018), by torch-fidelity.

    Args:
        samples: uint8 ``[N, 3, R, R]``.
        images: uint8 ``[M, 3, R, R]``.
        cuda: Whether to use the GPU.

    Raises:
        MetricError: If the package is missing, or its network can neither be found nor downloaded.
    """
    package = load_torch_fidelity()
    try:
        found = package.calculate_metrics(
            input1=_Images(samples),
            input2=_Images(images),
            cuda=cuda,
            fid=True,
            kid=True,
            kid_subset_size=min(1000, len(samples), len(images)),
            verbose=False,
        )
    except (OSError, RuntimeError) as error:  # how the download of its weights fails
        raise MetricError(
            f"FID and KID: torch-fidelity failed ({error})",
            remedy="it downloads its network on first use; connect, or leave out --fid",
        ) from error
    return {
        "fid": float(found["frechet_inception_distance"]),
        "kid": float(found["kernel_inception_distance_mean"]),
    }
