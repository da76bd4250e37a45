"""A painting as an edits file: what it still lacks, which parts belong together, and the file.

Whoever learns the file learns what the page shows. `regen.editor.opening` goes the other way.
"""

from __future__ import annotations

from regen.editor.outline import outline
from regen.editor.painted import painted, rasterized
from regen.editor.painting import Exemplar, Json, Painting, Target


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
    unpainted = [t for t in painting.targets if _exemplar(painting, t).region is None]
    if any(target.exemplar is None for target in unpainted):
        return "Paint the pattern on the exemplar"
    if unpainted:
        labels = " and ".join(target.label for target in unpainted)
        return f"Paint the pattern on the exemplar of {labels}"
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
    assert not missing(painting, size)
    edits = [
        {
            "exemplar": exemplar.picture.source,
            "region": _repeated(exemplar, times),
            "targets": [_target_json(target, size) for target in targets],
        }
        for (exemplar, times), targets in grouped(painting, size).items()
    ]
    return {"version": 1, "generator": generator, **painting.options, "edits": edits}


def grouped(painting: Painting, size: tuple[int, int]) -> dict[tuple[Exemplar, int], list[Target]]:
    """The targets in the order of the edits file: by exemplar, and how often its part is named."""
    groups: dict[tuple[Exemplar, int], list[Target]] = {}
    for target in painting.targets:
        exemplar, region = _exemplar(painting, target), painted(target.strokes, size)
        assert exemplar.region is not None and region is not None
        times = region.parts if exemplar.region.parts == 1 else 1
        groups.setdefault((exemplar, times), []).append(target)
    return groups


def _exemplar(painting: Painting, target: Target) -> Exemplar:
    exemplar = painting.exemplar_of(target)
    assert exemplar is not None
    return exemplar


def _repeated(exemplar: Exemplar, times: int) -> Json:
    """The exemplar's region, or its only part so many times."""
    assert exemplar.region is not None
    region = exemplar.region.region
    if times == 1:
        return region
    if "mask" not in region:
        return {name: shapes * times for name, shapes in region.items()}
    return {"polygons": [outline(rasterized(exemplar.strokes, exemplar.picture.size))] * times}


def _target_json(target: Target, size: tuple[int, int]) -> Json:
    region = painted(target.strokes, size)
    assert region is not None
    named = {"portraits": target.region_name} if target.region_name else region.region
    return {**target.described(size), "region": named}
