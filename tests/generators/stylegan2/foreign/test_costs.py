"""Small files of huge networks: refused before anything is allocated, in every reader."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import Tensor

from regen.errors import RegenError
from regen.files import tensor_file
from regen.generators.registry import read_checkpoint
from regen.generators.stylegan2.files import load_discriminator, save_stylegan2
from tests.generators.stylegan2.foreign.checkpoints import (
    generator,
    nvidia_network,
    rosinality_tensors,
    save,
    tensorflow_network,
    write,
)
from tests.unpickling import writer
from tests.work import counted_calls

ROOT = Path(__file__).parents[4]
LARGE = 10**400
MOST_CALLS = 2_000_000  # of functions, and returns from them
MOST_MB = 300


def narrow(resolution: int, noise: bool = False) -> dict[str, Tensor]:
    """A generator of one channel with NVIDIA's names, a few kilobytes for any resolution."""
    found = {"mapping.w_avg": torch.zeros(4), "mapping.fc0.weight": torch.ones(4, 4)}
    found |= {"mapping.fc0.bias": torch.ones(4), "synthesis.b4.const": torch.ones(1, 4, 4)}
    for number in range(1, 2 * resolution.bit_length() - 4):
        side = 4 << number // 2
        layers = [(f"synthesis.b{side}.conv{number % 2}", [1, 1, 3, 3])]
        layers += [(f"synthesis.b{side}.torgb", [3, 1, 1, 1])] if number % 2 else []
        for name, shape in layers:
            found[f"{name}.weight"], found[f"{name}.bias"] = torch.ones(shape), torch.ones(shape[0])
            found[f"{name}.affine.weight"] = torch.ones(1, 4)
            found[f"{name}.affine.bias"] = torch.ones(1)
        found[f"{layers[0][0]}.noise_strength"] = torch.ones([])
        if noise:
            found[f"{layers[0][0]}.noise_const"] = torch.ones(1).expand(side, side)
    return found


def narrow_rosinality(resolution: int) -> dict[str, Tensor]:
    """The same with rosinality's names."""
    found = {"style.1.weight": torch.ones(4, 4), "style.1.bias": torch.ones(4)}
    found["input.input"] = torch.ones(1, 1, 4, 4)
    for number in range(1, 2 * resolution.bit_length() - 4):
        conv = "conv1" if number == 1 else f"convs.{number - 2}"
        rgb = "to_rgb1" if number == 1 else f"to_rgbs.{(number - 3) // 2}"
        for name, shape in [(conv, [1, 1, 1, 3, 3])] + [(rgb, [1, 3, 1, 1, 1])] * (number % 2):
            found[f"{name}.conv.weight"] = torch.ones(shape)
            found[f"{name}.conv.modulation.weight"] = torch.ones(1, 4)
            found[f"{name}.conv.modulation.bias"] = torch.ones(1)
        found |= {f"{conv}.activate.bias": torch.ones(1), f"{conv}.noise.weight": torch.ones(1)}
        if number % 2:
            found[f"{rgb}.bias"] = torch.ones(1, 3, 1, 1)
    return found


def mapping_layers(names: Callable[[int, str], str], count: int) -> dict[str, Tensor]:
    """A mapping of so many layers, which share their memory."""
    parts = {"weight": torch.ones(4, 4), "bias": torch.ones(4)}
    return {names(i, part): tensor for i in range(count) for part, tensor in parts.items()}


def safetensors_head(path: Path, head: dict[str, Any] | str, size: int = 16) -> Path:
    text = (head if isinstance(head, str) else json.dumps(head)).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + bytes(size))
    return path


def native(path: Path, **architecture: Any) -> Path:
    """A file of ours whose header says something else of its architecture."""
    ours = generator()
    save_stylegan2(path, ours, card={})
    header = tensor_file.read_header(path)
    header["architecture"] |= architecture
    text = json.dumps(header)
    tensors = {name: tensor.contiguous() for name, tensor in ours.state_dict().items()}
    safetensors.torch.save_file(tensors, path, metadata={"regen": text})
    return path


def of_resolutions(folder: Path) -> Iterator[tuple[Path, str]]:
    for side in (4096, 8192, 16384, 65536):
        words = f"resolution: got {side}, expected an integer from 8 to 4096"
        words = words if side > 4096 else "noise maps of a resolution of 4096: got none, expected"
        yield (
            write(
                folder / f"nv{side}.pkl", nvidia_network(generator(), tensors=narrow(side), z_dim=4)
            ),
            words,
        )
        yield save(folder / f"sd{side}.pt", {"G_ema": narrow(side)}), words
        tensors = narrow_rosinality(side)
        if side < 32768:
            yield save(folder / f"ros{side}.pt", {"g_ema": tensors}), words
            path = folder / f"ros{side}.safetensors"
            safetensors.torch.save_file(tensors, path)
            yield path, words
        changes = {"resolution": side, "channel_base": 1 << 20}
        yield native(folder / f"native{side}.safetensors", **changes), "resolution: got|not fit: "
    views = narrow(4096, noise=True)
    yield save(folder / "views.pt", views), "tensor of 1?[0-9,]+ elements has a storage of 1"
    yield tensorflow_of(folder / "tf.pkl", 65536), "lacks mapping.layers.0.bias"


def tensorflow_of(path: Path, side: int) -> Path:
    one = {f"{side}x{side}/Conv0_up/weight": np.ones((3, 3, 1, 1), np.float32)}
    synthesis = writer.tensorflow_network("G_synthesis", {}, one)
    mapping = writer.tensorflow_network("G_mapping", {}, {"Dense0/weight": np.ones((4, 4), "f4")})
    parts = {"mapping": mapping, "synthesis": synthesis}
    return write(path, writer.tensorflow_network("Gs", {"resolution": side}, {}, **parts))


def of_mapping_layers(folder: Path) -> Iterator[tuple[Path, str]]:
    words = "mapping_layers: got 3000, expected an integer from 1 to 64"
    many = mapping_layers(lambda i, part: f"mapping.fc{i}.{part}", 3000)
    yield save(folder / "sd.pt", {"G_ema": narrow(8) | many}), words
    many = mapping_layers(lambda i, part: f"style.{i + 1}.{part}", 3000)
    yield save(folder / "ros.pt", {"g_ema": narrow_rosinality(8) | many}), words
    yield native(folder / "native.safetensors", mapping_layers=10**6), "mapping_layers: got 1000000"
    many = {f"style.{i + 1}.weight": torch.zeros(0) for i in range(30_000)}
    path = folder / "ros.safetensors"
    safetensors.torch.save_file(narrow_rosinality(8) | many, path)
    yield path, "has 30,0[0-9]+ tensors, expected at most 20,000"


def of_numbers(folder: Path) -> Iterator[tuple[Path, str]]:
    """400 digits wherever a reader looks at a number."""
    ours = generator()

    def change(name: str, attributes: dict[str, Any]) -> None:
        if name == "synthesis":
            attributes["num_fp16_res"] = LARGE

    network = nvidia_network(ours, change=change)
    yield (
        write(folder / "half.pkl", network),
        "num_fp16_res: got 1000.*, expected an integer from 0",
    )
    network = nvidia_network(ours, z_dim=LARGE)
    yield write(folder / "z.pkl", network), "z_dim: got 1000.*, expected 8, as its shapes say"
    network = nvidia_network(ours, c_dim=LARGE)
    yield write(folder / "c.pkl", network), "embedding of classes: got none, expected one, since"
    network = tensorflow_network(ours, resample_kernel=[1, LARGE])
    yield write(folder / "tf.pkl", network), r"resample_kernel: got \[1, 1000"
    network = tensorflow_network(ours, resample_kernel=[1.0] * 5000)
    yield write(folder / "taps.pkl", network), r"resample_kernel: got \[1.0"
    extra = {"g_ema": rosinality_tensors(ours), "regen": {"num_fp16_res": LARGE}}
    (folder / "extra.pkl").write_bytes(writer.pickled(extra))
    yield folder / "extra.pkl", "num_fp16_res: got 1000.*, expected an integer from 0"
    for name in ("resolution", "z_dim", "channel_base", "conv_clamp", "resample_taps"):
        path = native(folder / f"{name}.safetensors", **{name: LARGE})
        yield path, r"cannot be read \(it holds a number of 401 digits\)"


def of_classes(folder: Path) -> Iterator[tuple[Path, str]]:
    """Nothing to refuse, but the mean of w, which is missing, must not cost gigabytes."""
    tensors = narrow(8)
    del tensors["mapping.w_avg"]
    wide = {"mapping.fc0.weight": torch.ones(4, 65536)}
    yield (
        write(folder / "z.pkl", nvidia_network(generator(), tensors=tensors | wide, z_dim=65536)),
        "",
    )
    classes = {
        "mapping.embed.weight": torch.ones(4, 65536),
        "mapping.embed.bias": torch.ones(4),
        "mapping.fc0.weight": torch.ones(4, 8),
    }
    yield save(folder / "classes.pt", {"G_ema": tensors | classes}), ""


ALL = (of_resolutions, of_mapping_layers, of_numbers, of_classes)


@pytest.mark.parametrize("files", ALL)
def test_they_are_refused_at_once(
    tmp_path: Path, files: Callable[[Path], Iterator[tuple[Path, str]]]
) -> None:
    for path, words in files(tmp_path):
        assert path.stat().st_size < 4 << 20
        if words:
            with pytest.raises(RegenError, match=words) as caught, counted_calls() as calls:
                read_checkpoint(path)
            message = str(caught.value)
            assert message.startswith(str(path)) and len(message) < len(str(path)) + 500, message
        else:
            with counted_calls() as calls:
                read_checkpoint(path)
        assert calls[0] < MOST_CALLS, path


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_they_take_little_memory(tmp_path: Path) -> None:
    for files in ALL:
        folder = tmp_path / files.__name__
        folder.mkdir()
        list(files(folder))
    program = f"""
        from pathlib import Path
        from regen.errors import RegenError
        from regen.generators.registry import read_checkpoint
        def peak():
            lines = Path("/proc/self/status").read_text().splitlines()
            return next(int(line.split()[1]) >> 10 for line in lines if line.startswith("VmHWM"))
        before = peak()
        for path in sorted(Path({str(tmp_path)!r}).glob("*/*")):
            try:
                read_checkpoint(path)
            except RegenError:
                pass
        print(peak() - before)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(done.stdout) < MOST_MB


def discriminator_header(**changes: Any) -> dict[str, Any]:
    usual = {
        "resolution": 8,
        "architecture": "resnet",
        "channels": [4, 4],
        "label_dim": 0,
        "label_features": 0,
        "mapping_layers": 0,
        "mapping_lr_multiplier": 0.01,
        "stddev_group": 4,
        "stddev_channels": 1,
        "conv_clamp": None,
        "resample_taps": [1, 3, 3, 1],
        "num_fp16_res": 0,
    }
    return {**usual, **changes}


@pytest.mark.parametrize(
    "changes",
    [
        {"resolution": 1 << 40},
        {"resolution": "8"},
        {"architecture": ["resnet"]},
        {"channels": 4},
        {"channels": [1e30, 4]},
        {"channels": [1 << 60, 4]},
        {"channels": {"a": 1, "b": 2}},
        {"label_dim": 1 << 60},
        {"label_features": -1},
        {"mapping_layers": 10**6, "label_dim": 3, "label_features": 4},
        {"mapping_lr_multiplier": "x"},
        {"stddev_group": 0},
        {"stddev_channels": 2.5},
        {"conv_clamp": -1},
        {"resample_taps": [1] * 1000},
        {"num_fp16_res": None},
    ],
)
def test_headers_of_discriminators_that_do_not_fit(tmp_path: Path, changes: dict[str, Any]) -> None:
    header = {"format": "generator", "version": 1, "family": "stylegan2"}
    header["discriminator"] = discriminator_header(**changes)
    tensor_file.save(tmp_path / "g.safetensors", {"a": torch.ones(1)}, header)
    words = (
        "g.safetensors: architecture of the discriminator: discriminator: .*; the file is damaged"
    )
    with pytest.raises(RegenError, match=words):
        load_discriminator(tmp_path / "g.safetensors")
