"""Measures of a random generator on the features of LPIPS's backbone."""

from __future__ import annotations

import sys
import types
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from regen import batches
from regen.errors import MetricError
from regen.generators.stylegan2.config import StyleGAN2Config
from regen.generators.stylegan2.generator import StyleGAN2
from regen.generators.stylegan2.training.loop import sampler
from regen.generators.trainer import ImageSampler
from regen.metrics.neighbours import Neighbours, sheet
from regen.runs.train_generator import measure
from regen.runs.train_generator.measure import (
    MeasureSettings,
    fidelity,
    measure_samples,
    measured_images,
)

CPU = torch.device("cpu")


def sample(size: int = 32) -> ImageSampler:
    torch.manual_seed(7)
    config = StyleGAN2Config(size, 8, 8, channel_base=256, channel_max=8, mapping_layers=2)
    made = StyleGAN2(config).eval().requires_grad_(False)
    for layer in range(1, made.convolutions + 1):
        made.conv(layer).noise_strength.fill_(0.1)
    return sampler(made)


def test_samples_are_those_of_their_seeds() -> None:
    samples = measured_images(sample(), 20, 32)
    assert samples.shape == (20, 3, 32, 32) and samples.dtype == torch.uint8
    assert torch.equal(measured_images(sample(), 3, 32), samples[:3])


def test_fewer_of_large_samples_are_computed_at_once() -> None:
    together: list[int] = []

    def grey(numbers: Sequence[int], *, vary_noise: bool = False) -> Tensor:
        together.append(len(numbers))
        return torch.zeros(len(numbers), 3, 512, 512)

    assert measured_images(grey, 6, 512).shape == (6, 3, 512, 512)
    assert together == [4, 2]


def test_few_training_images_become_floats_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen, shown = list[int](), list[Tensor]()

    def features(images: Tensor, lpips: Any) -> Tensor:
        seen.append(len(images))
        return images.mean(dim=(2, 3))

    def only(samples: Tensor, training: Tensor, found: Neighbours) -> Tensor:
        shown.append(training)
        return sheet(samples, training, found)

    monkeypatch.setattr(batches, "_USUAL_PIXELS", 4 * 4)  # 32x32 is large
    monkeypatch.setattr(measure, "backbone_features", features)
    monkeypatch.setattr(measure, "sheet", only)
    images = torch.randint(0, 256, (40, 3, 32, 32), dtype=torch.uint8)
    measure_samples(sample(), images, tmp_path, MeasureSettings(samples=5), CPU)
    assert seen == [4, 1, *[4] * 20]
    (training,) = shown
    assert 3 <= len(training) <= 5 * 3


def test_a_generator_beside_its_own_samples(tmp_path: Path) -> None:
    """What it was trained on is half of what it generates: the neighbours must be the copies."""
    fake = measured_images(sample(), 24, 32)
    training = torch.cat([fake[:12].flip(3), fake[12:]])
    metrics = measure_samples(sample(), training, tmp_path, MeasureSettings(samples=24), CPU)
    assert metrics["samples"] == metrics["training_images"] == 24
    assert metrics["features"] == "LPIPS-backbone features: squeeze, 32 pixels"
    assert metrics["nearest_neighbour_ratio"] == 0
    with Image.open(tmp_path / "neighbours.png") as shown:
        assert shown.size == (2 * (4 * 34 - 2) + 10, 6 * 42 - 10)
        pixels = np.asarray(shown)
    assert (pixels[:32, :32] == pixels[:32, 34:66]).all()  # a sample, and its copy beside it
    assert (pixels[-32:, 144:176] == pixels[-32:, 178:210]).all()
    others = measure_samples(sample(), 255 - training, tmp_path, MeasureSettings(samples=24), CPU)
    assert 0 <= metrics["frechet_distance"] < others["frechet_distance"]
    assert 0.5 <= metrics["precision"] <= 1 and 0.5 <= metrics["recall"] <= 1
    assert not any("fid" in name for name in metrics)


def test_measures_that_cannot_be_had_say_why(empty_torch_home: Path, tmp_path: Path) -> None:
    images = measured_images(sample(), 4, 32)
    settings = MeasureSettings(samples=4, backbone="vgg")
    metrics = measure_samples(sample(), images, tmp_path, settings, CPU)
    assert set(metrics) == {"training_images", "features"}  # and no sample was made
    assert metrics["features"].startswith("none: LPIPS vgg: its weights are not in torch's cache")


def test_images_too_small_for_the_backbone(tmp_path: Path) -> None:
    images = measured_images(sample(16), 4, 16)
    metrics = measure_samples(sample(16), images, tmp_path, MeasureSettings(samples=4), CPU)
    assert metrics["features"] == "none: images are smaller than 32 pixels"


def test_nothing_to_measure(tmp_path: Path) -> None:
    images = torch.zeros(2, 3, 32, 32, dtype=torch.uint8)
    assert measure_samples(sample(), images, tmp_path, MeasureSettings(samples=0), CPU) == {}


def test_too_few_samples() -> None:
    with pytest.raises(MetricError, match="samples to measure: got 3, expected 0, or above 3"):
        MeasureSettings(samples=3)


def test_too_many_samples() -> None:
    with pytest.raises(MetricError, match="samples to measure: got 100001, expected at most 1000"):
        MeasureSettings(samples=100_001)


def test_fid_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch_fidelity", None)
    with pytest.raises(MetricError) as raised:
        MeasureSettings(fid=True)
    assert str(raised.value) == (
        "FID and KID need the package torch-fidelity, which is not installed; "
        "pip install torch-fidelity, or leave out --fid"
    )


def stand_in(monkeypatch: pytest.MonkeyPatch, answer: object) -> dict[str, object]:
    asked: dict[str, object] = {}

    def calculate_metrics(**given: object) -> object:
        asked.update(given)
        if isinstance(answer, Exception):
            raise answer
        return answer

    package = types.ModuleType("torch_fidelity")
    package.calculate_metrics = calculate_metrics  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torch_fidelity", package)
    return asked


def test_fid_is_asked_of_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = {"frechet_inception_distance": 12.5, "kernel_inception_distance_mean": 0.25}
    asked = stand_in(monkeypatch, answer)
    samples: Tensor = measured_images(sample(), 6, 32)
    assert fidelity(samples, samples[:5], cuda=False) == {"fid": 12.5, "kid": 0.25}
    first, second = asked["input1"], asked["input2"]
    assert len(first) == 6 and len(second) == 5  # type: ignore[arg-type]
    assert torch.equal(first[2], samples[2])  # type: ignore[index]
    assert (asked["kid_subset_size"], asked["cuda"]) == (5, False)


def test_fid_without_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, OSError("no route to host"))
    samples = torch.zeros(4, 3, 8, 8, dtype=torch.uint8)
    with pytest.raises(MetricError, match=r"torch-fidelity failed \(no route to host\); it downl"):
        fidelity(samples, samples, cuda=False)
