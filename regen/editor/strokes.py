"""What was painted, stroke by stroke.

Strokes are values in pixels of their image, so undo costs nothing and every page shows the same.
`regen.editor.painted` makes regions of them.

Shapes: H, W height and width of the image.
"""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from PIL import Image

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
Box = tuple[float, float, float, float]

_TOOLS: tuple[Tool, ...] = ("brush", "ellipse", "lasso", "mask")
_MODES: tuple[Mode, ...] = ("add", "erase")
_PNG = "data:image/png;base64,"
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


def box_corners(box: Box) -> Points:
    """The corners of a box ``(x0, y0, x1, y1)``: the lasso that is a box again in an edits file."""
    x0, y0, x1, y1 = box
    return (x0, y0), (x1, y0), (x1, y1), (x0, y1)


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
        resized = opened_mask(mask).resize(size[::-1], Image.Resampling.BILINEAR)
        mask = mask_to_uri(np.asarray(resized))
    radius = stroke.radius * (sx * sy) ** 0.5
    return replace(stroke, points=points, ellipse=ellipse, mask=mask, radius=radius)


def opened_mask(uri: str, size: tuple[int, int] | None = None) -> Image.Image:
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
