"""Regions in JSON: box, polygon, ellipse, each also in the plural, mask, or a name.

{"box": [x0, y0, x1, y1]}       {"boxes": [[x0, y0, x1, y1], ...]}
{"polygon": [[x, y], ...]}      {"polygons": [[[x, y], ...], ...]}
{"ellipse": [cx, cy, rx, ry]}   {"ellipses": [[cx, cy, rx, ry], ...]}
{"mask": "eyes.png"}            {"portraits": "eyes"}
"""

from __future__ import annotations

import base64
import warnings
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from regen.edits.checked_json import shown
from regen.edits.paths import existing_file
from regen.edits.validation import (
    NOT_EMPTY,
    EditsFile,
    Expected,
    Number,
    ObjectModel,
    ReadAs,
)
from regen.errors import EditsError
from regen.files.limits import MAX_SHAPES, MAX_WHOLE_PIXELS
from regen.images import ImageWarning, data_uri, load_mask, mask_to_png, name_of
from regen.images.regions import Region
from regen.images.shapes import Box, Ellipse, Mask, Polygon

_INVERTED_ABOVE = 0.9  # of an image: a mask that covers more was probably meant the other way
PORTRAITS = "portraits"  # the key of a region that has a name


@dataclass(frozen=True)
class NamedRegion:
    """A region that a generator knows by name, "eyes" for instance."""

    name: str


def _mask(given: str, file: EditsFile) -> Region:
    source = given if given.startswith("data:") else existing_file(given, file)
    most = min(file.mask_pixels_left, MAX_WHOLE_PIXELS)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always", ImageWarning)
        mask = load_mask(source, most_pixels=most)
    file.mask_pixels_left -= mask.numel()
    region, share = Region((Mask(mask, source),)), float(mask.mean())
    remarks = [str(one.message) for one in seen]
    if share > _INVERTED_ABOVE:
        covers = f"{name_of(source)} covers {share:.0%} of its image"
        remarks.append(f"{covers}; if it is inverted, make what changes white")
    file.remarks += [(region, remark) for remark in remarks]
    return region


_FOUR = Field(min_length=4, max_length=4)
_BoxJson = Annotated[list[Number], _FOUR, Expected("[x0, y0, x1, y1]")]
_EllipseJson = Annotated[list[Number], _FOUR, Expected("[cx, cy, rx, ry]")]
_PointJson = Annotated[list[Number], Field(min_length=2, max_length=2), Expected("[x, y]")]
_THREE = Field(min_length=1, json_schema_extra={"minItems": 3})  # `Polygon` refuses two
_PolygonJson = Annotated[list[_PointJson], _THREE, Expected("a list of points [x, y]")]
_MaskJson = Annotated[str, NOT_EMPTY, Expected("an image, as path or data URI")]
_NameJson = Annotated[str, NOT_EMPTY, Expected("the name of a region")]

_BoxField = Annotated[Region, ReadAs(_BoxJson, lambda numbers, _: Region.box(*numbers))]
_EllipseField = Annotated[Region, ReadAs(_EllipseJson, lambda numbers, _: Region.ellipse(*numbers))]
_PolygonField = Annotated[Region, ReadAs(_PolygonJson, lambda points, _: Region.polygon(points))]
_MaskField = Annotated[Region, ReadAs(_MaskJson, _mask)]
_NameField = Annotated[NamedRegion, ReadAs(_NameJson, lambda name, _: NamedRegion(name))]


_SOME = Field(min_length=1, max_length=MAX_SHAPES)


def _several(single: str) -> Expected:
    return Expected(f"a list, each item as for {single!r}, of at most {MAX_SHAPES}")


class RegionJson(ObjectModel):
    """A part of an image, by exactly one of these keys.

    Numbers are pixels of the image at its own size, x to the right and y down from the top left
    corner, so the whole image is [0, 0, width, height]; fractions are allowed.
    """

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    box: _BoxField | None = Field(
        default=None,
        description="[x0, y0, x1, y1]: the top left corner and the bottom right corner, "
        "x0 < x1 and y0 < y1.",
    )
    boxes: Annotated[list[_BoxField], _SOME, _several("box")] | None = Field(
        default=None,
        description="Several boxes. Shapes are matched one by one where exemplar and target have "
        "equally many: two eyes are two shapes.",
    )
    polygon: _PolygonField | None = Field(
        default=None,
        description="[[x, y], ...]: three corners or more, in order around the outline.",
    )
    polygons: Annotated[list[_PolygonField], _SOME, _several("polygon")] | None = Field(
        default=None, description="Several polygons, matched one by one as boxes are."
    )
    ellipse: _EllipseField | None = Field(
        default=None,
        description="[cx, cy, rx, ry]: the centre, then the half axes: half the width and half "
        "the height, both above 0.",
    )
    ellipses: Annotated[list[_EllipseField], _SOME, _several("ellipse")] | None = Field(
        default=None, description="Several ellipses, matched one by one as boxes are."
    )
    mask: _MaskField | None = Field(
        default=None,
        description="An image of the size of the image it belongs to, as path or data URI: white "
        "inside; where it has an alpha channel, that is the mask.",
    )
    portraits: _NameField | None = Field(
        default=None,
        description='Name of a region that the renderer of the portraits knows: "eyes", "nose", '
        '"mouth" for instance. Only for images of the renderer and samples of its generators.',
    )


def region_of(written: RegionJson) -> Region | NamedRegion:
    """The region of those keys that a `RegionJson` has.

    Raises:
        EditsError: If not exactly one is given.
    """
    keys = [key for key in RegionJson.model_fields if key in written.model_fields_set]
    given = {key: value for key in keys if (value := getattr(written, key)) is not None}
    if len(given) != 1:
        got = " and ".join(given) or shown(dict.fromkeys(keys))
        raise EditsError(
            "", got=got, expected=f"exactly one of {', '.join(RegionJson.model_fields)}"
        )
    (value,) = given.values()
    return Region.union(value) if isinstance(value, list) else value


RegionField = Annotated[
    Region | NamedRegion, ReadAs(RegionJson, lambda written, _: region_of(written))
]


def region_to_json(region: Region | NamedRegion, embed: bool) -> dict[str, Any]:
    """What `RegionField` reads back; masks become data URIs with `embed`, or without a file."""
    if isinstance(region, NamedRegion):
        return {PORTRAITS: region.name}
    masks = [shape for shape in region.shapes if isinstance(shape, Mask)]
    if masks:
        source = masks[0].source
        if len(region.shapes) > 1 or source is None or (embed and not source.startswith("data:")):
            mask = region.mask(*masks[0].mask.shape[2:])
            source = "data:image/png;base64," + base64.b64encode(mask_to_png(mask)).decode()
        elif embed:
            source = data_uri(source)  # the same pixels without metadata
        return {"mask": source}
    boxes = [[s.x0, s.y0, s.x1, s.y1] for s in region.shapes if isinstance(s, Box)]
    ellipses = [[s.cx, s.cy, s.rx, s.ry] for s in region.shapes if isinstance(s, Ellipse)]
    for key, shapes in (("boxes", boxes), ("ellipses", ellipses)):
        if len(shapes) == len(region.shapes):
            return {key: shapes}
    outlines = [shape for shape in region.shapes if isinstance(shape, (Box, Ellipse, Polygon))]
    return {"polygons": [[list(point) for point in shape.corners] for shape in outlines]}
