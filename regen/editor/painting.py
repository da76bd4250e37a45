"""An exemplar and targets, with what was painted on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from regen.editor.messages import MessageError, integer
from regen.editor.strokes import (
    Stroke,
    Strokes,
    mask_to_uri,
    painted,
    rasterized,
    scaled,
    stroke_of,
)
from regen.files.limits import MAX_SIDE, MAX_WHOLE_PIXELS

Json = dict[str, Any]
_HOLE = "hole "  # before the key of a target: its hole
MOST_TARGETS = 3
# Of a stroke in a session's file, which may be from an edits file or a transparent image.
_MOST_KEPT, _MOST_KEPT_BYTES = 500_000, 64 << 20


@dataclass(frozen=True)
class Picture:
    """An exemplar's image.

    Attributes:
        source: As an edits file has it: a data URI, or the name of a bundled photograph.
        name: To display.
        height, width: In pixels.
        alpha: Data URI of its transparency as a mask, or "" where it has none.
    """

    source: str
    name: str
    height: int
    width: int
    alpha: str = ""

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return self.height, self.width


@dataclass(frozen=True)
class Target:
    """A sample that receives the pattern.

    Attributes:
        key: Its name inside the session.
        sample: What describes it in an edits file: ``{"seed": 3}`` for instance.
        label: To display.
        strokes: What was painted on it.
        hole: What was painted as its hole, in pixels of the generator's images.
        own_size: Height and width of the image that the generator changes, where it is a file:
            holes are in pixels of it.
    """

    key: str
    sample: Mapping[str, Any]
    label: str
    strokes: Strokes = ()
    hole: Strokes = ()
    own_size: tuple[int, int] | None = None

    @property
    def lacks_hole(self) -> bool:
        """Whether it is an image of one's own of which nothing is hidden."""
        return self.own_size is not None and "hole" not in self.sample and not self.hole

    def described(self, size: tuple[int, int]) -> Json:
        """What describes its sample in an edits file, with the hole that was painted.

        Args:
            size: Height and width of the generator's images.
        """
        own = self.own_size or size
        hole = painted(scaled(self.hole, own[1] / size[1], own[0] / size[0], own), own)
        return dict(self.sample) if hole is None else {**self.sample, "hole": hole.region}


@dataclass(frozen=True)
class Painting:
    """What a rule is learned from.

    Attributes:
        key: Its name inside the session; learning it again replaces its rule.
        picture: The exemplar, or None as long as there is none.
        strokes: What was painted on the exemplar.
        targets: Up to `MOST_TARGETS`.
        options: Keys of the edits file beside its edits: ``scale``, ``feather`` and so on.
    """

    key: str
    picture: Picture | None = None
    strokes: Strokes = ()
    targets: tuple[Target, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)

    def target(self, key: object) -> Target:
        """The target of a key. Raises MessageError if there is none."""
        for target in self.targets:
            if target.key == key:
                return target
        known = ", ".join(target.key for target in self.targets) or "no target yet"
        raise MessageError("target", got=str(key)[:40], expected=known)

    def with_target(self, changed: Target) -> Painting:
        """With a target in place of the one of its key."""
        others = [changed if target.key == changed.key else target for target in self.targets]
        return replace(self, targets=tuple(others))

    def with_strokes(self, on: str, strokes: Strokes) -> Painting:
        """With other strokes on the exemplar, on a target, or as a target's hole."""
        if on == "exemplar":
            return replace(self, strokes=strokes)
        if on.startswith(_HOLE):
            return self.with_target(replace(self.target(on.removeprefix(_HOLE)), hole=strokes))
        return self.with_target(replace(self.target(on), strokes=strokes))

    def strokes_on(self, on: str) -> Strokes:
        """What was painted on the exemplar, on a target, or as a target's hole."""
        if on.startswith(_HOLE):
            return self.target(on.removeprefix(_HOLE)).hole
        return self.strokes if on == "exemplar" else self.target(on).strokes

    def clipped(self, masks: Mapping[str, np.ndarray[Any, Any]], size: tuple[int, int]) -> Painting:
        """With nothing painted where images cannot change.

        Args:
            masks: By target, where its image can change, ``[H, W]`` of 0 and 1.
            size: Height and width of the generator's images.
        """
        painting = self
        for target in self.targets:
            drawn = rasterized(target.strokes, size)
            inside = drawn * masks.get(target.key, np.uint8(1))
            if (drawn != inside).any():
                kept = (Stroke("mask", mask=mask_to_uri(inside)),) if inside.any() else ()
                painting = painting.with_target(replace(target, strokes=kept))
        return painting

    def to_json(self) -> Json:
        """As the session's file has it; `painting_of` reads it back."""
        return {
            "key": self.key,
            "picture": None if self.picture is None else vars(self.picture),
            "strokes": [stroke.to_json() for stroke in self.strokes],
            "targets": [
                {
                    "key": target.key,
                    "sample": dict(target.sample),
                    "label": target.label,
                    "strokes": [stroke.to_json() for stroke in target.strokes],
                    "hole": [stroke.to_json() for stroke in target.hole],
                    "own_size": None if target.own_size is None else list(target.own_size),
                }
                for target in self.targets
            ],
            "options": dict(self.options),
        }


def painting_of(content: Mapping[str, Any]) -> Painting:
    """What `Painting.to_json` wrote.

    Raises:
        MessageError: If a stroke is none, or an image is larger than any that is opened.
    """
    picture = content["picture"]
    if picture is not None:
        _size(picture["height"], picture["width"])
    targets = [
        Target(
            one["key"],
            one["sample"],
            one["label"],
            _strokes(one["strokes"]),
            _strokes(one.get("hole", [])),
            _size(*one["own_size"]) if one.get("own_size") else None,
        )
        for one in content["targets"]
    ]
    return Painting(
        content["key"],
        None if picture is None else Picture(**picture),
        _strokes(content["strokes"]),
        tuple(targets),
        content["options"],
    )


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
