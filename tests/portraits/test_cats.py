"""People as cats: sound images, content of the person alone, looks of the style alone, patterns."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import avg_pool2d

from regen.errors import RegenError
from regen.portraits import (
    PATTERNS,
    STYLE_DIM,
    Attributes,
    CatStyle,
    attributes,
    cat_style,
    pattern_region,
    render,
    render_cat,
    seed_to_z,
)

CONTENT = (
    *("shift_x", "shift_y", "scale", "tilt", "turn", "face_width", "jaw", "hair_volume"),
    *("eye_size", "eye_spacing", "eye_openness", "gaze", "nose_length", "light"),
)


@pytest.fixture(scope="module")
def people() -> Attributes:
    return attributes(seed_to_z(range(8)))


@pytest.fixture(scope="module")
def looks() -> CatStyle:
    return cat_style(seed_to_z(range(8), STYLE_DIM))


def test_images_have_shape_range_and_contrast(people: Attributes, looks: CatStyle) -> None:
    images = render_cat(people, looks, 64)
    assert images.shape == (8, 3, 64, 64)
    assert images.dtype == torch.float32
    assert images.min() >= -1 and images.max() <= 1
    assert (images.std(dim=(1, 2, 3)) > 0.2).all()
    assert torch.equal(images, render_cat(people, looks, 64))


def test_no_people_give_no_cats() -> None:
    nobody = render_cat(attributes(torch.zeros(0, 32)), cat_style(torch.zeros(0, 8)), 32)
    assert nobody.shape == (0, 3, 32, 32)


@pytest.mark.parametrize("size", [64, 128])
def test_the_scene_is_the_same_at_twice_the_resolution(
    people: Attributes, looks: CatStyle, size: int
) -> None:
    large, small = render_cat(people, looks, 2 * size), render_cat(people, looks, size)
    difference = (avg_pool2d(large, 2) - small).abs()
    assert difference.mean() < 0.8 / size
    assert (difference > 0.2).float().mean() < 0.02


@pytest.mark.parametrize("name", Attributes._fields)
def test_pose_and_features_are_the_persons_and_nothing_else(name: str) -> None:
    ends = torch.zeros(2, 32)
    ends[:, Attributes._fields.index(name)] = torch.tensor([-1.0, 1.0])
    average, changed = attributes(torch.ones(2, 32)), attributes(ends)
    two = average._replace(**{name: getattr(changed, name)})
    low, high = render_cat(two, cat_style(torch.zeros(2, STYLE_DIM)), 64)
    difference = (low - high).abs().max()
    assert difference > 0.1 if name in CONTENT else difference == 0


@pytest.mark.parametrize("name", CatStyle._fields)
def test_every_number_of_the_code_changes_the_looks(people: Attributes, name: str) -> None:
    code = torch.full((8, STYLE_DIM), 0.2)
    low, high = code.clone(), code.clone()
    index = CatStyle._fields.index(name)
    low[:, index], high[:, index] = -1.0, 1.0
    difference = render_cat(people, cat_style(low), 64) - render_cat(people, cat_style(high), 64)
    assert (difference.abs().amax(dim=(1, 2, 3)) > 0.1).all()


@pytest.mark.parametrize("size", [64, 128])
@pytest.mark.parametrize("name", PATTERNS)
def test_a_pattern_is_plain_to_see_and_stays_in_the_persons_region(
    people: Attributes, looks: CatStyle, name: str, size: int
) -> None:
    mask = pattern_region(people, name, size)
    plain, changed = render_cat(people, looks, size), render_cat(people, looks, size, name)
    outside = (mask == 0).expand(-1, 3, -1, -1)
    assert outside.any() and torch.equal(plain[outside], changed[outside])
    difference = (changed - plain).abs().mean(dim=1, keepdim=True)
    inside = (difference * mask).sum(dim=(1, 2, 3)) / mask.sum(dim=(1, 2, 3))
    assert (inside > 0.1).all()


def test_an_unknown_pattern_and_a_size_below_one_are_refused(
    people: Attributes, looks: CatStyle
) -> None:
    with pytest.raises(RegenError, match=r"got 'cat_eye', .*did you mean 'cat_eyes'\?"):
        render_cat(people, looks, 32, "cat_eye")
    with pytest.raises(RegenError, match="size of a portrait: got 0"):
        render_cat(people, looks, 0)


def test_images_have_gradients_in_code_and_latent() -> None:
    z, code = seed_to_z([1]).requires_grad_(), torch.full((1, STYLE_DIM), 0.3, requires_grad=True)
    render_cat(attributes(z), cat_style(code), 32).square().mean().backward()
    for grad in (z.grad, code.grad):
        assert grad is not None and grad.isfinite().all() and grad.abs().max() > 0
    assert code.grad is not None and (code.grad != 0).all()


def test_rendering_is_one_graph_for_the_compiler() -> None:
    def draw(z: torch.Tensor, code: torch.Tensor) -> torch.Tensor:
        return render_cat(attributes(z), cat_style(code), 32)

    z, code = seed_to_z([0, 1]), seed_to_z([2, 3], STYLE_DIM)
    compiled = torch.compile(draw, backend="eager", fullgraph=True)
    assert torch.allclose(compiled(z, code), draw(z, code), atol=1e-6)


def test_a_cat_is_far_from_the_person(people: Attributes, looks: CatStyle) -> None:
    apart = (render_cat(people, looks, 64) - render(people, 64)).abs().mean(dim=(1, 2, 3))
    assert (apart > 0.15).all()
