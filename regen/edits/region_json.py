"""Regions in JSON: box, polygon, ellipse, each also in the plural, mask, or a name.

{"box": [x0, y0, x1, y1]}       {"boxes": [[x0, y0, x1, y1], ...]}
{"polygon": [[x, y], ...]}      {"polygons": [[[x, y], ...], ...]}
{"ellipse": [cx, cy, rx, ry]}   {"ellipses": [[cx, cy, rx, ry], ...]}
{"mask": "eyes.png"}            {"portraits": "eyes"}
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from regen.edits.checked_json import Node
from regen.errors import ImageError, RegionError
from regen.images import load_mask, mask_to_png
from regen.images.regions import Region
from regen.images.shapes import Box, Ellipse, Mask, Polygon

PORTRAITS = "portraits"
_KINDS = ("box", "boxes", "polygon", "polygons", "ellipse", "ellipses", "mask", PORTRAITS)
_PLURALS = {"boxes": "box", "polygons": "polygon", "ellipses": "ellipse"}
_POINTS = "a list of points [x, y]"


@dataclass(frozen=True)
class NamedRegion:
    """A region that the portraits' renderer knows by name, "eyes" for instance."""

    name: str


def read_region(node: Node, folder: Path) -> Region | NamedRegion:
    """Read the region of an exemplar or target. Raises EditsError."""
    members = node.members((), _KINDS)
    if len(members) != 1:
        node.fail(expected=f"exactly one of {', '.join(_KINDS)}")
    ((kind, value),) = members.items()
    if kind == PORTRAITS:
        return NamedRegion(value.text("the name of a region"))
    if kind == "mask" or kind in _SHAPES:
        return _single(kind, value, folder)
    single = _PLURALS[kind]
    items = value.items(f"a list, each item as for {single!r}")
    return Region.union(_single(single, item, folder) for item in items)


def _single(kind: str, node: Node, folder: Path) -> Region:
    try:
        return _mask(node, folder) if kind == "mask" else _SHAPES[kind](node)
    except (RegionError, ImageError) as error:
        node.relay(error)


def _mask(node: Node, folder: Path) -> Region:
    given = node.text("an image, as path or data URI")
    source = given if given.startswith("data:") else node.existing_file(folder)
    return Region((Mask(load_mask(source), source),))


def _numbers(node: Node, names: str) -> list[float]:
    items = node.items(f"[{names}]")
    if len(items) != names.count(",") + 1:
        node.fail(expected=f"[{names}]")
    return [item.number() for item in items]


_SHAPES: dict[str, Callable[[Node], Region]] = {
    "box": lambda node: Region.box(*_numbers(node, "x0, y0, x1, y1")),
    "ellipse": lambda node: Region.ellipse(*_numbers(node, "cx, cy, rx, ry")),
    "polygon": lambda node: Region.polygon(
        _numbers(point, "x, y") for point in node.items(_POINTS)
    ),
}


def region_to_json(region: Region | NamedRegion, embed: bool) -> dict[str, Any]:
    """What `read_region` reads back; masks become data URIs with `embed`, or without a file."""
    if isinstance(region, NamedRegion):
        return {PORTRAITS: region.name}
    drawn = [shape for shape in region.shapes if isinstance(shape, Mask)]
    if drawn:
        source = drawn[0].source
        if len(region.shapes) > 1 or source is None or (embed and not source.startswith("data:")):
            mask = region.mask(*drawn[0].mask.shape[2:])
            source = "data:image/png;base64," + base64.b64encode(mask_to_png(mask)).decode()
        return {"mask": source}
    boxes = [[s.x0, s.y0, s.x1, s.y1] for s in region.shapes if isinstance(s, Box)]
    ellipses = [[s.cx, s.cy, s.rx, s.ry] for s in region.shapes if isinstance(s, Ellipse)]
    for key, shapes in (("boxes", boxes), ("ellipses", ellipses)):
        if len(shapes) == len(region.shapes):
            return {key: shapes}
    outlines = [shape for shape in region.shapes if isinstance(shape, (Box, Ellipse, Polygon))]
    return {"polygons": [[list(point) for point in shape.corners] for shape in outlines]}
