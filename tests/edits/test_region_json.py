"""`regen.edits.region_json`: regions in JSON, read and written."""

import base64
import io
import json
from typing import Annotated

import numpy as np
import pytest
import torch
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from pydantic import Field, TypeAdapter, ValidationError

from regen.edits.region_json import NamedRegion, RegionField, region_to_json
from regen.edits.validation import EditsFile, validated
from regen.errors import EditsError
from regen.images import mask_to_png
from regen.images.regions import Region

BOX, ELLIPSE = [1, 2, 5, 6.5], [4, 4, 3, 2]
POLYGON = [[1, 1], [6, 1.5], [3, 7]]


@pytest.fixture
def read(tmp_path):
    def reader(value):
        value = json.loads(json.dumps(value))
        return validated(RegionField, value, file="e.json", folder=tmp_path)

    return reader


@pytest.mark.parametrize(
    ("value", "regions"),
    [
        ({"box": BOX}, [Region.box(*BOX)]),
        ({"boxes": [BOX, [0, 0, 1, 1]]}, [Region.box(*BOX), Region.box(0, 0, 1, 1)]),
        ({"ellipse": ELLIPSE}, [Region.ellipse(*ELLIPSE)]),
        ({"ellipses": [ELLIPSE]}, [Region.ellipse(*ELLIPSE)]),
        ({"polygon": POLYGON}, [Region.polygon(POLYGON)]),
        (
            {"polygons": [POLYGON, POLYGON[::-1]]},
            [Region.polygon(p) for p in (POLYGON, POLYGON[::-1])],
        ),
    ],
)
@pytest.mark.parametrize("embed", [False, True])
def test_shapes_are_read_and_written(read, value, regions, embed):
    region = read(value)
    assert region == Region.union(regions)
    assert read(region_to_json(region, embed)) == region


def test_a_named_region_stays_a_name(read):
    assert read({"portraits": "eyes"}) == NamedRegion("eyes")
    assert region_to_json(NamedRegion("eyes"), True) == {"portraits": "eyes"}


def test_a_mask_is_read_from_a_file_and_embedded(read, tmp_path):
    mask = torch.zeros(1, 1, 8, 10)
    mask[..., 2:5, 3:9] = 0.6
    (tmp_path / "m.png").write_bytes(mask_to_png(mask))
    region = read({"mask": "m.png"})
    torch.testing.assert_close(region.mask(8, 10), mask)
    assert region_to_json(region, False) == {"mask": str(tmp_path / "m.png")}
    embedded = region_to_json(region, True)
    assert embedded["mask"].startswith("data:image/png;base64,")
    (tmp_path / "m.png").unlink()
    again = read(embedded)
    torch.testing.assert_close(again.mask(8, 10), mask)
    assert region_to_json(again, True) == embedded


def test_a_mask_without_a_file_and_mixtures_are_written_too(read):
    drawn = Region.from_mask(Region.box(1, 2, 4, 6).mask(8, 10))
    mixed = Region.union([drawn, Region.box(5, 5, 9, 8)])
    for region in (drawn, mixed):
        again = read(region_to_json(region, False))
        torch.testing.assert_close(again.mask(8, 10), region.mask(8, 10))
    outlines = Region.union([Region.box(1, 2, 4, 6), Region.ellipse(6, 4, 2, 2)])
    again = read(region_to_json(outlines, False))
    torch.testing.assert_close(again.mask(8, 10), outlines.mask(8, 10))


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ([1, 2, 3, 4], "got [1, 2, 3, 4], expected an object {...}"),
        ({"bxo": BOX}, "unknown key 'bxo'; did you mean 'box'?"),
        (
            {},
            "got {}, expected exactly one of box, boxes, polygon, polygons, ellipse, ellipses, "
            "mask, portraits",
        ),
        (
            {"box": BOX, "ellipse": ELLIPSE},
            "got box and ellipse, expected exactly one of box, boxes, polygon, polygons, ellipse, "
            "ellipses, mask, portraits",
        ),
        (
            {"box": None},
            'got {"box": null}, expected exactly one of box, boxes, polygon, polygons, ellipse, '
            "ellipses, mask, portraits",
        ),
        ({"box": [1, 2, 3]}, "box: got [1, 2, 3], expected [x0, y0, x1, y1]"),
        ({"box": {}}, "box: got {}, expected [x0, y0, x1, y1]"),
        ({"box": [1, 2, 3, "4"]}, 'box[3]: got "4", expected a number'),
        ({"box": [1, 2, 3, True]}, "box[3]: got true, expected a number"),
        (
            {"box": [5, 2, 3, 4]},
            "box: got [5, 2, 3, 4], expected [x0, y0, x1, y1] with x0 < x1 and y0 < y1",
        ),
        ({"boxes": [BOX, [1, 1, 1, 4]]}, "boxes[1]: box has zero area: got [1, 1, 1, 4]"),
        ({"boxes": []}, "boxes: got [], expected a list, each item as for 'box', of at most 64"),
        ({"polygon": [[1, 1], [2, 2]]}, "polygon: got 2 points, expected at least 3"),
        ({"polygon": []}, "polygon: got [], expected a list of points [x, y]"),
        ({"polygon": [[1, 1], [2, 2, 2], [3, 3]]}, "polygon[1]: got [2, 2, 2], expected [x, y]"),
        ({"ellipse": [1, 1, 0, 4]}, "ellipse: ellipse has zero area: got [1, 1, 0, 4]"),
        ({"mask": ""}, 'mask: got "", expected an image, as path or data URI'),
        (
            {"mask": "data:image/png;base64,AAAA"},
            "mask: the embedded image is not an image in a known format; save it as PNG or JPEG",
        ),
        ({"portraits": 3}, "portraits: got 3, expected the name of a region"),
    ],
)
def test_what_is_not_a_region_is_refused(read, value, problem):
    with pytest.raises(EditsError) as caught:
        read(value)
    assert str(caught.value) == f"e.json: {problem}"


def test_two_kinds_at_once_are_refused(read):
    with pytest.raises(EditsError, match="expected exactly one of box, boxes"):
        read({"box": BOX, "ellipse": ELLIPSE})


def test_missing_and_empty_masks_are_reported(read, tmp_path):
    with pytest.raises(
        EditsError, match="mask: .*no.png does not exist; paths are relative to the"
    ):
        read({"mask": "no.png"})
    (tmp_path / "black.png").write_bytes(mask_to_png(torch.zeros(1, 1, 4, 5)))
    with pytest.raises(EditsError, match="mask: mask has zero area: got 5 x 4 pixels"):
        read({"mask": "black.png"})


@pytest.mark.parametrize(("inside", "said"), [(0, True), (3, True), (12, False)])
def test_a_mask_over_nearly_all_of_its_image_is_remarked(tmp_path, inside, said):
    mask = torch.ones(1, 1, 32, 32)
    mask[..., :inside, :] = 0
    (tmp_path / "m.png").write_bytes(mask_to_png(mask))
    file = EditsFile(tmp_path)
    region = TypeAdapter(RegionField).validate_python({"mask": "m.png"}, context=file)
    torch.testing.assert_close(region.mask(32, 32), mask)
    share = f"{1 - inside / 32:.0%}"
    message = f"{tmp_path / 'm.png'} covers {share} of its image; if it is inverted, make what"
    assert [text.startswith(message) for _, text in file.remarks] == [True] * said
    assert all(one is region for one, _ in file.remarks)


def test_masks_of_a_file_share_their_pixels(tmp_path):
    (tmp_path / "m.png").write_bytes(mask_to_png(torch.eye(10)[None, None]))
    kind = Annotated[list[RegionField], Field(min_length=1)]
    file = EditsFile(tmp_path, mask_pixels_left=150)
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(kind).validate_python([{"mask": "m.png"}] * 2, context=file)
    assert "at most 5e-05 million pixels beside the images before it" in str(
        caught.value.errors()[0]["ctx"]["error"]
    )


def test_the_metadata_of_an_embedded_mask_goes(read):
    file = io.BytesIO()
    text = PngInfo()
    text.add_text("Author", "SECRET")
    Image.fromarray(np.eye(8, dtype=np.uint8) * 255).save(file, "PNG", pnginfo=text)
    uri = "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
    region = read({"mask": uri})
    embedded = region_to_json(region, True)["mask"]
    assert b"SECRET" not in base64.b64decode(embedded.split(",")[1])
    torch.testing.assert_close(read({"mask": embedded}).mask(8, 8), region.mask(8, 8))


@pytest.mark.parametrize("start", ["iVBORw0KGgoAAAA", "/9j/4AAQSk", "UklGRh4A", "R0lGODlh"])
def test_base64_without_its_prefix_is_recognised(read, start):
    for text in (start, start + "A" * 5000):
        with pytest.raises(EditsError, match='starts with "data:image/png;base64,"'):
            read({"mask": text})
