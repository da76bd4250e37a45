"""Paintings read back from a session's file, whoever wrote it: sizes and strokes are checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from regen.editor.messages import MessageError, integer, text
from regen.editor.painting import Exemplar, Json, Painting, Picture, Target
from regen.editor.strokes import Strokes, stroke_of
from regen.files.limits import MAX_SIDE, MAX_WHOLE_PIXELS

# Of a stroke, which may be from an edits file or a transparent image.
_MOST_KEPT, _MOST_KEPT_BYTES = 500_000, 64 << 20


def painting_of(content: Mapping[str, Any]) -> Painting:
    """What `Painting.to_json` wrote.

    Raises:
        MessageError: If a stroke is none, an image is larger than any that is opened, or the
            options are none.
    """
    picture, options = content["picture"], content["options"]
    if not isinstance(options, dict) or not isinstance(options.get("samples", {}), dict):
        raise MessageError("options", got=str(options)[:40], expected="an object")
    return Painting(
        content["key"],
        None if picture is None else _picture_of(picture),
        _strokes(content["strokes"]),
        tuple(_target_of(one) for one in content["targets"]),
        options,
    )


def _target_of(content: Mapping[str, Any]) -> Target:
    own = content.get("exemplar")
    return Target(
        content["key"],
        content["sample"],
        content["label"],
        _strokes(content["strokes"]),
        _strokes(content.get("hole", [])),
        _size(*content["own_size"]) if content.get("own_size") else None,
        None if own is None else Exemplar(_picture_of(own["picture"]), _strokes(own["strokes"])),
        text(content, "region_name") if content.get("region_name") else "",
    )


def _picture_of(content: Mapping[str, Any]) -> Picture:
    _size(content["height"], content["width"])
    return Picture(**content)


def _size(height: object, width: object) -> tuple[int, int]:
    """Height and width of an image; what is painted on it takes as much memory."""
    sides = {"height": height, "width": width}
    high, wide = (integer(sides, side, 1, MAX_SIDE) for side in sides)
    if high * wide > MAX_WHOLE_PIXELS:
        raise MessageError("size", got=f"{wide} x {high}", expected="one that can be opened")
    return high, wide


def _strokes(content: list[Json]) -> Strokes:
    most = {"most_points": _MOST_KEPT, "most_mask_bytes": _MOST_KEPT_BYTES}
    return tuple(stroke_of(one, **most) for one in content)
