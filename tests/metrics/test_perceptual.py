"""LPIPS: its values, what it refuses, and what happens where a backbone is missing."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest
import torch

from regen.errors import MetricError
from regen.images import load_image
from regen.metrics import describe_lpips, load_lpips, perceptual, try_lpips
from regen.metrics.backbone_weights import backbone_weights

DATA = Path(__file__).parent / "data"  # a rendered portrait, and the same one with cat eyes


def images(n: int = 2, side: int = 32) -> torch.Tensor:
    return torch.rand(n, 3, side, side) * 2 - 1


def test_it_equals_the_package_on_the_same_weights(empty_torch_home: Path, tmp_path: Path) -> None:
    import lpips
    from torchvision import models

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        whole = models.squeezenet1_1()  # for its classifier, which nothing reads
        file = tmp_path / "hub" / "checkpoints" / "squeezenet1_1-b8a52dc0.pth"
        file.parent.mkdir(parents=True)
        torch.save({**whole.state_dict(), **backbone_weights("squeeze")}, file)
        theirs = lpips.LPIPS(net="squeeze", verbose=False)  # reads the cache by itself
    a, b = images(), images()
    torch.testing.assert_close(load_lpips()(a, b), theirs(a, b).flatten().detach())


def test_the_value_of_the_published_weights() -> None:
    """0.1008 is what the documentation of torchmetrics gives for these images and squeeze."""
    torch.manual_seed(123)
    a, b = (torch.rand(10, 3, 100, 100) * 2 - 1 for _ in range(2))
    assert load_lpips()(a, b).mean().item() == pytest.approx(0.1008, abs=1e-4)


def test_the_lpips_of_a_stored_pair() -> None:
    plain, cat_eyes = (load_image(DATA / f"{name}.png") for name in ("plain", "cat_eyes"))
    wanted = 0.0815338  # by lpips.LPIPS(net="squeeze") of lpips 0.1.4 itself
    assert load_lpips()(plain, cat_eyes).item() == pytest.approx(wanted, abs=1e-5)


def test_equal_images_are_at_distance_zero() -> None:
    a = images(3)
    assert load_lpips()(a, a).tolist() == [0.0, 0.0, 0.0]


def test_batches_do_not_change_the_result() -> None:
    lpips, a, b = load_lpips(), images(5), images(5)
    whole = lpips(a, b)
    lpips.batch_size = 2
    torch.testing.assert_close(lpips(a, b), whole)


def test_gradients_flow_on_request_alone() -> None:
    lpips, a, b = load_lpips(), images(), images().requires_grad_()
    assert not lpips(a, b).requires_grad
    lpips(a, b, differentiable=True).sum().backward()
    assert b.grad is not None and b.grad.abs().sum() > 0


def test_building_it_is_silent_and_draws_no_random_numbers(
    capfd: pytest.CaptureFixture[str],
) -> None:
    state = torch.get_rng_state()
    load_lpips()
    assert torch.equal(torch.get_rng_state(), state)
    assert capfd.readouterr() == ("", "")


def test_it_says_what_it_is() -> None:
    said = load_lpips().describe(128)
    assert (said["backbone"], said["resolution"]) == ("squeeze", 128)
    assert str(said["version"]).startswith("0.1 (lpips ")
    assert describe_lpips(load_lpips(), None, 128) == said


def test_the_default_needs_neither_a_cache_nor_a_network(empty_torch_home: Path) -> None:
    lpips, reason = try_lpips()
    assert lpips is not None and reason is None
    assert list(empty_torch_home.iterdir()) == []


def test_a_job_can_go_on_without_a_large_backbone(empty_torch_home: Path) -> None:
    lpips, reason = try_lpips("alex")
    assert lpips is None and reason is not None and reason.startswith("LPIPS alex: its weights")
    assert describe_lpips(lpips, reason, 64) == {
        "backbone": None,
        "version": None,
        "resolution": 64,
        "unavailable": reason,
    }


def test_images_that_are_too_small_are_a_reason_too() -> None:
    lpips, reason = try_lpips("squeeze", (31, 64))
    assert lpips is None
    assert reason == "images of 31x64 pixels are too small for it, at least 32x32 are needed"
    assert try_lpips("squeeze", (32, 64))[0] is not None


@pytest.mark.parametrize("call", [load_lpips, try_lpips])
def test_an_unknown_backbone_is_refused(call: object) -> None:
    assert callable(call)
    with pytest.raises(MetricError) as error:
        call("resnet")
    assert str(error.value) == "LPIPS backbone: got resnet, expected squeeze or alex or vgg"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda weights: weights.pop("features.0.bias"), "lacks features.0.bias"),
        (
            lambda weights: weights.update({"features.0.bias": torch.zeros(3)}),
            "weights of another shape",
        ),
    ],
)
def test_weights_of_another_network_are_refused(
    change: object, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = backbone_weights("squeeze")
    assert callable(change)
    change(weights)
    monkeypatch.setattr(perceptual, "backbone_weights", lambda _: weights)
    with pytest.raises(MetricError) as error:
        load_lpips()
    assert f"damaged ({why})" in str(error.value)


def test_images_too_small_are_refused() -> None:
    with pytest.raises(MetricError) as error:
        load_lpips()(images(1, 16), images(1, 16))
    assert str(error.value) == (
        "LPIPS: the images are too small: got 16x16, expected at least 32x32 pixels"
    )


def test_many_pairs_at_once_are_those_of_one_after_the_other() -> None:
    lpips = load_lpips()
    images = {name: torch.rand(6, 3, 48, 40) * 2 - 1 for name in ("a", "b", "c", "unused")}
    found = lpips.distances(images, [("a", "b"), ("c", "a")])
    assert set(found) == {("a", "b"), ("c", "a")}
    for (one, two), distances in found.items():
        torch.testing.assert_close(distances, lpips(images[one], images[two]))
    assert lpips.distances(images, [("b", "b")])["b", "b"].abs().max() == 0
    with pytest.raises(MetricError, match="LPIPS"):
        lpips.distances({**images, "b": images["b"] * 255}, [("a", "b")])


def test_distances_come_back_to_the_images_from_the_device_they_are_computed_on() -> None:
    lpips, a, b = load_lpips(device=torch.device("cpu")), images(5), images(5)
    assert torch.equal(lpips(a, b), load_lpips()(a, b))
    moved = load_lpips(device=torch.device("meta"))  # where nothing has values
    with pytest.raises(NotImplementedError, match="meta"):
        moved(a, b)
