"""Images of people: sound, continuous, equal at any size, and the ones the generator learned."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import avg_pool2d

from regen.errors import RegenError
from regen.portraits import Attributes, attributes, render, seed_to_z
from regen.portraits.traits import PALETTES


def test_images_have_shape_range_and_contrast() -> None:
    images = render(attributes(seed_to_z(range(6))), 64)
    assert images.shape == (6, 3, 64, 64)
    assert images.dtype == torch.float32
    assert images.min() >= -1
    assert images.max() <= 1
    assert (images.std(dim=(1, 2, 3)) > 0.3).all()


def test_no_people_give_no_images() -> None:
    assert render(attributes(torch.zeros(0, 32)), 32).shape == (0, 3, 32, 32)


def test_equal_latents_give_equal_images_in_any_batch() -> None:
    z = seed_to_z([5, 6, 7])
    together = render(attributes(z), 64)
    assert torch.equal(together, render(attributes(z), 64))
    assert torch.allclose(together[1:2], render(attributes(z[1:2]), 64), atol=1e-5)


def test_even_unlikely_latents_give_finite_images() -> None:
    z = torch.cat([torch.zeros(1, 32), torch.eye(32), -torch.eye(32)])
    assert render(attributes(z), 32).isfinite().all()


@pytest.mark.parametrize("size", [64, 128])
def test_the_scene_is_the_same_at_twice_the_resolution(size: int) -> None:
    people = attributes(seed_to_z(range(4)))
    difference = (avg_pool2d(render(people, 2 * size), 2) - render(people, size)).abs()
    assert difference.mean() < 0.64 / size
    assert (difference > 0.2).float().mean() < 0.01


def test_a_small_step_in_z_is_a_small_step_of_the_image() -> None:
    z = seed_to_z(range(8))
    step = 1e-4 * torch.randn(8, 32)
    difference = (render(attributes(z + step)) - render(attributes(z))).abs()
    assert 0 < difference.max() < 0.02


@pytest.mark.parametrize("name", Attributes._fields)
def test_every_attribute_changes_the_image(name: str) -> None:
    people = attributes(seed_to_z(range(2)))
    values = getattr(people, name)
    z = torch.zeros(2, 32)
    z[:, Attributes._fields.index(name)] = torch.tensor([-1.0, 1.0])
    ends = getattr(attributes(z), name)
    low = people._replace(**{name: ends[:1].expand_as(values)})
    high = people._replace(**{name: ends[1:].expand_as(values)})
    difference = (render(low, 64) - render(high, 64)).abs()
    assert (difference.amax(dim=(1, 2, 3)) > 0.1).all()


def test_the_iris_has_its_colour_and_the_pupil_is_dark() -> None:
    people = attributes(torch.zeros(1, 32))
    blue = torch.tensor([PALETTES["iris"][4]])
    straight = {"shift_x": 0.0, "shift_y": 0.0, "scale": 1.0, "tilt": 0.0, "turn": 0.0, "gaze": 0.0}
    zeros = {name: torch.tensor([value]) for name, value in straight.items()}
    image = render(people._replace(iris=blue, eye_spacing=torch.tensor([18.0]), **zeros), 256)
    pupil, iris = image[0, :, 119, 164], image[0, :, 126, 164]  # centre; 3.5/128 below it
    assert (pupil < -0.8).all()
    assert iris[2] > iris[1] > iris[0]


def test_images_have_gradients_in_z() -> None:
    z = seed_to_z([1]).requires_grad_()
    render(attributes(z), 32).square().mean().backward()
    assert z.grad is not None
    assert z.grad.isfinite().all()
    assert z.grad.abs().max() > 0


def test_rendering_is_one_graph_for_the_compiler() -> None:
    def draw(z: torch.Tensor) -> torch.Tensor:
        return render(attributes(z), 32)

    z = seed_to_z([0, 1])
    compiled = torch.compile(draw, backend="eager", fullgraph=True)
    assert torch.allclose(compiled(z), draw(z), atol=1e-6)


def test_autocast_leaves_images_as_they_are() -> None:
    z = seed_to_z([3])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        image = render(attributes(z), 32)
    assert torch.equal(image, render(attributes(z), 32))


def test_images_are_those_the_bundled_generator_learned() -> None:
    """Any change of what the renderer draws makes the trained weights wrong: retrain, then this."""
    blocks = avg_pool2d(render(attributes(seed_to_z([0, 1]))), 32)[:, :, :, 1]
    assert blocks[0].tolist() == [pytest.approx(row, abs=1e-3) for row in LEARNED[0]]
    assert blocks[1].tolist() == [pytest.approx(row, abs=1e-3) for row in LEARNED[1]]


def test_an_unknown_pattern_is_refused_with_the_nearest_name() -> None:
    message = (
        r"unknown pattern of portraits: got 'cat_eye', expected one of cat_eyes, .*; "
        r"did you mean 'cat_eyes'\?"
    )
    with pytest.raises(RegenError, match=message):
        render(attributes(seed_to_z([0])), 32, "cat_eye")


LEARNED = [
    [
        [0.6982, 0.2434, 0.4311, 0.4300],
        [0.2651, -0.1254, -0.0003, 0.0813],
        [-0.0704, -0.3275, -0.2519, -0.2784],
    ],
    [
        [0.2100, 0.0063, 0.5219, 0.1410],
        [0.1667, -0.2387, 0.1801, 0.2245],
        [-0.0514, -0.3941, -0.0772, 0.0662],
    ],
]
