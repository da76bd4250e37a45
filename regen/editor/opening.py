"""An edits file as a painting, so that a person can go on with what another wrote."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from os.path import abspath, exists
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from regen.editor.commands import new_key
from regen.editor.document import Document
from regen.editor.encoding import exact_uri, mask_image_uri
from regen.editor.painted import Painted, painted
from regen.editor.painting import MOST_TARGETS, Exemplar, Painting, Picture, Target
from regen.editor.strokes import Stroke, Strokes, box_corners, mask_to_uri
from regen.errors import EditsError, RegenError, within

if TYPE_CHECKING:
    from regen.api import Edits, Generator
    from regen.api import Exemplar as LoadedExemplar

Options = dict[str, Any]

_NAMED = "portraits"  # the key of a region that has a name
_WRITTEN_ANEW = ("version", "generator", "edits")  # everything else of a file stays as it is


def document_from(
    path: Path,
    generator: str,
    before: Document | None = None,
    open_generator: Callable[[], Generator] | None = None,
    images: Path | None = None,
) -> Document:
    """The document of an edits file.

    Args:
        path: The file.
        generator: What the editor opens; the file must be for it.
        before: What the session holds; its rules stay.
        open_generator: Opens it, once the file is found to be for it; by default by its name.
        images: Folder that the generator takes its samples from, in place of the file's.

    Raises:
        RegenError: If the file cannot be read, is for another generator, has settings, an oracle or
            samples that the generator cannot have, or has more in it than the page can say: more
            targets than `MOST_TARGETS`, or several outlines.
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
    targets = [target for edit in content["edits"] for target in edit["targets"]]
    if len(targets) > MOST_TARGETS:
        raise EditsError(
            f"{path}: targets",
            got=len(targets),
            expected=f"at most {MOST_TARGETS} in the editor",
            remedy="leave some out, or learn them all by `regen rewrite --edits`",
        )
    opened = open_generator() if open_generator else api.open_generator(generator)
    _check_settings(edits, opened, images)
    loaded = api.load_exemplars(edits, opened)
    exemplars = [_exemplar(*one) for one in zip(loaded, content["edits"], strict=True)]
    both = list(zip(loaded, exemplars, strict=True))
    options = {key: value for key, value in content.items() if key not in _WRITTEN_ANEW}
    painting = Painting(
        new_key(),
        exemplars[0].picture,
        exemplars[0].strokes,
        tuple(_targets(edits, content, both, opened, str(path))),
        _with_outline(options, loaded, exemplars, str(path)),
    )
    return replace(before or Document(painting), painting=painting)


def _check_settings(edits: Edits, generator: Generator, images: Path | None) -> None:
    """Raise RegenError for what the page does not show, so that nobody could correct it there."""
    from regen import api

    given = None if edits.samples is None else edits.samples.pictures
    folder = images or (None if given is None else Path(given))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # said again where it counts
        api.Workbench(generator, images=folder).task(replace(edits, edits=()))


def pictures_of(document: Document) -> Path | None:
    """The folder that an edits file took its samples from, if it named one."""
    folder = document.painting.options.get("samples", {}).get("pictures")
    return None if folder is None else Path(folder)


def _same(named: str, generator: str) -> bool:
    """Whether an edits file, which names files by absolute paths, is for a generator."""
    return named == generator or (exists(generator) and named == abspath(generator))


def _exemplar(loaded: LoadedExemplar, edit: dict[str, Any]) -> Exemplar:
    """An edit's exemplar; what the renderer draws becomes an image, and its named region a mask."""
    size, source = (int(loaded.image.shape[2]), int(loaded.image.shape[3])), edit["exemplar"]
    if isinstance(source, str):
        name = "embedded image" if source.startswith("data:") else Path(source).name
        picture = Picture(source, name, *size)
    else:
        picture = Picture(exact_uri(loaded.image[0]), loaded.label, *size)
    if _NAMED in edit["region"]:
        return Exemplar(picture, (Stroke("mask", mask=mask_image_uri(loaded.region.mask(*size))),))
    return Exemplar(picture, _strokes(edit["region"]))


def _with_outline(
    options: Options, loaded: list[LoadedExemplar], exemplars: list[Exemplar], path: str
) -> Options:
    """Say whose outline is pasted, where "auto" would take another from what is painted.

    Of an opaque image it takes the exemplar's own where the region is a mask. Painted are as masks
    named regions too, and shapes that overlap.
    """
    if options.get("shape", "auto") != "auto":
        return options
    masks = ["mask" in one.region.region if one.region else False for one in exemplars]
    pairs = zip(loaded, masks, strict=True)
    if all(one.alpha is not None or one.drawn == masked for one, masked in pairs):
        return options
    own = {one.drawn or one.alpha is not None for one in loaded}
    if len(own) > 1:
        raise EditsError(
            f"{path}: shape",
            got="auto, which is the outline of some exemplars and of other targets",
            expected="one for all in the editor",
            remedy='give "shape": "exemplar" or "target"',
        )
    return {**options, "shape": "exemplar" if own.pop() else "target"}


def _check_inside(region: Any, size: tuple[int, int], place: str) -> None:
    """Raise RegionError, naming the place, if a region, unless it is a named one, is outside."""
    if hasattr(region, "mask"):
        with within(place):
            region.mask(*size)


def _check_pairs(
    exemplar: LoadedExemplar, target: Any, drawn: Painted | None, onto: Painted | None, place: str
) -> None:
    """Raise EditsError where the page would carry other parts of a pattern than the file says.

    Of what is painted, the only part of an exemplar serves each part of a target, and shapes that
    overlap are one part.

    Args:
        exemplar: With its region.
        target: Its region, or the name of it.
        drawn: What is painted of the exemplar's.
        onto: What is painted of the target's.
        place: Of the target's region in the file.
    """
    if drawn is None or onto is None:
        return  # the page asks for it
    shapes, first = exemplar.region.shapes, len(exemplar.region.split())
    second = len(target.split()) if hasattr(target, "split") else onto.parts
    by_parts, same = first == second > 1, len(shapes) > 1 and len(set(shapes)) == 1
    if by_parts and (drawn.parts, onto.parts) != (1 if same else first, second):
        raise EditsError(
            place,
            got="shapes that overlap, or one of several in the exemplar that is named twice",
            expected="in the editor, shapes that lie apart",
            remedy="draw them apart",
        )
    if not by_parts and drawn.parts in (1, onto.parts) and onto.parts > 1:
        raise EditsError(
            place,
            got=f"{second} shapes for {first} of the exemplar, which is carried to all of them",
            expected="in the editor, as many of both",
            remedy="name the exemplar's as often, or draw one shape around those of the target",
        )


def _targets(
    edits: Edits,
    content: dict[str, Any],
    exemplars: list[tuple[LoadedExemplar, Exemplar]],
    generator: Any,
    path: str,
) -> Iterator[Target]:
    """All targets; those of another exemplar than the first edit's have it for themselves."""
    for index, edit in enumerate(edits.edits):
        loaded, painting = exemplars[index]
        own = None if painting == exemplars[0][1] else painting
        for number, target in enumerate(edit.targets):
            place = f"{path}: edits[{index}].targets[{number}]"
            with within(place):
                made, size = _target(content["edits"][index]["targets"][number], generator)
            _check_inside(target.region, size, f"{place}.region")
            drawn, onto = painting.region, painted(made.strokes, size)
            _check_pairs(loaded, target.region, drawn, onto, f"{place}.region")
            yield replace(made, exemplar=own)


def _target(content: dict[str, Any], generator: Any) -> tuple[Target, tuple[int, int]]:
    """A target, and height and width of what is generated of it."""
    from regen import api

    request = {key: value for key, value in content.items() if key != "region"}
    sample, size, own_size = api.sample(generator, request), generator.image_size, None
    if "picture" in request:
        height, width = api.exemplar_image(request["picture"]).shape[2:]
        own_size = int(height), int(width)
        size = generator.images([sample]).shape[2:]
    named = content["region"].get(_NAMED)
    if named is not None:
        if generator.oracle is None:
            raise RegenError("region", got=named, expected="a shape or a mask")
        mask = generator.oracle.region(named, [sample])
        strokes: Strokes = (Stroke("mask", mask=mask_image_uri(mask)),)
    else:
        strokes = _strokes(content["region"])
    target = Target(
        new_key(), request, sample.label, strokes, own_size=own_size, region_name=named or ""
    )
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
    outlines = [box_corners(one) if kind.startswith("box") else one for one in several]
    shapes = dict.fromkeys(tuple((float(x), float(y)) for x, y in one) for one in outlines)
    return tuple(Stroke("lasso", points=one) for one in shapes)
