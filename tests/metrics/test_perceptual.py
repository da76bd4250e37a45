"""LPIPS with and without its weights. A random backbone stands in wherever values do not matter."""

from __future__ import annotations

import hashlib
import http.client
import socket
import warnings
from pathlib import Path

import pytest
import torch
from torchvision import models

from regen.errors import MetricError
from regen.images import load_image
from regen.metrics import describe_lpips, load_lpips, perceptual, try_lpips

DATA = Path(__file__).parent / "data"  # a rendered portrait, and the same one with cat eyes


def images(n: int = 2, side: int = 32) -> torch.Tensor:
    return torch.rand(n, 3, side, side) * 2 - 1


def test_it_equals_the_package_on_the_same_weights(random_torch_home: Path) -> None:
    import lpips

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = lpips.LPIPS(net="squeeze", verbose=False)  # reads the same cache by itself
    a, b = images(), images()
    torch.testing.assert_close(load_lpips()(a, b), theirs(a, b).flatten().detach())


def test_the_known_value_of_the_published_weights() -> None:
    if not perceptual.weights_path("squeeze").is_file():
        pytest.skip("torch's cache has no squeezenet weights")
    torch.manual_seed(123)
    a, b = (torch.rand(10, 3, 100, 100) * 2 - 1 for _ in range(2))
    assert load_lpips()(a, b).mean().item() == pytest.approx(0.1008, abs=2e-4)


def test_the_lpips_of_a_stored_pair() -> None:
    if not perceptual.weights_path("squeeze").is_file():
        pytest.skip("torch's cache has no squeezenet weights")
    plain, cat_eyes = (load_image(DATA / f"{name}.png") for name in ("plain", "cat_eyes"))
    wanted = 0.0815338  # by lpips.LPIPS(net="squeeze") of lpips 0.1.4 itself
    assert load_lpips()(plain, cat_eyes).item() == pytest.approx(wanted, abs=1e-5)


def test_equal_images_are_at_distance_zero(random_torch_home: Path) -> None:
    a = images(3)
    assert load_lpips()(a, a).tolist() == [0.0, 0.0, 0.0]


def test_batches_do_not_change_the_result(random_torch_home: Path) -> None:
    lpips, a, b = load_lpips(), images(5), images(5)
    whole = lpips(a, b)
    lpips.batch_size = 2
    torch.testing.assert_close(lpips(a, b), whole)


def test_gradients_flow_on_request_alone(random_torch_home: Path) -> None:
    lpips, a, b = load_lpips(), images(), images().requires_grad_()
    assert not lpips(a, b).requires_grad
    lpips(a, b, differentiable=True).sum().backward()
    assert b.grad is not None and b.grad.abs().sum() > 0


def test_building_it_is_silent_and_draws_no_random_numbers(
    random_torch_home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    state = torch.get_rng_state()
    load_lpips()
    assert torch.equal(torch.get_rng_state(), state)
    assert capfd.readouterr() == ("", "")


def test_it_says_what_it_is(random_torch_home: Path) -> None:
    said = load_lpips().describe(128)
    assert (said["backbone"], said["resolution"]) == ("squeeze", 128)
    assert str(said["version"]).startswith("0.1 (lpips ")
    assert describe_lpips(load_lpips(), None, 128) == said


def test_the_files_are_those_torchvision_names() -> None:
    theirs = {
        "squeeze": models.SqueezeNet1_1_Weights.IMAGENET1K_V1,
        "alex": models.AlexNet_Weights.IMAGENET1K_V1,
        "vgg": models.VGG16_Weights.IMAGENET1K_V1,
    }
    ours = {net: perceptual.DOWNLOAD_FROM + name for net, name in perceptual.BACKBONES.items()}
    assert ours == {net: weights.url for net, weights in theirs.items()}


@pytest.mark.parametrize("backbone", ["squeeze", "alex", "vgg"])
def test_without_weights_or_network_it_says_why_and_how(
    backbone: str, empty_torch_home: Path
) -> None:
    with pytest.raises(MetricError) as error:
        load_lpips(backbone)
    message = str(error.value)
    assert message.startswith(f"LPIPS {backbone}: its weights are not in torch's cache, and the")
    assert "network is unreachable" in message
    folder = empty_torch_home / "hub" / "checkpoints"
    name = perceptual.BACKBONES[backbone]
    assert f"download https://download.pytorch.org/models/{name} to {folder}" in message
    assert list(folder.iterdir()) == []  # nothing half-written


def test_a_job_can_go_on_without_it(empty_torch_home: Path) -> None:
    lpips, reason = try_lpips("alex")
    assert lpips is None and reason is not None and reason.startswith("LPIPS alex: its weights")
    assert describe_lpips(lpips, reason, 64) == {
        "backbone": None,
        "version": None,
        "resolution": 64,
        "unavailable": reason,
    }


def test_images_that_are_too_small_are_a_reason_too(random_torch_home: Path) -> None:
    lpips, reason = try_lpips("squeeze", (31, 64))
    assert lpips is None
    assert reason == "images of 31x64 pixels are too small for it, at least 32x32 are needed"
    assert try_lpips("squeeze", (32, 64))[0] is not None


def test_another_backbone_is_never_taken_instead(random_torch_home: Path) -> None:
    assert try_lpips("squeeze")[0] is not None
    assert try_lpips("vgg")[0] is None


@pytest.mark.parametrize("call", [load_lpips, try_lpips])
def test_an_unknown_backbone_is_refused(call: object) -> None:
    assert callable(call)
    with pytest.raises(MetricError) as error:
        call("resnet")
    assert str(error.value) == "LPIPS backbone: got resnet, expected squeeze or alex or vgg"


def test_a_download_gets_a_timeout_that_is_taken_back(
    empty_torch_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[object] = []

    def cut_off(url: str, path: str, hash_prefix: str, progress: bool) -> None:
        seen.extend([url, hash_prefix, socket.getdefaulttimeout()])
        raise http.client.IncompleteRead(b"")

    monkeypatch.setattr(torch.hub, "download_url_to_file", cut_off)
    with pytest.raises(MetricError, match="the download failed"):
        load_lpips()
    assert seen == [
        "https://download.pytorch.org/models/squeezenet1_1-b8a52dc0.pth",
        "b8a52dc0",
        perceptual.TIMEOUT_SECONDS,
    ]
    assert socket.getdefaulttimeout() is None


@pytest.mark.parametrize(
    ("content", "why"),
    [(b"PK\x03\x04 cut short", "while reading it"), (None, "lacks features.0.bias")],
)
def test_damaged_weights_are_named(content: bytes | None, why: str, empty_torch_home: Path) -> None:
    path = perceptual.weights_path("squeeze")
    path.parent.mkdir(parents=True)
    if content is None:
        torch.save({}, path)
    else:
        path.write_bytes(content)
    digest = hashlib.sha256(path.read_bytes()).digest()
    with pytest.raises(MetricError) as error:
        load_lpips()
    message = str(error.value)
    assert message.startswith(f"{path}: damaged (") and why in message
    assert message.endswith("delete it and run again to download it")
    assert hashlib.sha256(path.read_bytes()).digest() == digest


def test_images_too_small_are_refused(random_torch_home: Path) -> None:
    with pytest.raises(MetricError) as error:
        load_lpips()(images(1, 16), images(1, 16))
    assert str(error.value) == (
        "LPIPS: the images are too small: got 16x16, expected at least 32x32 pixels"
    )
