"""The edits file: which pattern goes where, in a JSON file that people write.

An *edit* names an exemplar (an image that holds the new pattern), the region where the pattern is,
and one or more targets: samples of the generator, each with the region that the pattern takes over.
`read_edits` checks everything that can be checked without a generator; whether a region lies inside
its image is checked when the image is known, by `Region.mask`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from regen.edits.checked_json import Node, read_json
from regen.edits.exemplars import Image, Pattern, read_exemplar
from regen.edits.region_json import PORTRAITS, NamedRegion, read_region, region_to_json
from regen.images.regions import Region

__all__ = [
    "Edit",
    "Edits",
    "NamedRegion",
    "Pattern",
    "Image",
    "Target",
    "Weights",
    "read_edits",
]

VERSION = 1
_TOP = (
    "generator",
    "projector",
    "value_layer",
    "memory_layers",
    "weights",
    "align",
    "scale",
    "feather",
)


@dataclass(frozen=True)
class Weights:
    """Weight of the rule inside the region (`new`, above 0) and outside of it (`old`, from 0)."""

    new: float = 10.0
    old: float = 4.0


@dataclass(frozen=True)
class Target:
    """A sample of the generator, and the region of it whose rule changes."""

    seed: int
    region: Region | NamedRegion
    truncation: float = 1.0

    def request(self) -> dict[str, object]:
        """What a generator is asked for."""
        return {"seed": self.seed, "truncation": self.truncation}


@dataclass(frozen=True)
class Edit:
    """A pattern, and the targets that receive it."""

    exemplar: Image | Pattern
    region: Region | NamedRegion
    targets: tuple[Target, ...]


@dataclass(frozen=True)
class Edits:
    """A whole edits file.

    Attributes:
        edits: At least one.
        generator: Name, or absolute path.
        projector: Absolute path, or None for the one that belongs to the generator.
        value_layer: Convolution whose output is the value, from 1; None for the default.
        memory_layers: How many convolutions the memory has, from 1; None for the default.
        weights: Of new and of old.
        align: Lay the exemplar on the target as an image, or as features.
        scale: "uniform" enlarges the exemplar equally along both axes until it covers the target's
            region, so that nothing is distorted; "stretch" fits its region exactly.
        feather: Softness of pasted edges in pixels of the image, from 0; None for the default.
        oracle: Pattern of the renderer that the result is measured against, or None.
    """

    edits: tuple[Edit, ...]
    generator: str = PORTRAITS
    projector: str | None = None
    value_layer: int | None = None
    memory_layers: int | None = None
    weights: Weights = Weights()
    align: Literal["image", "feature"] = "image"
    scale: Literal["uniform", "stretch"] = "uniform"
    feather: float | None = None
    oracle: str | None = None

    def to_json(self, *, embed: bool = False) -> dict[str, Any]:
        """What `read_edits` reads back as the same edits, from a file in any folder.

        Args:
            embed: Put images in as data URIs, so that one file is enough.

        Raises:
            ImageError: If an image to embed cannot be read.
        """
        content: dict[str, Any] = {"version": VERSION, "generator": self.generator}
        for key in ("projector", "value_layer", "memory_layers", "feather", "oracle"):
            if getattr(self, key) is not None:
                content[key] = getattr(self, key)
        content["weights"] = {"new": self.weights.new, "old": self.weights.old}
        content["align"], content["scale"] = self.align, self.scale
        content["edits"] = [_edit_to_json(edit, embed) for edit in self.edits]
        return content


def read_edits(path: Path | str) -> Edits:
    """Read and check an edits file. Paths in it are relative to it.

    Raises:
        EditsError: If it breaks the schema. The message begins with the file and the path in it.
    """
    top = read_json(path)
    folder = Path(path).resolve().parent
    if isinstance(top.value, dict) and "version" in top.value:
        _check_version(Node(top.value["version"], "version", top.file))
    members = top.members(("version", "edits"), (*_TOP, "oracle"))
    generator = members["generator"].name_or_file(folder) if "generator" in members else PORTRAITS
    edits = Edits(
        edits=tuple(_edit(node, folder, generator) for node in _list(members["edits"], "edit")),
        generator=generator,
        projector=_optional(members, "projector", lambda node: node.existing_file(folder)),
        value_layer=_optional(members, "value_layer", lambda node: node.integer(1)),
        memory_layers=_optional(members, "memory_layers", lambda node: node.integer(1)),
        weights=_optional(members, "weights", _weights) or Weights(),
        align=_align(members["align"]) if "align" in members else "image",
        scale=_scale(members["scale"]) if "scale" in members else "uniform",
        feather=_optional(members, "feather", lambda node: node.number(0)),
        oracle=_optional(members, "oracle", lambda node: node.text("the name of a pattern")),
    )
    if edits.oracle and generator != PORTRAITS:
        members["oracle"].fail("only the generator 'portraits' has one", remedy="remove it")
    if (edits.memory_layers or 1) > (edits.value_layer or 10**6):
        members["memory_layers"].fail(expected=f"at most the value_layer, {edits.value_layer}")
    return edits


def _check_version(node: Node) -> None:
    if type(node.value) is not int or node.value != VERSION:
        newer = isinstance(node.value, int) and node.value > VERSION
        node.fail(expected=str(VERSION), remedy="update regen" if newer else None)


def _optional(members: dict[str, Node], key: str, read: Callable[[Node], Any]) -> Any:
    node = members.get(key)
    return None if node is None or node.value is None else read(node)


def _scale(node: Node) -> Literal["uniform", "stretch"]:
    return "uniform" if node.choice(("uniform", "stretch")) == "uniform" else "stretch"


def _align(node: Node) -> Literal["image", "feature"]:
    return "feature" if node.choice(("image", "feature")) == "feature" else "image"


def _list(node: Node, what: str) -> list[Node]:
    return node.items(f"a list of at least one {what}")


def _weights(node: Node) -> Weights:
    members = node.members((), ("new", "old"))
    new = members["new"].number(0, above=True) if "new" in members else Weights.new
    return Weights(new, members["old"].number(0) if "old" in members else Weights.old)


def _edit(node: Node, folder: Path, generator: str) -> Edit:
    members = node.members(("exemplar", "region", "targets"), ())
    exemplar = read_exemplar(members["exemplar"], folder)
    region = read_region(members["region"], folder)
    if isinstance(region, NamedRegion) and isinstance(exemplar, Image):
        members["region"].fail(
            "only an exemplar that is a pattern has named regions", remedy="give a box or a polygon"
        )
    targets = _list(members["targets"], "target")
    return Edit(exemplar, region, tuple(_target(one, folder, generator) for one in targets))


def _target(node: Node, folder: Path, generator: str) -> Target:
    members = node.members(("seed", "region"), ("truncation",))
    region = read_region(members["region"], folder)
    if isinstance(region, NamedRegion) and generator != PORTRAITS:
        members["region"].fail(
            "only the generator 'portraits' has named regions", remedy="give a box or a polygon"
        )
    truncation = members["truncation"].number(0) if "truncation" in members else 1.0
    return Target(members["seed"].integer(0), region, truncation)


def _edit_to_json(edit: Edit, embed: bool) -> dict[str, Any]:
    targets = [
        {
            "seed": target.seed,
            "truncation": target.truncation,
            "region": region_to_json(target.region, embed),
        }
        for target in edit.targets
    ]
    region = region_to_json(edit.region, embed)
    return {"exemplar": edit.exemplar.to_json(embed=embed), "region": region, "targets": targets}
