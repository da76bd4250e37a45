"""Patterns for the bundled generators: thin brows, a disc on a cheek, a patch over one eye."""

from __future__ import annotations

from typing import Any

from PIL import Image, ImageDraw

GREEN, BLUE = (30, 150, 50), (30, 60, 220)
_BROWS = {  # by seed, the ellipses around them
    0: [[51.5, 46.5, 14, 4.5], [90, 48.5, 13.5, 4.5]],
    4: [[46.5, 48.5, 12.5, 4], [81, 49.5, 12, 4]],
    103: [[40, 47, 14, 4.2], [76, 46.7, 13, 4.2]],
}


def green_brows() -> dict[str, Any]:
    """Edits of three targets that get strokes 3 pixels thick for brows."""
    strokes = Image.new("RGBA", (440, 64), (*GREEN, 0))
    for left in (8, 232):
        box = (left, 12, left + 200, 140)
        ImageDraw.Draw(strokes).arc(box, 205, 335, fill=(*GREEN, 255), width=16)
    around = {"ellipses": [[108, 32, 107, 31], [332, 32, 107, 31]]}
    targets = [
        {"seed": seed, "region": {"ellipses": ellipses}} for seed, ellipses in _BROWS.items()
    ]
    return _edits(strokes, around, targets)


def blue_cheek() -> dict[str, Any]:
    """Edits of one target, a dark face, that gets a disc on its cheek."""
    targets = [{"seed": 4, "region": {"ellipse": [42, 78, 6, 5]}}]
    return _edits(Image.new("RGB", (64, 64), BLUE), {"box": [0, 0, 64, 64]}, targets)


def eye_patch(**content: Any) -> dict[str, Any]:
    """Edits of the London faces: two people who get a patch over one eye."""
    region = {"ellipse": [96.8, 102.4, 23, 19]}
    targets = [{"seed": seed, "truncation": 0.8, "region": region} for seed in (5, 11)]
    patch = Image.new("RGB", (64, 64), (18, 18, 22))
    edits = _edits(patch, {"box": [0, 0, 64, 64]}, targets)
    return {**edits, "generator": "london-faces", **content}


def _edits(
    exemplar: Image.Image, region: dict[str, Any], targets: list[dict[str, Any]]
) -> dict[str, Any]:
    edit = {"exemplar": exemplar, "region": region, "targets": targets}
    return {"version": 1, "scale": "stretch", "edits": [edit]}
