"""An edits file as a painting, so that a person can go on with what another wrote."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from os.path import abspath, exists
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from regen.editor.commands import new_key
from regen.editor.document import Document
from regen.editor.painting import MOST_TARGETS, Painting, Picture, Target
from regen.editor.strokes import Stroke, Strokes, mask_to_uri
from regen.errors import EditsError, RegenError, within

if TYPE_CHECKING:
    from regen.api import Edits

_KEPT = (
    "projector",
    "value_layer",
    "memory_layers",
    "align",
    "scale",
    "shape",
    "blend",
    "feather",
    "weights",
    "samples",
)


def document_from(path: Path, generator: str, before: Document | None = None) -> Document:
    """The document of an edits file.

    Args:
        path: The file.
        generator: What the editor opens; the file must be for it.
        before: What the session holds; its rules stay.

    Raises:
        RegenError: If the file cannot be read, is for another generator, or has more in it than
            the page shows: two exemplars, or more targets than `MOST_TARGETS`.
    """
    from regen import api

    edits = api.read_edits(path)
    content = edits.to_json()
    if not _same(content["generator"], generator):
        raise EditsError(
            f"{path}: generator",
            got=content["generator"],
            expected=generator,
            remedy=f"run `regen edit {content['generator']} --edits {path}`",
        )
    first = content["edits"][0]
    targets = [target for edit in content["edits"] for target in edit["targets"]]
    if any(edit["exemplar"] != first["exemplar"] for edit in content["edits"]):
        raise EditsError(f"{path}: edits", got="several exemplars", expected="one in the editor")
    if not isinstance(first["exemplar"], str):
        raise EditsError(
            f"{path}: exemplar", got="one that the renderer draws", expected="an image"
        )
    if len(targets) > MOST_TARGETS:
        raise EditsError(
            f"{path}: targets", got=len(targets), expected=f"at most {MOST_TARGETS} in the editor"
        )
    image = api.exemplar_image(first["exemplar"], within=f"{path}: edits[0].exemplar")
    size = int(image.shape[2]), int(image.shape[3])
    _check_inside(edits.edits[0].region, size, f"{path}: edits[0].region")
    picture = Picture(first["exemplar"], _name(first["exemplar"]), *size)
    opened = api.open_generator(generator)
    painting = Painting(
        new_key(),
        picture,
        _strokes(first["region"]),
        tuple(_targets(edits, content, opened, str(path))),
        {key: content[key] for key in _KEPT if key in content},
    )
    return replace(before or Document(painting), painting=painting)


def pictures_of(document: Document) -> Path | None:
    """The folder that an edits file took its samples from, if it named one."""
    folder = document.painting.options.get("samples", {}).get("pictures")
    return None if folder is None else Path(folder)


def _same(named: str, generator: str) -> bool:
    """Whether an edits file, which names files by absolute paths, is for a generator."""
    return named == generator or (exists(generator) and named == abspath(generator))


def _name(source: str) -> str:
    return "embedded image" if source.startswith("data:") else Path(source).name


def _check_inside(region: Any, size: tuple[int, int], place: str) -> None:
    """Raise RegionError, naming the place, if a region, unless it is a named one, is outside."""
    if hasattr(region, "mask"):
        with within(place):
            region.mask(*size)


def _targets(edits: Edits, content: dict[str, Any], generator: Any, path: str) -> Iterator[Target]:
    for index, edit in enumerate(edits.edits):
        for number, target in enumerate(edit.targets):
            place = f"{path}: edits[{index}].targets[{number}]"
            with within(place):
                made, size = _target(content["edits"][index]["targets"][number], generator)
            _check_inside(target.region, size, f"{place}.region")
            yield made


def _target(content: dict[str, Any], generator: Any) -> tuple[Target, tuple[int, int]]:
    """A target, and height and width of what is generated of it."""
    from regen import api

    request = {key: value for key, value in content.items() if key != "region"}
    sample, size, own_size = api.sample(generator, request), generator.image_size, None
    if "picture" in request:
        height, width = api.exemplar_image(request["picture"]).shape[2:]
        own_size = int(height), int(width)
        size = generator.images([sample]).shape[2:]
    named = content["region"].get("portraits")
    if named is not None:
        if generator.oracle is None:
            raise RegenError("region", got=named, expected="a shape or a mask")
        mask = generator.oracle.region(named, [sample])[0, 0]
        strokes: Strokes = (Stroke("mask", mask=mask_to_uri((mask * 255).byte().numpy())),)
    else:
        strokes = _strokes(content["region"])
    target = Target(new_key(), request, sample.label, strokes, own_size=own_size)
    return target, (int(size[0]), int(size[1]))


def _strokes(region: dict[str, Any]) -> Strokes:
    """A region of an edits file as strokes that make it again."""
    ((kind, value),) = region.items()
    if kind == "mask":
        from regen import api

        mask = api.load_mask(value)[0, 0].numpy()
        return (Stroke("mask", mask=mask_to_uri(np.round(mask * 255).astype(np.uint8))),)
    several = value if kind.endswith("s") else [value]
    if kind.startswith("ellipse"):
        once = list(dict.fromkeys(tuple(float(n) for n in one) for one in several))
        return tuple(Stroke("ellipse", ellipse=(a, b, c, d)) for a, b, c, d in once)
    corners = [_corners(one) if kind.startswith("box") else one for one in several]
    shapes = dict.fromkeys(tuple((float(x), float(y)) for x, y in one) for one in corners)
    return tuple(Stroke("lasso", points=one) for one in shapes)


def _corners(box: list[float]) -> list[list[float]]:
    x0, y0, x1, y1 = box
    return [[x0, y0], [x1, y0], [x1, y1], [x0, y1]]
