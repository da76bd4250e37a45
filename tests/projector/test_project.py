from __future__ import annotations

import pytest
import torch
from torch import Tensor

from regen.errors import ProjectorError
from regen.generators.stylegan2.generator import StyleGAN2
from regen.generators.stylegan2.split import StyleGAN2Split
from regen.projector.network import BackwardProjector
from regen.projector.project import (
    Projection,
    best_context,
    project,
    usual_context,
)
from tests.tolerances import assert_near


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


def test_a_projection_is_shown_by_its_shapes(tiny: StyleGAN2, tiny_split: StyleGAN2Split) -> None:
    value = tiny_split.value_of(tiny.seed_latents([3, 4]))
    shown = repr(Projection(value, torch.zeros(2, 3, 16, 16)))
    assert shown == f"<Projection: features {list(value.features.shape)}, decoded [2, 3, 16, 16]>"
