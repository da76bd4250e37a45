"""What matters first about a run folder: what it is, whether a rule took, how it is used."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from regen.files.run_files import (
    GENERATOR_FILE,
    PARTIAL_FILE,
    PREVIEW_FILE,
    PROJECTOR_FILE,
    REWRITE_FILE,
)
from regen.images.decoding import name_of

Lines = Iterator[tuple[str, str]]

_MOST_NAMED = 6  # targets or images in a line
_MOST_EDITS = 3


def summary(facts: Mapping[str, object]) -> list[tuple[str, str]]:
    """About ten lines, each with its name.

    Args:
        facts: Of a run folder, from `regen.runs.info.describe`. Its files may hold anything: what
            is not there, or not what a run writes, is left out.
    """
    folder = str(facts["file"])
    results = [str(name) for name in _list(facts, "results")]
    lines = [("file", folder), *_of(facts, results)]
    if results:
        lines.append(("results", _some(results)))
    if "use" in facts:
        lines.append(("use it", str(facts["use"])))
    return [*lines, ("all of it", shlex.join(["regen", "info", "--all", folder]))]


def _of(facts: object, results: Sequence[str]) -> Lines:
    if _list(facts, "settings", "edits", "edits"):
        return _of_rewrite(facts, results)
    if GENERATOR_FILE in results or _at(facts, "settings", "length_kimg") is not None:
        return _of_generator(facts, results)
    if PROJECTOR_FILE in results or _at(facts, "settings", "kimg") is not None:
        return _of_projector(facts, results)
    if results == [PREVIEW_FILE]:
        return iter([("what", "a preview; nothing was learned")])
    return _of_projections(facts)


def _of_rewrite(facts: object, results: Sequence[str]) -> Lines:
    kinds = {REWRITE_FILE: "a rewrite", PARTIAL_FILE: "a rewrite that was stopped before its end"}
    found = next((kind for file, kind in kinds.items() if file in results), "a rewrite not learned")
    yield "what", f"{found}, of the generator {_at(facts, 'settings', 'edits', 'generator')}"
    edits = _list(facts, "settings", "edits", "edits")
    for edit in edits[:_MOST_EDITS]:
        yield "edit", f"{_exemplar(edit)} into {_some(map(_target, _list(edit, 'targets')))}"
    if len(edits) > _MOST_EDITS:
        yield "edit", f"and {len(edits) - _MOST_EDITS} more"
    layer, length = (_at(facts, "settings", name) for name in ("value_layer", "memory_layers"))
    yield "memory", f"{length} convolutions, up to value layer {layer}"
    verdict = _at(facts, "metrics", "verdict", "text")
    if verdict is not None:
        yield "verdict", str(verdict)
    seconds = _at(facts, "metrics", "seconds", "total")
    if isinstance(seconds, float):
        yield "took", f"{seconds:.0f} s, measured on {_at(facts, 'metrics', 'seeds')} samples"


def _of_generator(facts: object, results: Sequence[str]) -> Lines:
    size, images = (_at(facts, "settings", name) for name in ("size", "images"))
    state = "a generator" if GENERATOR_FILE in results else "the unfinished training of a generator"
    yield "what", state if size is None else f"{state} of {size}x{size} images"
    if images is not None:
        yield "trained on", str(images)
    if (start := _at(facts, "settings", "init_from")) is not None:
        yield "began as", str(start)
    if (kimg := _at(facts, "settings", "length_kimg")) is not None:
        yield "length", _length(facts, kimg, "images")
    measured = (
        (name.replace("_", " "), _number(_at(facts, "measures", name)))
        for name in ("frechet_distance", "precision", "recall", "nearest_neighbour_ratio")
        if _at(facts, "measures", name) is not None
    )
    if text := ", ".join(f"{name} {number}" for name, number in measured):
        yield "measured", text


def _of_projector(facts: object, results: Sequence[str]) -> Lines:
    there = PROJECTOR_FILE in results
    yield "what", "a projector" if there else "the unfinished training of a projector"
    for name in ("generator", "value_layer"):
        if (found := _at(facts, "settings", name)) is not None:
            yield name.replace("_", " "), str(found)
    if (kimg := _at(facts, "settings", "kimg")) is not None:
        yield "length", _length(facts, kimg, "samples")


def _length(facts: object, kimg: object, of: str) -> str:
    """How long a training was, or is to be; and of how much where its time was up before."""
    done = _at(facts, "trained_kimg")
    if isinstance(done, (int, float)) and isinstance(kimg, (int, float)) and done < 0.999 * kimg:
        return f"{_number(done)} of {_number(kimg)} thousand {of}"
    return f"{_number(kimg)} thousand {of}"


def _of_projections(facts: object) -> Lines:
    images = _list(facts, "metrics", "images")
    if images:
        generator = _at(facts, "metrics", "generator")
        yield "what", f"images projected into the features of the generator {generator}"
    for image in images[:_MOST_NAMED]:
        lpips = _at(image, "projected", "lpips")
        far = ", which is out of its reach" if _at(image, "out_of_reach") is True else ""
        close = "" if lpips is None else f": LPIPS of the decoded image {_number(lpips)}"
        yield "image", f"{_at(image, 'source')}{close}{far}"
    if len(images) > _MOST_NAMED:
        yield "image", f"and {len(images) - _MOST_NAMED} more"


def _exemplar(edit: object) -> str:
    written = _at(edit, "exemplar")
    if isinstance(written, str):
        return name_of(written) if written.startswith("data:") else Path(written).name
    return f"{_at(written, 'pattern')} of seed {_at(written, 'seed')}"


def _target(target: object) -> str:
    picture, seed = _at(target, "picture"), _at(target, "seed")
    if isinstance(picture, str):
        return name_of(picture) if picture.startswith("data:") else Path(picture).name
    return f"seed {seed}"


def _some(names: Iterable[str]) -> str:
    known = list(names)
    more = len(known) - _MOST_NAMED
    return ", ".join(known[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _number(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _at(value: object, *path: str) -> object:
    """What is at a path; None where it ends before."""
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _list(value: object, *path: str) -> list[object]:
    found = _at(value, *path)
    return found if isinstance(found, list) else []
