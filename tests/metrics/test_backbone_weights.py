"""Weights of LPIPS's backbones: in the package, in torch's cache, and not to be had."""

from __future__ import annotations

import hashlib
import http.client
import socket
from pathlib import Path

import pytest
import torch
from torchvision import models

from regen.errors import MetricError, StoreError
from regen.files import tensor_file
from regen.metrics import backbone_weights as module
from regen.metrics.backbone_weights import BACKBONES, BUNDLED, DOWNLOADS, backbone_weights

LARGE = ["alex", "vgg"]


def test_the_package_holds_the_features_that_lpips_reads() -> None:
    stored = tensor_file.load(BUNDLED, format=module.FORMAT, version=module.VERSION)
    theirs = models.squeezenet1_1().features[:13].state_dict()
    assert set(stored.tensors) == {f"features.{name}" for name in theirs}
    for name, tensor in stored.tensors.items():
        assert tensor.shape == theirs[name.removeprefix("features.")].shape
        assert tensor.dtype == (torch.float16 if tensor.dim() == 4 else torch.float32), name
    assert BUNDLED.stat().st_size < 1_500_000


def test_it_comes_with_its_licence() -> None:
    licence = tensor_file.read_header(BUNDLED)["licence"]
    assert licence.startswith("BSD 3-Clause License\n\nCopyright (c) Soumith Chintala 2016")
    assert licence == BUNDLED.with_name("LICENSE-torchvision.txt").read_text(encoding="utf-8")


def test_it_is_read_in_float32_without_a_cache(empty_torch_home: Path) -> None:
    weights = backbone_weights("squeeze")
    assert {tensor.dtype for tensor in weights.values()} == {torch.float32}
    assert list(empty_torch_home.iterdir()) == []


def test_a_damaged_file_of_the_package_is_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "squeeze.safetensors"
    content = bytearray(BUNDLED.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    monkeypatch.setattr(module, "BUNDLED", path)
    with pytest.raises(StoreError, match="its tensors are not those that were saved"):
        backbone_weights("squeeze")


def test_the_files_are_those_torchvision_names() -> None:
    theirs = {
        "alex": models.AlexNet_Weights.IMAGENET1K_V1.url,
        "vgg": models.VGG16_Weights.IMAGENET1K_V1.url,
    }
    assert theirs == {net: module.DOWNLOAD_FROM + name for net, name in DOWNLOADS.items()}
    assert set(BACKBONES) - set(DOWNLOADS) == {"squeeze"}


@pytest.mark.parametrize("backbone", LARGE)
def test_without_weights_or_network_it_says_why_and_how(
    backbone: str, empty_torch_home: Path
) -> None:
    with pytest.raises(MetricError) as error:
        backbone_weights(backbone)
    message = str(error.value)
    assert message.startswith(f"LPIPS {backbone}: its weights are not in torch's cache, and the")
    assert "network is unreachable" in message
    folder = empty_torch_home / "hub" / "checkpoints"
    name = DOWNLOADS[backbone]
    assert f"download https://download.pytorch.org/models/{name} to {folder}" in message
    assert message.endswith("; or use squeeze, which needs no download")
    assert list(folder.iterdir()) == []  # nothing half-written


def test_a_download_gets_a_timeout_that_is_taken_back(
    empty_torch_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[object] = []

    def cut_off(url: str, path: str, hash_prefix: str, progress: bool) -> None:
        seen.extend([url, hash_prefix, socket.getdefaulttimeout()])
        raise http.client.IncompleteRead(b"")

    monkeypatch.setattr(torch.hub, "download_url_to_file", cut_off)
    with pytest.raises(MetricError, match="the download failed"):
        backbone_weights("alex")
    assert seen == [
        "https://download.pytorch.org/models/alexnet-owt-7be5be79.pth",
        "7be5be79",
        module.TIMEOUT_SECONDS,
    ]
    assert socket.getdefaulttimeout() is None


@pytest.mark.parametrize(
    ("content", "why"),
    [(b"PK\x03\x04 cut short", "while reading it"), (None, "a list instead of named weights")],
)
def test_damaged_downloads_are_named(
    content: bytes | None, why: str, empty_torch_home: Path
) -> None:
    path = module.weights_path("vgg")
    path.parent.mkdir(parents=True)
    if content is None:
        torch.save([], path)
    else:
        path.write_bytes(content)
    digest = hashlib.sha256(path.read_bytes()).digest()
    with pytest.raises(MetricError) as error:
        backbone_weights("vgg")
    message = str(error.value)
    assert message.startswith(f"{path}: damaged (") and why in message
    assert message.endswith("delete it and run again to download it")
    assert hashlib.sha256(path.read_bytes()).digest() == digest
