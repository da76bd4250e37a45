"""Differences, heat maps, outlines and data URIs, pixel by pixel."""

from __future__ import annotations

import base64
import io

import torch
from PIL import Image

from regen.images.display import to_pil
from regen.report.images import (
    amplified_difference,
    contact_sheet_uri,
    data_uri,
    fitted,
    heat,
    outlined,
    outlined_thumbnail,
)


def open_uri(uri: str, kind: str) -> Image.Image:
    head, _, data = uri.partition(",")
    assert head == f"data:image/{kind};base64"
    return Image.open(io.BytesIO(base64.b64decode(data)))


def test_a_difference_is_absolute_amplified_and_clipped() -> None:
    a = torch.zeros(4)
    b = torch.tensor([0.0, 0.25, -0.25, 1.0])
    torch.testing.assert_close(
        amplified_difference(a, b, gain=2), torch.tensor([-1.0, -0.5, -0.5, 1.0])
    )


def test_heat_is_grey_where_the_map_is_zero_and_orange_where_it_is_one() -> None:
    maps = torch.zeros(1, 1, 4, 8)
    maps[..., 4:] = 1
    red, green, blue = heat(torch.rand(1, 3, 4, 8), maps)[0].unbind()
    assert torch.equal(red[:, :3], blue[:, :3]) and torch.equal(red[:, :3], green[:, :3])
    assert (red[:, 5:] > green[:, 5:]).all() and (green[:, 5:] > blue[:, 5:]).all()


def test_a_region_is_outlined_just_outside_of_it() -> None:
    region = torch.zeros(1, 1, 8, 8)
    region[..., 3:5, 3:5] = 1
    shown = heat(torch.zeros(1, 3, 8, 8), torch.zeros(1, 1, 2, 2), region)[0]
    white = (shown == 1).all(dim=0)
    assert white.sum() == 12 and white[2, 2:6].all() and not white[3:5, 3:5].any()


def test_a_data_uri_is_a_png_of_the_image() -> None:
    image = torch.rand(3, 10, 20) * 2 - 1
    opened = open_uri(data_uri(image), "png")
    assert opened.size == (20, 10) and opened.tobytes() == to_pil(image).tobytes()


def test_a_large_image_is_reduced() -> None:
    assert open_uri(data_uri(torch.zeros(3, 100, 400), longest=200), "png").size == (200, 50)


def test_a_contact_sheet_has_a_place_for_every_image() -> None:
    images = torch.full((5, 3, 8, 8), -1.0)
    image = open_uri(contact_sheet_uri(images, columns=2), "jpeg")
    assert image.size == (16, 24)
    corner, empty = image.getpixel((2, 2)), image.getpixel((13, 21))
    assert isinstance(corner, tuple) and isinstance(empty, tuple)
    assert max(corner) < 20 and min(empty) > 230


def test_an_outline_is_seen_on_any_ground():
    regions = torch.zeros(1, 1, 16, 16)
    regions[..., 4:8, 4:8] = 1
    for ground in (-1.0, 1.0, 0.2):
        drawn = outlined(torch.full((1, 3, 16, 16), ground), regions)[0, 0]
        assert (drawn[4:8, 4:8] == ground).all() and drawn[0, 0] == ground
        assert (drawn[3, 3:9] == 1).all() and (drawn[2, 2:10] == -1).all()


def test_an_image_is_fitted_with_a_margin():
    small = fitted(torch.zeros(3, 10, 40), (20, 20))
    assert small.shape == (3, 20, 20)
    assert (small[:, 8:12] == 0).all() and (small[:, :7] == 1).all()
    assert fitted(torch.zeros(1, 5, 5), (20, 20), margin=0.0).shape == (1, 20, 20)


def test_a_thumbnail_is_outlined_after_shrinking():
    region = torch.zeros(1, 100, 200)
    region[:, 40:60, 80:120] = 1
    small = outlined_thumbnail(torch.zeros(3, 100, 200), region, longest=50)
    assert small.shape == (3, 25, 50)
    assert (small[:, 9, 22] == 1).all() and (small[:, 8, 22] == -1).all()
    assert (small[:, 12, 25] == 0).all()
    assert outlined_thumbnail(torch.zeros(3, 10, 20), torch.zeros(1, 10, 20)).shape == (3, 10, 20)
