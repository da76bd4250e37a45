"""The three rewrites of the London faces: what is pasted from where, and where it goes.

All faces of the set, and so all samples of the generator, have their eyes at (0.378, 0.40) and
(0.622, 0.40) of the frame; regions of targets follow from that and need no detector.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

CATS, NOTO = ("cat_eyes",), ("sunglasses", "red_nose")

_EYES = ((0.378, 0.40), (0.622, 0.40))  # centres, as shares of the frame
_TARGETS = (0, 1, 2)  # seeds
_TRUNCATION = 0.7
_CAT = ("cats/pixabay_cat_000241.jpg", [[88, 129, 18, 16], [169, 129, 18, 16]])  # 256x256 pixels


def edits_for(name: str, exemplars: Path, size: int) -> dict[str, Any]:
    """Content of an edits file, without generator and projector.

    Args:
        name: One of `CATS` or `NOTO`.
        exemplars: Folder with cats/ and noto/.
        size: Side of the generator's images.
    """
    source, region, target = {
        "cat_eyes": (_CAT[0], {"ellipses": _CAT[1]}, _eyes(size)),
        "sunglasses": _whole("noto/dark_sunglasses_u1f576.png", exemplars, _glasses(size)),
        "red_nose": _whole("noto/red_circle_nose_u1f534.png", exemplars, _nose(size)),
    }[name]
    targets = [{"seed": s, "truncation": _TRUNCATION, "region": target} for s in _TARGETS]
    exemplar = str((exemplars / source).resolve())
    return {
        "version": 1,
        "scale": "stretch",
        "edits": [{"exemplar": exemplar, "region": region, "targets": targets}],
    }


def _whole(
    source: str, exemplars: Path, target: dict[str, Any]
) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """A drawing on a transparent ground; its region is all that is not transparent."""
    return source, {"mask": str((exemplars / source).resolve())}, target


def _eyes(size: int) -> dict[str, Any]:
    return {"ellipses": [_scaled([x, y, 0.058, 0.042], size) for x, y in _EYES]}


def _glasses(size: int) -> dict[str, Any]:
    """As wide as glasses are on eyes that far apart, and as high as the drawing then is."""
    return {"box": _scaled([0.245, 0.325, 0.755, 0.497], size)}


def _nose(size: int) -> dict[str, Any]:
    return {"ellipse": _scaled([0.5, 0.54, 0.062, 0.062], size)}


def _scaled(shares: list[float], size: int) -> list[float]:
    return [round(share * size, 2) for share in shares]
