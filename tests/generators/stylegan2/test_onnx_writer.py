"""An ONNX model, run by ONNX's own runtime, makes the generator's images."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from regen.errors import GeneratorError
from regen.generators.registry import open_generator
from regen.generators.stylegan2.config import StyleGAN2Config
from regen.generators.stylegan2.generator import StyleGAN2
from regen.generators.stylegan2.onnx_writer import write_onnx
from tests.helpers.stylegan2 import seven_convolutions

SMALL = {"resolution": 32, "z_dim": 12, "w_dim": 16, "channel_base": 256, "channel_max": 16}


def written(generator: StyleGAN2, folder: Path) -> Any:
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    pytest.importorskip("onnx", reason="onnx is not installed")
    write_onnx(folder / "g.onnx", generator)
    return runtime.InferenceSession(folder / "g.onnx", providers=["CPUExecutionProvider"])


def difference(session: Any, generator: StyleGAN2, z: Tensor, label: Tensor | None = None) -> float:
    feeds = {"z": z.numpy()} | ({} if label is None else {"class": label.numpy()})
    (images,) = session.run(None, feeds)
    noise = tuple(generator.conv(i).noise_const for i in range(1, generator.convolutions + 1))
    with torch.no_grad():
        ws = generator.style_codes(z, label=label)
        expected = generator.synthesis(ws, noise).numpy()
    assert images.shape == expected.shape and images.dtype == np.float32
    return float(np.abs(images - expected).max())


def noisy(config: StyleGAN2Config) -> StyleGAN2:
    """A random generator in which noise, biases and the mean style do something."""
    generator = StyleGAN2(config).eval().requires_grad_(False)
    for layer in range(1, generator.convolutions + 1):
        conv = generator.conv(layer)
        conv.noise_strength.fill_(0.3)
        conv.bias.normal_()
    return generator


def test_the_bundled_generator_to_1e_4(tmp_path: Path) -> None:
    generator = open_generator("portraits")
    assert isinstance(generator, StyleGAN2)
    session = written(generator, tmp_path)
    for seeds in ([1, 2], [5], [7, 8, 9]):
        assert difference(session, generator, generator.seeds_to_z(seeds)) < 1e-4
    seed = generator.images([generator.sample({"seed": 3})])
    (image,) = session.run(None, {"z": generator.seeds_to_z([3]).numpy()})
    assert np.abs(np.clip(image, -1, 1) - seed.numpy()).max() < 1e-4


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"conv_clamp": 0.8},
        {"label_dim": 3},
        {"resample_taps": (1.0, 2.0, 1.0)},
        {"resample_taps": (1.0, 1.0), "rgb_resample_taps": (1.0, 2.0, 4.0, 2.0, 0.5)},
    ],
    ids=str,
)
def test_every_architecture(changes: dict[str, Any], tmp_path: Path) -> None:
    generator = noisy(StyleGAN2Config(**{**SMALL, **changes}))
    session = written(generator, tmp_path)
    z = torch.randn(3, 12)
    label = torch.eye(3) if "label_dim" in changes else None
    assert difference(session, generator, z, label) < 1e-4


def test_equal_generators_give_equal_bytes(tmp_path: Path) -> None:
    pytest.importorskip("onnx", reason="onnx is not installed")
    generator = seven_convolutions()
    for name in ("a", "b"):
        notes = write_onnx(tmp_path / name, generator)
    assert notes == ["an ONNX file holds z to image at truncation 1, with the stored noise"]
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_what_a_file_cannot_hold_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = noisy(StyleGAN2Config(**{**SMALL, "resample_taps": (1.0,)}))
    with pytest.raises(GeneratorError, match="filter: got one tap, expected two or more for ONNX"):
        write_onnx(tmp_path / "g.onnx", generator)
    monkeypatch.setattr("regen.generators.stylegan2.onnx_writer._LARGEST_BYTES", 1000)
    with pytest.raises(GeneratorError, match="got 0.0 GB of weights, expected at most 2 GB"):
        write_onnx(tmp_path / "g.onnx", seven_convolutions())


def test_without_the_package_the_message_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(GeneratorError, match="needs the package onnx; run `pip install onnx`"):
        write_onnx(tmp_path / "g.onnx", seven_convolutions())
    assert list(tmp_path.iterdir()) == []
