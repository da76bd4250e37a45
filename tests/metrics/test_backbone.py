"""Features of the LPIPS backbone: which layer, how pooled, and that batches do not matter."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
import torch
from torch import Tensor
from torchvision import models

from regen.errors import MetricError
from regen.metrics import backbone_features, load_lpips
from regen.metrics.backbone_weights import backbone_weights
from tests.tolerances import assert_near


def test_it_is_the_pooled_layer_that_it_names() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = models.squeezenet1_1()
    theirs.load_state_dict(backbone_weights("squeeze"), strict=False)  # it has a classifier too
    images = torch.rand(2, 3, 64, 64) * 2 - 1
    mean = torch.tensor([0.485, 0.456, 0.406]).reshape(3, 1, 1)
    deviation = torch.tensor([0.229, 0.224, 0.225]).reshape(3, 1, 1)
    seen = ((images + 1) / 2 - mean) / deviation  # ImageNet's, which LPIPS rounds
    with torch.no_grad():
        wanted = theirs.features[:13](seen).mean(dim=(2, 3))
    found = backbone_features(images, load_lpips())
    assert found.shape == (2, 512)
    torch.testing.assert_close(found, wanted, rtol=1e-2, atol=1e-2 * wanted.abs().mean().item())


def test_batches_do_not_change_the_result() -> None:
    lpips, images = load_lpips(), torch.rand(5, 3, 32, 32) * 2 - 1
    whole = backbone_features(images, lpips)
    assert_near(backbone_features(images, lpips, batch=2), whole, size=float(whole.amax()))
    assert not whole.requires_grad


def test_fewer_of_large_images_are_processed_at_once() -> None:
    class Counting:
        """A backbone whose one layer is the image."""

        together: list[int] = []

        def layers(self, images: Tensor) -> list[Tensor]:
            self.together.append(len(images))
            return [images]

    backbone: Any = Counting()
    assert backbone_features(torch.ones(5, 3, 512, 512), backbone).tolist() == [[1.0] * 3] * 5
    assert backbone.together == [4, 1]


def test_layers_are_those_that_lpips_weighs() -> None:
    layers = load_lpips().layers(torch.rand(1, 3, 64, 64))
    assert [tuple(layer.shape[1:]) for layer in layers] == [
        (64, 31, 31),
        (128, 15, 15),
        (256, 7, 7),
        (384, 3, 3),
        (384, 3, 3),
        (512, 3, 3),
        (512, 3, 3),
    ]


def test_bad_images_are_refused() -> None:
    lpips = load_lpips()
    with pytest.raises(MetricError, match="backbone features: no images"):
        backbone_features(torch.zeros(0, 3, 32, 32), lpips)
    with pytest.raises(MetricError, match="LPIPS backbone: the images are too small: got 16x16"):
        backbone_features(torch.zeros(1, 3, 16, 16), lpips)
    with pytest.raises(MetricError, match=r"LPIPS backbone: .* do not match: got \[1, 3, 32\]"):
        backbone_features(torch.zeros(1, 3, 32), lpips)
