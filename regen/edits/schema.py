"""The edits file: which pattern goes where, in a JSON file that people write.

`read_edits` checks everything that can be checked without a generator; whether a region lies inside
its image is checked when the image is known, by `Region.mask`, and whether a generator knows a
named region, an oracle or a style, where the generator is known.
"""

from __future__ import annotations

from pathlib import Path

from regen.edits.at_hand import as_json
from regen.edits.checked_json import read_json, shown
from regen.edits.exemplars import Image, Pattern
from regen.edits.file_models import EditsField, SampleField
from regen.edits.inputs import Hole, Samples
from regen.edits.region_json import NamedRegion
from regen.edits.samples import SampleSpec, Style
from regen.edits.validation import validated
from regen.edits.values import VERSION, Edit, Edits, PasteOracle, Target, Weights
from regen.errors import EditsError
from regen.files.paths import checked_path

__all__ = [
    "Edit",
    "Edits",
    "Hole",
    "Image",
    "NamedRegion",
    "PasteOracle",
    "Pattern",
    "SampleSpec",
    "Samples",
    "Style",
    "Target",
    "Weights",
    "edits_of",
    "read_edits",
    "sample_of",
]


def read_edits(path: Path | str) -> Edits:
    """Read and check an edits file. Paths in it are relative to it.

    Returns:
        Its content; None for keys that are not given.

    Raises:
        EditsError: If it breaks the schema. The message starts with the file and the path in it.
    """
    remedy = "`regen.edits_of` takes the content of one"
    text = checked_path(path, EditsError, "edits file", remedy=remedy)
    return _edits(read_json(text), text, Path(text).resolve().parent)


def edits_of(content: object, *, file: str = "edits", folder: Path | None = None) -> Edits:
    """Edits that are at hand as Python values, checked as those of an edits file are.

    Args:
        content: What an edits file holds, or `Edits.to_json` gives. Images (``exemplar``,
            ``picture``) may be images of Pillow, arrays ``[H, W, 3]`` or ``[H, W, 4]`` of whole
            numbers from 0 to 255 or floats from 0 to 1, or tensors ``[3, H, W]`` in [-1, 1]; masks
            (``mask``, or in place of a whole ``region`` or ``hole``) arrays or tensors ``[H, W]``
            of truth values or floats from 0 to 1. A `Region` may stand for a region.
        file: What messages call it.
        folder: Paths in it are relative to this folder, by default the working directory.

    Raises:
        EditsError: As `read_edits`.

    Example:
        >>> import numpy as np
        >>> circle = np.hypot(*np.mgrid[-32:32, -32:32]) < 20
        >>> green = np.full((64, 64, 3), (40, 160, 60), np.uint8)
        >>> target = {"seed": 3, "region": {"ellipse": [64, 80, 12, 12]}}
        >>> edit = {"exemplar": green, "region": circle, "targets": [target]}
        >>> edits_of({"version": 1, "edits": [edit]}).generator
        'portraits'
    """
    return _edits(as_json(content, file), file, folder or Path.cwd())


def sample_of(content: object, *, file: str = "sample", folder: Path | None = None) -> SampleSpec:
    """Check the keys that describe a sample in a target of an edits file: ``{"seed": 3}``.

    Args:
        content: As for `edits_of`; without the region.
        file: What messages call it.
        folder: Paths in it are relative to this folder, by default the working directory.

    Raises:
        EditsError: As `read_edits`.
    """
    spec = validated(SampleField, as_json(content, file), file=file, folder=folder or Path.cwd())
    assert isinstance(spec, SampleSpec)
    return spec


def _edits(content: object, file: str, folder: Path) -> Edits:
    if isinstance(content, dict) and "version" in content:
        _check_version(content["version"], file)
    edits = validated(EditsField, content, file=file, folder=folder)
    assert isinstance(edits, Edits)
    return edits


def _check_version(version: object, file: str) -> None:
    """Before all else: a newer version may have other keys."""
    if type(version) is not int or version != VERSION:
        newer = isinstance(version, int) and version > VERSION
        raise EditsError(
            f"{file}: version",
            got=shown(version),
            expected=str(VERSION),
            remedy="update regen" if newer else None,
        )
