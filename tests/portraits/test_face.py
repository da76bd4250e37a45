"""Where a head is: its coordinates follow the pose, its outlines enclose what they should."""

from __future__ import annotations

import pytest
import torch

from regen.errors import RegenError
from regen.portraits import Attributes, attributes, seed_to_z
from regen.portraits.face import build_face


def person(**changes: float) -> Attributes:
    """Somebody average, looking straight ahead, with some attributes changed."""
    average = attributes(torch.zeros(1, 32))
    return average._replace(**{name: torch.tensor([value]) for name, value in changes.items()})


STRAIGHT = {"shift_x": 0.0, "shift_y": 0.0, "scale": 1.0, "tilt": 0.0, "turn": 0.0}


def test_an_upright_head_has_its_origin_between_the_eyes() -> None:
    face = build_face(person(**STRAIGHT), 128)
    assert face.u[0, 0, 0, 64].item() == pytest.approx(0.5)
    assert face.v[0, 0, 60, 0].item() == pytest.approx(0.5)
    assert face.eyes[0, 0, 60, 64 + 18].item() < 0 < face.eyes[0, 0, 60, 64].item()


def test_pose_moves_scales_and_tilts_the_coordinates() -> None:
    pose = STRAIGHT | {"shift_x": 4.0, "shift_y": -2.0, "scale": 2.0}
    face = build_face(person(**pose), 128)
    assert face.u[0, 0, 0, 68 + 10].item() == pytest.approx(10.5 / 2)
    assert face.v[0, 0, 58 + 10, 0].item() == pytest.approx(10.5 / 2)
    tilted = build_face(person(**STRAIGHT | {"tilt": torch.pi / 2}), 128)
    assert tilted.u[0, 0, 70, 64].item() == pytest.approx(10.5, abs=1e-4)


def test_the_eyes_are_as_wide_and_tall_as_planned() -> None:
    features = {"eye_size": 1.0, "eye_openness": 1.0, "eye_spacing": 18.0}
    inside = build_face(person(**STRAIGHT, **features), 512).eyes[0, 0] < 0
    columns, rows = inside.any(dim=0).sum().item() / 4, inside.any(dim=1).sum().item() / 4
    assert columns == pytest.approx(2 * 24, abs=1.5)  # two eyes
    assert rows == pytest.approx(13, abs=1.0)


def test_the_eyes_lie_within_the_face_and_the_face_within_the_image() -> None:
    face = build_face(attributes(seed_to_z(range(64))), 128)
    assert (face.skull[face.eyes < 0] < 0).all()
    assert (face.window[face.eyes < 0] < 0).all()
    border = torch.cat([face.skull[..., :, [0, -1]].flatten(), face.skull[..., 0, :].flatten()])
    assert (border > 0).all()


@pytest.mark.parametrize("size", [0, -4])
def test_a_size_below_one_is_refused(size: int) -> None:
    message = f"size of a portrait: got {size}, expected at least 1 pixel"
    with pytest.raises(RegenError, match=message):
        build_face(person(), size)
