"""The region that strokes make together.

Ellipses and lassos that only add, and lie apart inside their image, stay shapes: the edits file
then holds their numbers. Everything else becomes a mask.

Shapes: H, W height and width of the image.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from regen.editor.strokes import Box, Stroke, Strokes, box_corners, mask_to_uri, opened_mask

_SMOOTH_BELOW = 600  # pixels a side, up to which edges are drawn four times as fine, then twice


@dataclass(frozen=True)
class Painted:
    """The region that strokes make.

    Attributes:
        region: As an edits file has it: ``ellipses``, ``boxes``, ``polygons`` or ``mask``.
        parts: How many separate parts it has.
    """

    region: dict[str, Any]
    parts: int


@lru_cache(maxsize=256)
def painted(strokes: Strokes, size: tuple[int, int]) -> Painted | None:
    """The region of strokes on an image of height and width `size`; None where nothing is left.

    Raises:
        MessageError: If a mask among them is not a PNG of that size.
    """
    shapes = _as_shapes(strokes, size)
    if shapes is not None:
        return Painted(shapes, len(strokes))
    mask = rasterized(strokes, size)
    count = _parts(mask)
    return Painted({"mask": mask_to_uri(mask)}, count) if count else None


def _as_shapes(strokes: Strokes, size: tuple[int, int]) -> dict[str, Any] | None:
    """Shapes of one kind that lie inside their image and apart from each other, or None."""
    tools = {stroke.tool for stroke in strokes}
    if tools not in ({"ellipse"}, {"lasso"}) or any(s.mode == "erase" for s in strokes):
        return None
    boxes = [_box(stroke) for stroke in strokes]
    inside = all(min(b[:2]) >= 0 and b[2] <= size[1] and b[3] <= size[0] for b in boxes)
    flat = any(b[2] - b[0] < 1 or b[3] - b[1] < 1 for b in boxes)
    if flat or not inside or any(_meet(a, b) for i, a in enumerate(boxes) for b in boxes[:i]):
        return None
    if tools == {"ellipse"}:
        return {"ellipses": [list(s.ellipse) for s in strokes if s.ellipse is not None]}
    if all(stroke.points == box_corners(box) for stroke, box in zip(strokes, boxes, strict=True)):
        return {"boxes": [list(box) for box in boxes]}
    return {"polygons": [[list(point) for point in stroke.points] for stroke in strokes]}


def _box(stroke: Stroke) -> Box:
    if stroke.ellipse is not None:
        cx, cy, rx, ry = stroke.ellipse
        return cx - rx, cy - ry, cx + rx, cy + ry
    xs, ys = zip(*stroke.points, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def _meet(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def rasterized(strokes: Strokes, size: tuple[int, int]) -> np.ndarray[Any, Any]:
    """What strokes cover, ``[H, W]`` uint8 from 0 to 255; edges are smooth."""
    height, width = size
    fine = 4 if max(size) <= _SMOOTH_BELOW else 2
    canvas = Image.new("L", (width * fine, height * fine), 0)
    for stroke in strokes:
        _draw(canvas, stroke, fine, size)
    return np.asarray(canvas.resize((width, height), Image.Resampling.BOX))


def _draw(canvas: Image.Image, stroke: Stroke, fine: int, size: tuple[int, int]) -> None:
    """Draw a stroke on a mask that is `fine` times as large as its image."""
    pen, ink = ImageDraw.Draw(canvas), 255 if stroke.mode == "add" else 0
    path = [(x * fine - 0.5, y * fine - 0.5) for x, y in stroke.points]
    if stroke.tool == "mask":
        shown = opened_mask(stroke.mask, size).resize(canvas.size, Image.Resampling.NEAREST)
        canvas.paste(ink, mask=shown)
    elif stroke.tool == "lasso":
        pen.polygon(path, fill=ink)
    elif stroke.ellipse is not None:
        cx, cy, rx, ry = (part * fine for part in stroke.ellipse)
        pen.ellipse((cx - rx - 0.5, cy - ry - 0.5, cx + rx - 0.5, cy + ry - 0.5), fill=ink)
    else:
        radius = stroke.radius * fine
        if len(path) > 1:
            pen.line(path, fill=ink, width=max(1, round(2 * radius)))
        for x, y in path:
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=ink)


def _parts(mask: np.ndarray[Any, Any]) -> int:
    """How many separate parts a mask has, specks left out as regen's regions leave them out."""
    from scipy.ndimage import label

    top = int(mask.max())
    if top < 26:  # a tenth: nothing that a person would call painted
        return 0
    labels, count = label(mask > 0.5 * top, np.ones((3, 3)))
    areas = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    return int((areas >= 0.05 * areas.max()).sum())
