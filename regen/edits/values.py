"""The content of an edits file as values: edits, their targets, and the settings it gives.

An *edit* names an exemplar (an image that holds the new pattern), the region where the pattern is,
and one or more targets: samples of the generator, each with the region that the pattern takes over.
A setting that the file does not give is None, and is taken from the caller's settings.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from regen.edits.exemplars import Image, Pattern
from regen.edits.inputs import Samples
from regen.edits.region_json import NamedRegion, region_to_json
from regen.edits.samples import SampleSpec
from regen.errors import StoreError
from regen.files.atomic import write_json
from regen.files.paths import checked_path
from regen.images.regions import Region

VERSION = 1
DEFAULT_GENERATOR = "portraits"  # of a file that names none


@dataclass(frozen=True)
class Weights:
    """Weights p inside the region (`new`, from 1e-6) and q outside (`old`, from 0) of Eq. (11)."""

    new: float | None = None
    old: float | None = None


@dataclass(frozen=True)
class Target:
    """A sample of the generator, and the region of it whose rule changes."""

    sample: SampleSpec
    region: Region | NamedRegion


@dataclass(frozen=True)
class Edit:
    """A pattern, and the targets that receive it.

    Attributes:
        exemplar: The image that holds the pattern.
        region: Where the pattern is, in pixels of the exemplar.
        targets: At least one.
    """

    exemplar: Image | Pattern
    region: Region | NamedRegion
    targets: tuple[Target, ...]


@dataclass(frozen=True)
class PasteOracle:
    """The result is compared with a pseudo-oracle: the exemplar pasted into each sample.

    For generators whose samples all have the pattern's region at the same position, aligned faces
    for instance; see `regen.rewriting.pasted`.
    """


@dataclass(frozen=True)
class Edits:
    """A whole edits file. A field is None where the file does not give it.

    Attributes:
        edits: At least one in a file.
        generator: Name, or absolute path.
        projector: Absolute path; None for the one that belongs to the generator.
        value_layer: Convolution whose output is the value, from 1.
        memory_layers: Number of convolutions of the memory, from 1.
        weights: Weights p and q of the loss.
        align: Whether the exemplar is pasted into the target as an image, or as features.
        scale: "uniform" enlarges the exemplar equally along both axes until it covers the target's
            region, so that nothing is distorted; "stretch" fits its region exactly.
        shape: Whose outline is pasted: the exemplar's own, inside the target's region, or that of
            the target's region.
        blend: How the pattern's light is fitted to the image around it.
        feather: Softness of pasted edges in pixels of the image, from 0.
        oracle: What the result is measured against: the name of a pattern that the generator's
            oracle knows, or the pattern pasted.
        samples: Where the generator's samples are taken from, None for its own.
        file: What messages call the file, "" where there is none; no part of what is equal.
    """

    edits: tuple[Edit, ...]
    generator: str = DEFAULT_GENERATOR
    projector: str | None = None
    value_layer: int | None = None
    memory_layers: int | None = None
    weights: Weights = Weights()
    align: Literal["image", "feature"] | None = None
    scale: Literal["uniform", "stretch"] | None = None
    shape: Literal["auto", "exemplar", "target"] | None = None
    blend: Literal["none", "gain", "poisson"] | None = None
    feather: float | None = None
    oracle: str | PasteOracle | None = None
    samples: Samples | None = None
    file: str = field(default="", compare=False)

    @property
    def oracle_pattern(self) -> str | None:
        """The name of the oracle's pattern, or None where the oracle is none or has no name."""
        return self.oracle if isinstance(self.oracle, str) else None

    def where(self, path: str) -> str:
        """A path inside the file, as messages name it."""
        return f"{self.file}: {path}" if self.file else path

    def save(self, path: Path | str, *, embed: bool = True) -> None:
        """Write an edits file, which `read_edits` reads back as the same edits.

        Args:
            path: A JSON file; replaced whole or not at all.
            embed: Put images in, so that one file is enough.

        Raises:
            ImageError: If an image to embed cannot be read.
            StoreError: If the file cannot be written.
        """
        path = checked_path(path, StoreError, "path to save to")
        write_json(path, self.to_json(embed=embed))

    def to_json(self, *, embed: bool = False) -> dict[str, Any]:
        """What `read_edits` reads back as the same edits, from a file in any folder.

        Args:
            embed: Put images in as data URIs, so that one file is enough.

        Raises:
            ImageError: If an image to embed cannot be read.
        """
        content: dict[str, Any] = {"version": VERSION, "generator": self.generator}
        keys = (
            "projector",
            "value_layer",
            "memory_layers",
            "align",
            "scale",
            "shape",
            "blend",
            "feather",
        )
        content |= _without_none({key: getattr(self, key) for key in keys})
        if weights := _without_none(vars(self.weights)):
            content["weights"] = weights
        if self.oracle is not None:
            paste = isinstance(self.oracle, PasteOracle)
            content["oracle"] = {"paste": True} if paste else self.oracle
        if self.samples is not None:
            content["samples"] = self.samples.to_json(embed=embed)
        content["edits"] = [_edit_to_json(edit, embed) for edit in self.edits]
        return content


def _without_none(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


def _edit_to_json(edit: Edit, embed: bool) -> dict[str, Any]:
    targets = [
        {**target.sample.to_json(embed=embed), "region": region_to_json(target.region, embed)}
        for target in edit.targets
    ]
    region = region_to_json(edit.region, embed)
    return {"exemplar": edit.exemplar.to_json(embed=embed), "region": region, "targets": targets}
