"""Command lines that use the result of a run."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from os.path import isfile
from pathlib import Path

from regen.edits.schema import Edits, NamedRegion, read_edits
from regen.errors import RegenError
from regen.files.run_files import (
    EDITS_FILE,
    GENERATOR_FILE,
    PARTIAL_FILE,
    PROJECTOR_FILE,
    REWRITE_FILE,
)
from regen.files.tensor_file import read_header
from regen.files.tensor_header import Header


def rewritten_command(edits: Edits, rewrite: str, folder: str, images: Path | None = None) -> str:
    """Generates samples with a rewrite.

    Args:
        edits: What it was learned from: the generator, and what the first target hides or how it
            is truncated.
        rewrite: Path of the rewrite, and a strength where it is not 1.
        folder: Where the images go.
        images: Folder that the generator takes its samples from, if it needs images.
    """
    words = ["regen", "generate"]
    if edits.generator != Edits.generator:  # the default of the command too
        words += ["--generator", edits.generator]
    words += ["--rewrite", rewrite]
    sample = edits.edits[0].targets[0].sample
    hole = sample.hole
    if images is not None:  # no part of an image file has a name
        words += ["--images", str(images)]
    else:
        words += ["--hole", hole.name] if isinstance(hole, NamedRegion) else []
        if sample.truncation not in (None, 1):  # that of the unseen samples in the report too
            words += ["--truncation", f"{sample.truncation:g}"]
        words += ["--seeds", "0-63"]
    return shlex.join([*words, "-o", folder])


def generator_command(path: Path) -> str:
    """Generates samples of a generator that was trained."""
    return (
        shlex.join(["regen", "generate", "--generator", str(path), "--seeds", "0-63"]) + " -o DIR"
    )


def projector_command(generator: str, path: Path, images: Path | None, *, guided: bool) -> str:
    """Projects an image with a projector that was trained.

    Args:
        generator: Name or path of the generator that it belongs to.
        path: The projector.
        images: Folder that the generator takes its samples from, if it needs images.
        guided: See `is_guided`.
    """
    words = ["regen", "project", "--generator", generator, "--projector", str(path)]
    words += [] if images is None else ["--images", str(images)]
    return shlex.join(words) + (" --hole MASK" if guided else "") + " IMAGE -o DIR"


def use_of(folder: Path, settings: Mapping[str, object]) -> str | None:
    """The command line that uses what is in a run folder.

    Args:
        folder: Of any command.
        settings: What its settings.json holds.

    Returns:
        None where there is nothing to use, or what the command would need is not there.
    """
    if isfile(folder / GENERATOR_FILE):
        return generator_command(folder / GENERATOR_FILE)
    images = settings.get("images")
    given = Path(images) if isinstance(images, str) else None
    try:
        for rewrite in (folder / REWRITE_FILE, folder / PARTIAL_FILE):
            if isfile(rewrite):
                edits = read_edits(folder / EDITS_FILE)
                return rewritten_command(edits, str(rewrite), str(folder / "sheet"), given)
        generator, projector = settings.get("generator"), folder / PROJECTOR_FILE
        if isinstance(generator, str) and isfile(projector):
            guided = is_guided(read_header(projector))
            return projector_command(generator, projector, given, guided=guided)
    except RegenError:
        pass
    return None


def is_guided(header: Header) -> bool:
    """Whether the projector with this header takes a hole, see `ProjectorConfig.guides`."""
    architecture = header.get("architecture")
    return isinstance(architecture, Mapping) and bool(architecture.get("guides"))
