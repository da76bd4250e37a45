"""A painting as an edits file: what it still lacks, which parts belong together, and the file.

Whoever learns the file learns what the page shows. `regen.editor.opening` goes the other way.
"""

from __future__ import annotations

from regen.editor.painting import Json, Painting, Target
from regen.editor.strokes import Painted, outline, painted, rasterized


def missing(painting: Painting, size: tuple[int, int], *, holes: bool = False) -> str:
    """What must be done before there is a rule, or "" where nothing is.

    Args:
        painting: That is looked at.
        size: Height and width of the generator's images.
        holes: Whether the generator fills holes; images of one's own have none by themselves.
    """
    if painting.picture is None:
        return "Choose the image that holds the pattern"
    if not painting.targets:
        return "Choose a sample that gets the pattern"
    whole = [t.label for t in painting.targets if holes and t.lacks_hole]
    if whole:
        return f"Paint the hole of {' and '.join(whole)}: what is to be filled"
    if painted(painting.strokes, painting.picture.size) is None:
        return "Paint the pattern on the exemplar"
    bare = [t.label for t in painting.targets if painted(t.strokes, size) is None]
    return f"Paint where the pattern goes on {' and '.join(bare)}" if bare else ""


def edits_json(painting: Painting, generator: str, size: tuple[int, int]) -> Json:
    """The content of the edits file.

    Where the exemplar has one part and a target several, the part serves each of them.

    Args:
        painting: Lacks nothing.
        generator: Name or path of the generator.
        size: Height and width of its images.
    """
    assert painting.picture is not None and not missing(painting, size)
    exemplar = painted(painting.strokes, painting.picture.size)
    assert exemplar is not None
    edits = [
        {
            "exemplar": painting.picture.source,
            "region": _repeated(painting, exemplar, times),
            "targets": [_target_json(target, size) for target in group],
        }
        for times, group in grouped(painting, size)
    ]
    return {"version": 1, "generator": generator, **painting.options, "edits": edits}


def grouped(painting: Painting, size: tuple[int, int]) -> list[tuple[int, list[Target]]]:
    """The targets in the order of the edits file, by how often the exemplar's part is named."""
    assert painting.picture is not None
    exemplar = painted(painting.strokes, painting.picture.size)
    groups: dict[int, list[Target]] = {}
    for target in painting.targets:
        region = painted(target.strokes, size)
        assert exemplar is not None and region is not None
        groups.setdefault(region.parts if exemplar.parts == 1 else 1, []).append(target)
    return list(groups.items())


def _repeated(painting: Painting, exemplar: Painted, times: int) -> Json:
    """The exemplar's region, or its only part so many times."""
    if times == 1:
        return exemplar.region
    if "mask" not in exemplar.region:
        return {name: shapes * times for name, shapes in exemplar.region.items()}
    assert painting.picture is not None
    return {"polygons": [outline(rasterized(painting.strokes, painting.picture.size))] * times}


def _target_json(target: Target, size: tuple[int, int]) -> Json:
    region = painted(target.strokes, size)
    assert region is not None
    return {**target.described(size), "region": region.region}
