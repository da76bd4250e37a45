from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from regen.errors import ProjectorError
from regen.generators.stylegan2.generator import StyleGAN2
from regen.generators.stylegan2.split import StyleGAN2Split
from regen.projector.network import BackwardProjector
from regen.projector.project import Projection, project, usual_context
from regen.projector.refine import RefineSettings, refine


@pytest.fixture
def projection(
    tiny: StyleGAN2, tiny_split: StyleGAN2Split, projector: BackwardProjector, image: Tensor
) -> Projection:
    return project(projector, tiny_split, image, usual_context(tiny, tiny_split, tiny.source()))


def test_refinement_comes_closer(
    tiny: StyleGAN2, tiny_split: StyleGAN2Split, projection: Projection, image: Tensor
) -> None:
    digest, losses = tiny.digest(), list[float]()
    result = refine(
        tiny_split,
        projection,
        image,
        RefineSettings(steps=40, lr=0.1),
        on_step=lambda _, loss: losses.append(loss),
    )
    assert result.before == pytest.approx((projection.decoded - image).abs().mean().item())
    assert result.after < 0.9 * result.before
    assert result.after == pytest.approx((result.projection.decoded - image).abs().mean().item())
    assert len(losses) == 40 and losses[-1] < losses[0]
    assert tiny.digest() == digest and not result.projection.value.features.requires_grad


def test_no_steps_change_nothing(
    tiny_split: StyleGAN2Split, projection: Projection, image: Tensor
) -> None:
    result = refine(tiny_split, projection, image, RefineSettings(steps=0))
    assert torch.equal(result.projection.value.features, projection.value.features)
    assert result.before == result.after


def test_pulling_keeps_features_near_the_prediction(
    tiny_split: StyleGAN2Split, projection: Projection, image: Tensor
) -> None:
    moved = []
    for pull in (0.0, 1.0):
        settings = RefineSettings(steps=20, lr=0.1, pull=pull)
        after = refine(tiny_split, projection, image, settings).projection.value.features
        moved.append((after - projection.value.features).abs().mean().item())
    assert moved[1] < 0.7 * moved[0]


def test_a_region_leaves_features_far_from_it_alone(
    tiny_split: StyleGAN2Split, projection: Projection, image: Tensor
) -> None:
    region = torch.zeros(1, 1, 16, 16)
    region[..., :4, :4] = 1
    settings = RefineSettings(steps=5, lr=0.1, ssim=0.0, pull=0.0)
    result = refine(tiny_split, projection, image, settings, region=region)
    moved = (result.projection.value.features - projection.value.features).abs().sum(dim=1)
    assert moved[0, :2, :2].min() > 0 and moved[0, 7, 7] == 0
    inside = (projection.decoded - image).abs()[..., :4, :4].mean().item()
    assert result.before == pytest.approx(inside) and result.after < result.before


def test_a_loss_that_is_not_finite(
    tiny_split: StyleGAN2Split, projection: Projection, image: Tensor
) -> None:
    message = r"refinement: loss in step 0: got nan; lower its lr \(now 0.02\)"
    with pytest.raises(ProjectorError, match=message):
        refine(tiny_split, projection, image * torch.nan, RefineSettings(steps=2))


def test_refinements_take_numbers_of_numpy_and_torch() -> None:
    settings = RefineSettings(steps=np.int64(5), lr=np.float32(0.5), l1=torch.tensor(2.0))  # type: ignore[arg-type]
    assert settings == RefineSettings(steps=5, lr=0.5, l1=2.0)
    assert (type(settings.steps), type(settings.lr), type(settings.l1)) == (int, float, float)


@pytest.mark.parametrize(
    "settings",
    [
        *({"steps": -1}, {"lr": 0.0}, {"pull": -1.0}, {"steps": 0.5}, {"steps": True}, {"l1": "1"}),
        *({"lr": math.nan}, {"ssim": math.inf}, {"lr": None}, {"steps": object()}),
    ],
)
def test_impossible_refinements_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ProjectorError, match="steps and weights from 0, lr above 0"):
        RefineSettings(**settings)  # type: ignore[arg-type]
