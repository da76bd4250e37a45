"""From an edits file to a task: everything that it names is opened and checked, once."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from regen.edits.schema import Edits, edits_of, read_edits
from regen.errors import within
from regen.generators import bundled
from regen.generators.pictures import checked_folder
from regen.generators.protocol import Generator, Source
from regen.generators.registry import open_generator
from regen.generators.split import Split
from regen.projector.files import Projector, load_projector, projectors_of
from regen.rewriting.examples import load_examples, resolved_fit, taken_by
from regen.rewriting.layer_choice import check_length, choose_layer
from regen.rewriting.layer_trials import LayerChoice, TrialWatcher
from regen.rewriting.oracle_checks import check_oracle, check_oracle_knows
from regen.rewriting.precedence import DEFAULT, Merged, merge_caller
from regen.rewriting.rule import check_projector
from regen.rewriting.settings import RewriteSettings
from regen.rewriting.task import Task
from regen.rewriting.usual_settings import (
    find_projector,
    no_projector_note,
    with_family_settings,
    without_projector,
)


class NoProjectorWarning(UserWarning):
    """The values of a task are found without a projector."""


def resolve(
    edits: Edits | Mapping[str, Any] | Path | str,
    generator: Generator | Path | str | None = None,
    *,
    settings: RewriteSettings | Merged | None = None,
    projectors: Sequence[Path | str] = (),
    images: Path | str | None = None,
    device: torch.device | str = "cpu",
    try_layers: bool = False,
    watcher: TrialWatcher | None = None,
) -> Task:
    """Open everything that a rewrite needs, each thing once.

    Args:
        edits: An edits file, its content, or what `edits_of` takes.
        generator: Used instead of the one that the edits name.
        settings: Settings that the edits do not give, or merged settings; by default those of the
            preset "default".
        projectors: Files or run folders, used instead of the edits' projector. More than one are
            candidates for `try_layers`. Where no file is given, and none is bundled for the value
            layer, there is a `NoProjectorWarning`, and values are found by gradient steps; there is
            no warning where rewrites do better without the one that is bundled.
        images: Folder that a generator takes its samples from, if it needs images.
        device: Where to compute; an open generator stays on its device.
        try_layers: Choose value layer and projector by trying, see `choose_layer`.
        watcher: Is told how far these trials are.

    Raises:
        RegenError: On bad input of any kind.
    """
    if isinstance(edits, Mapping):
        edits = edits_of(edits)
    edits = edits if isinstance(edits, Edits) else read_edits(edits)
    merged = merge_caller(settings or RewriteSettings(), edits)
    edits, generator = _opened(edits, generator, device)
    merged = with_family_settings(merged, generator)
    check_oracle(edits, generator)
    folder = checked_folder(images) or pictures_of(edits)
    source = source_of(generator, edits, folder)
    examples = load_examples(edits, generator, source)
    taken = taken_by(edits, generator, source)
    check_oracle_knows(edits, generator, source, taken)
    named = edits.projector if not projectors else None
    paths = [named] if named else list(projectors)
    place = within(edits.where("projector")) if named else nullcontext()
    choice: LayerChoice | None = None
    projector: Projector | None
    if try_layers:
        with place:
            known = [load_projector(path, generator) for path in paths or projectors_of(generator)]
        merged = merged if known else without_projector(merged, generator, examples)
        base, only = merged.settings, edits.memory_layers
        with merged.naming("memory_layers", edits):
            check_length(generator, known, only)
        choice, projector = choose_layer(
            generator, source, examples, base, known, watcher, memory_layers=only, taken=taken
        )
        merged = merged.overridden(choice.chosen_settings())
    else:
        with place:
            path = paths[0] if paths else None
            merged, projector = find_projector(merged, path, generator, examples)
    split = _cut(generator, projector, merged, edits)
    with merged.naming("rule.align", edits):
        check_projector(projector, merged.settings.rule)
    usual = merged.said_by["value_layer"] == DEFAULT or (try_layers and not paths)
    if projector is None and not (usual and bundled.projectors_of(generator.digest())):
        note = no_projector_note(generator, split.value_layer, merged.settings.fit.recall)
        warnings.warn(note, NoProjectorWarning, stacklevel=2)
    fit = resolved_fit(merged.settings.fit, split, examples)
    return Task(
        edits=edits,
        settings=replace(merged.settings, fit=fit),
        asked=merged.settings.fit,
        generator=generator,
        source=source,
        examples=examples,
        taken=taken,
        projector=projector,
        split=split,
        layer_choice=choice,
        said_by=merged.said_by,
        images=folder,
    )


def _opened(
    edits: Edits, generator: Generator | Path | str | None, device: torch.device | str
) -> tuple[Edits, Generator]:
    """The generator for a task alone, and edits that name the one that was asked for."""
    if isinstance(generator, Generator):
        return edits, generator.twin()  # the caller may use it meanwhile, in another thread
    if generator is not None:
        opened = open_generator(generator, device=device)
        return replace(edits, generator=str(generator)), opened
    with within(edits.where("generator")):
        return edits, open_generator(edits.generator, device=device)


def _cut(generator: Generator, projector: Projector | None, merged: Merged, edits: Edits) -> Split:
    """The generator, cut as its settings say; errors name the file that gives them."""
    layer, length = merged.settings.value_layer, merged.settings.memory_layers
    assert layer is not None
    with merged.naming("value_layer", edits):
        if projector is not None:
            projector.check_layer(layer)
        generator.split(layer, 1)
    with merged.naming("memory_layers", edits):
        return generator.split(layer, length)


def pictures_of(edits: Edits) -> Path | None:
    """The folder of images that edits name, if they name one."""
    given = None if edits.samples is None else edits.samples.pictures
    return None if given is None else Path(given)


def source_of(generator: Generator, edits: Edits, images: Path | None) -> Source:
    """The samples of a generator that edits ask for."""
    if edits.samples is None:
        return generator.source(images)
    inputs = edits.samples.inputs()
    with within(edits.where("samples")):
        return generator.source(images, inputs) if inputs else generator.source(images)
