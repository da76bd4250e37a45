"""An exemplar and targets, with what was painted on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from regen.editor.messages import MessageError
from regen.editor.painted import Painted, painted, rasterized
from regen.editor.strokes import Stroke, Strokes, mask_to_uri, scaled

Json = dict[str, Any]
_HOLE = "hole "  # before the key of a target: its hole
_EXEMPLAR = "exemplar"  # before the key of a target: its own; alone, that of all others
MOST_TARGETS = 3


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
class Exemplar:
    """An image that holds the pattern, and where in it.

    Attributes:
        picture: The image.
        strokes: What was painted on it.
    """

    picture: Picture
    strokes: Strokes = ()

    @property
    def region(self) -> Painted | None:
        """What the strokes make; None where nothing is left."""
        return painted(self.strokes, self.picture.size)

    def to_json(self) -> Json:
        """As the session's file has it."""
        strokes = [stroke.to_json() for stroke in self.strokes]
        return {"picture": vars(self.picture), "strokes": strokes}


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
        exemplar: Its own, where an edits file gives it another than the painting's.
        region_name: What an edits file calls the region that the strokes make, "nose" for instance,
            until something is painted; a result is then measured where unseen samples have theirs.
    """

    key: str
    sample: Mapping[str, Any]
    label: str
    strokes: Strokes = ()
    hole: Strokes = ()
    own_size: tuple[int, int] | None = None
    exemplar: Exemplar | None = None
    region_name: str = ""

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

    def with_strokes(self, strokes: Strokes) -> Target:
        """With something else painted on it, which has no name."""
        return replace(self, strokes=strokes, region_name="")

    def to_json(self) -> Json:
        """As the session's file has it."""
        return {
            "key": self.key,
            "sample": dict(self.sample),
            "label": self.label,
            "strokes": [stroke.to_json() for stroke in self.strokes],
            "hole": [stroke.to_json() for stroke in self.hole],
            "own_size": None if self.own_size is None else list(self.own_size),
            "exemplar": None if self.exemplar is None else self.exemplar.to_json(),
            "region_name": self.region_name,
        }


@dataclass(frozen=True)
class Painting:
    """What a rule is learned from.

    Attributes:
        key: Its name inside the session; learning it again replaces its rule.
        picture: The exemplar of all targets but those with one of their own, or None as long as
            there is none.
        strokes: What was painted on it.
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

    def exemplar_of(self, target: Target) -> Exemplar | None:
        """The exemplar whose pattern a target gets."""
        if target.exemplar is not None or self.picture is None:
            return target.exemplar
        return Exemplar(self.picture, self.strokes)

    def with_target(self, changed: Target) -> Painting:
        """With a target in place of the one of its key."""
        others = [changed if target.key == changed.key else target for target in self.targets]
        return replace(self, targets=tuple(others))

    def with_strokes(self, on: str, strokes: Strokes) -> Painting:
        """With other strokes.

        Args:
            on: "exemplar"; the key of a target; "hole " or "exemplar " and the key of a target.
            strokes: What is painted there.

        Raises:
            MessageError: If there is nothing of this name to paint on.
        """
        if on == _EXEMPLAR:
            return replace(self, strokes=strokes)
        if on.startswith(_HOLE):
            return self.with_target(replace(self.target(on.removeprefix(_HOLE)), hole=strokes))
        if on.startswith(f"{_EXEMPLAR} "):
            target, own = self._own_exemplar(on)
            return self.with_target(replace(target, exemplar=replace(own, strokes=strokes)))
        return self.with_target(self.target(on).with_strokes(strokes))

    def strokes_on(self, on: str) -> Strokes:
        """What was painted; arguments and errors are those of `with_strokes`."""
        if on == _EXEMPLAR:
            return self.strokes
        if on.startswith(_HOLE):
            return self.target(on.removeprefix(_HOLE)).hole
        if on.startswith(f"{_EXEMPLAR} "):
            return self._own_exemplar(on)[1].strokes
        return self.target(on).strokes

    def _own_exemplar(self, on: str) -> tuple[Target, Exemplar]:
        target = self.target(on.removeprefix(f"{_EXEMPLAR} "))
        if target.exemplar is None:
            raise MessageError(
                "exemplar", got=target.label, expected="a target with one of its own"
            )
        return target, target.exemplar

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
                painting = painting.with_target(target.with_strokes(kept))
        return painting

    def to_json(self) -> Json:
        """As the session's file has it; `regen.editor.stored` reads it back."""
        return {
            "key": self.key,
            "picture": None if self.picture is None else vars(self.picture),
            "strokes": [stroke.to_json() for stroke in self.strokes],
            "targets": [target.to_json() for target in self.targets],
            "options": dict(self.options),
        }
