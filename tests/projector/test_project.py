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
from regen.projector.config import ProjectorConfig
from regen.projector.network import BackwardProjector
from regen.projector.project import (
    Projection,
    RefineSettings,
    best_context,
    project,
    refine,
    usual_context,
)
from tests.tolerances import assert_near


@pytest.fixture
def projector(tiny_split: StyleGAN2Split) -> BackwardProjector:
    made = BackwardProjector(
        ProjectorConfig.for_split(tiny_split, tiny_split.generator, widths=(4, 4))
    )
    return made.eval().requires_grad_(False)


@pytest.fixture
def image() -> Tensor:
    return torch.rand(1, 3, 16, 16) * 2 - 1


def test_projecting_with_the_own_context_of_a_sample(
    tiny: StyleGAN2, tiny_split: StyleGAN2Split
) -> None:
    value = tiny_split.value_of(tiny.seed_latents([3, 4]))
    image = tiny_split.tail(value)
    projection = project(lambda _: value.features, tiny_split, image, value)
    assert torch.equal(projection.value.features, value.features)
    assert torch.equal(projection.decoded, image.clamp(-1, 1))


def test_the_usual_context_is_that_of_the_mean_latent(
    tiny: StyleGAN2, tiny_split: StyleGAN2Split
) -> None:
    mean = usual_context(tiny, tiny_split, tiny.source(), 3)
    assert len(mean.features) == 3
    wanted = tiny(tiny.seed_latents([9], truncation=0.0))
    assert_near(tiny_split.tail(mean), wanted.expand(3, -1, -1, -1))


def test_projecting_gives_images_within_range(
    tiny: StyleGAN2, tiny_split: StyleGAN2Split, projector: BackwardProjector, image: Tensor
) -> None:
    projection = project(
        projector, tiny_split, image, usual_context(tiny, tiny_split, tiny.source())
    )
    assert projection.value.features.shape == (1, 8, 8, 8)
    assert projection.decoded.shape == (1, 3, 16, 16) and projection.decoded.abs().max() <= 1


def test_as_many_contexts_as_images(
    tiny: StyleGAN2, tiny_split: StyleGAN2Split, projector: BackwardProjector, image: Tensor
) -> None:
    with pytest.raises(ProjectorError, match="contexts to decode with: got 2, expected 1"):
        project(projector, tiny_split, image, usual_context(tiny, tiny_split, tiny.source(), 2))


def test_a_prediction_that_is_not_finite(
    tiny: StyleGAN2, tiny_split: StyleGAN2Split, image: Tensor
) -> None:
    with pytest.raises(ProjectorError, match="prediction: got numbers that are not finite"):
        project(
            lambda _: torch.full((1, 8, 8, 8), torch.nan),
            tiny_split,
            image,
            usual_context(tiny, tiny_split, tiny.source()),
        )


def test_the_best_context_is_found(tiny: StyleGAN2, tiny_split: StyleGAN2Split) -> None:
    value = tiny_split.value_of(tiny.seed_latents([2_000_005], 0.7))
    image = tiny_split.tail(value)
    best = best_context(lambda _: value.features, tiny, tiny_split, tiny.source(), image, 20)
    assert_near(tiny_split.tail(best.with_features(value.features)), image)
    mean = best_context(lambda _: value.features, tiny, tiny_split, tiny.source(), image, 0)
    decoded = tiny_split.tail(mean.with_features(value.features))
    wanted = tiny_split.tail(
        usual_context(tiny, tiny_split, tiny.source()).with_features(value.features)
    )
    assert torch.allclose(decoded, wanted)


def test_the_search_wants_one_image(
    tiny: StyleGAN2, tiny_split: StyleGAN2Split, projector: BackwardProjector
) -> None:
    with pytest.raises(ProjectorError, match="got 2 images and 64 candidates"):
        best_context(projector, tiny, tiny_split, tiny.source(), torch.zeros(2, 3, 16, 16))
    with pytest.raises(ProjectorError, match="got 1 images and -1 candidates"):
        best_context(projector, tiny, tiny_split, tiny.source(), torch.zeros(1, 3, 16, 16), -1)
    with pytest.raises(ProjectorError, match="got 1 images and None candidates"):
        image = torch.zeros(1, 3, 16, 16)
        best_context(projector, tiny, tiny_split, tiny.source(), image, None)  # type: ignore[arg-type]


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
        config = RefineSettings(steps=20, lr=0.1, pull=pull)
        after = refine(tiny_split, projection, image, config).projection.value.features
        moved.append((after - projection.value.features).abs().mean().item())
    assert moved[1] < 0.7 * moved[0]


def test_a_region_leaves_features_far_from_it_alone(
    tiny_split: StyleGAN2Split, projection: Projection, image: Tensor
) -> None:
    region = torch.zeros(1, 1, 16, 16)
    region[..., :4, :4] = 1
    config = RefineSettings(steps=5, lr=0.1, ssim=0.0, pull=0.0)
    result = refine(tiny_split, projection, image, config, region=region)
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


def test_a_projection_is_shown_by_its_shapes(tiny: StyleGAN2, tiny_split: StyleGAN2Split) -> None:
    value = tiny_split.value_of(tiny.seed_latents([3, 4]))
    shown = repr(Projection(value, torch.zeros(2, 3, 16, 16)))
    assert shown == f"<Projection: features {list(value.features.shape)}, decoded [2, 3, 16, 16]>"
