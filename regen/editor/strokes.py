"""What was painted, stroke by stroke, and the region that strokes make together.

Strokes are values in pixels of their image, so undo costs nothing and every page shows the same.
Ellipses and lassos that only add, and lie apart inside their image, stay shapes: the edits file
then holds their numbers. Everything else becomes a mask.

Shapes: H, W height and width of the image.
"""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from PIL import Image, ImageDraw

from regen.editor.messages import (
    MOST_MASK_BYTES,
    MOST_POINTS,
    Message,
    MessageError,
    checked_number,
    choice,
    mask_uri,
    number,
    points,
)

Tool = Literal["brush", "ellipse", "lasso", "mask"]
Mode = Literal["add", "erase"]
Points = tuple[tuple[float, float], ...]

_TOOLS: tuple[Tool, ...] = ("brush", "ellipse", "lasso", "mask")
_MODES: tuple[Mode, ...] = ("add", "erase")
_PNG = "data:image/png;base64,"
_SMOOTH_BELOW = 600  # pixels a side, up to which edges are drawn four times as fine, then twice
_LARGEST_RADIUS = 2000.0
MOST_STROKES = 500  # of one region


@dataclass(frozen=True)
class Stroke:
    """One gesture.

    Attributes:
        tool: What it was made with.
        mode: Whether it adds to the region or takes from it.
        points: Of a brush or lasso.
        radius: Of a brush, in pixels.
        ellipse: Centre and half axes of an ellipse.
        mask: Data URI of a PNG of the image's size, of a mask.
    """

    tool: Tool
    mode: Mode = "add"
    points: Points = ()
    radius: float = 0.0
    ellipse: tuple[float, float, float, float] | None = None
    mask: str = ""

    def to_json(self) -> dict[str, Any]:
        """As the page and the session's file have it; `stroke_of` reads it back."""
        written: dict[str, Any] = {"tool": self.tool, "mode": self.mode}
        if self.tool in ("brush", "lasso"):
            written["points"] = [list(point) for point in self.points]
        if self.tool == "brush":
            written["radius"] = self.radius
        if self.ellipse is not None:
            written["ellipse"] = list(self.ellipse)
        if self.mask:
            written["mask"] = self.mask
        return written


Strokes = tuple[Stroke, ...]


def stroke_of(
    message: Message, *, most_points: int = MOST_POINTS, most_mask_bytes: int = MOST_MASK_BYTES
) -> Stroke:
    """A stroke that a page sent, or that a session's file holds.

    Args:
        message: What `Stroke.to_json` gives.
        most_points: How many points it may have.
        most_mask_bytes: How long its mask may be.

    Raises:
        MessageError: If it is none.
    """
    tool, mode = choice(message, "tool", _TOOLS), choice(message, "mode", _MODES)
    if tool == "brush":
        radius = number(message, "radius", 0.25, _LARGEST_RADIUS)
        return Stroke(tool, mode, points(message, "points", 1, most_points), radius)
    if tool == "lasso":
        return Stroke(tool, mode, points(message, "points", 3, most_points))
    if tool == "mask":
        return Stroke(tool, mode, mask=mask_uri(message, "mask", most_mask_bytes))
    given = message.get("ellipse")
    if not isinstance(given, list) or len(given) != 4:
        raise MessageError("ellipse", expected="[cx, cy, rx, ry]")
    cx, cy = (checked_number(part, "ellipse", -1e5, 1e5) for part in given[:2])
    rx, ry = (checked_number(part, "ellipse", 0.25, 1e5) for part in given[2:])
    return Stroke(tool, mode, ellipse=(cx, cy, rx, ry))


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


Box = tuple[float, float, float, float]


def _box(stroke: Stroke) -> Box:
    if stroke.ellipse is not None:
        cx, cy, rx, ry = stroke.ellipse
        return cx - rx, cy - ry, cx + rx, cy + ry
    xs, ys = zip(*stroke.points, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def box_corners(box: Box) -> Points:
    """The corners of a box ``(x0, y0, x1, y1)``: the lasso that is a box again in an edits file."""
    x0, y0, x1, y1 = box
    return (x0, y0), (x1, y0), (x1, y1), (x0, y1)


def _meet(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def scaled(strokes: Strokes, sx: float, sy: float, size: tuple[int, int]) -> Strokes:
    """Strokes on the same image made `sx` times as wide and `sy` times as high.

    Args:
        strokes: Of the image as it was.
        sx, sy: How it was resized.
        size: Its height and width now.
    """
    if (sx, sy) == (1, 1):
        return strokes
    return tuple(_scaled(stroke, sx, sy, size) for stroke in strokes)


def _scaled(stroke: Stroke, sx: float, sy: float, size: tuple[int, int]) -> Stroke:
    points = tuple((x * sx, y * sy) for x, y in stroke.points)
    ellipse, mask = stroke.ellipse, stroke.mask
    if ellipse is not None:
        ellipse = (ellipse[0] * sx, ellipse[1] * sy, ellipse[2] * sx, ellipse[3] * sy)
    if mask:
        resized = _opened_mask(mask).resize(size[::-1], Image.Resampling.BILINEAR)
        mask = mask_to_uri(np.asarray(resized))
    radius = stroke.radius * (sx * sy) ** 0.5
    return replace(stroke, points=points, ellipse=ellipse, mask=mask, radius=radius)


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
        shown = _opened_mask(stroke.mask, size).resize(canvas.size, Image.Resampling.NEAREST)
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


def _opened_mask(uri: str, size: tuple[int, int] | None = None) -> Image.Image:
    """A mask that a stroke holds. Raises MessageError if it is none, or not of the given size."""
    try:
        file = io.BytesIO(base64.b64decode(uri.removeprefix(_PNG), validate=True))
        with Image.open(file, formats=("PNG",)) as image:
            if size is not None and image.size != (size[1], size[0]):
                got = f"{image.width} x {image.height} pixels"
                expected = f"{size[1]} x {size[0]}, as its image"
                raise MessageError("mask", got=got, expected=expected)
            grey: Image.Image = image.convert("L")
            return grey
    except (OSError, ValueError, SyntaxError) as error:
        raise MessageError("mask", got="something else", expected="a PNG") from error


def mask_to_uri(mask: np.ndarray[Any, Any]) -> str:
    """A mask ``[H, W]`` uint8 as the data URI of a grey PNG; equal masks give equal texts."""
    file = io.BytesIO()
    Image.fromarray(mask).save(file, "PNG")
    return _PNG + base64.b64encode(file.getvalue()).decode()


def _parts(mask: np.ndarray[Any, Any]) -> int:
    """How many separate parts a mask has, specks left out as regen's regions leave them out."""
    from scipy.ndimage import label

    top = int(mask.max())
    if top < 26:  # a tenth: nothing that a person would call painted
        return 0
    labels, count = label(mask > 0.5 * top, np.ones((3, 3)))
    areas = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    return int((areas >= 0.05 * areas.max()).sum())
