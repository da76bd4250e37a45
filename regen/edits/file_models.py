"""The keys of an edits file and their meaning: what `read_edits` reads, and its JSON Schema."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, Tag, ValidationInfo, field_validator

from regen.edits.exemplars import ExemplarField, Image, ImageField
from regen.edits.inputs import Hole, HoleField, SamplesField
from regen.edits.paths import ExistingFile, NameOrFile
from regen.edits.region_json import NamedRegion, RegionField
from regen.edits.samples import SampleSpec, StyleField
from regen.edits.validation import (
    NOT_EMPTY,
    OBJECT,
    TEXT,
    TEXT_OR_OBJECT,
    EditsFile,
    Expected,
    Feather,
    Integer1,
    ObjectModel,
    OneOf,
    ReadAs,
    Seed,
    Truncation,
    WeightFrom0,
    WeightOfRegion,
    located,
)
from regen.edits.values import DEFAULT_GENERATOR, Edit, Edits, PasteOracle, Target, Weights
from regen.errors import EditsError
from regen.files.limits import MAX_EDITS, MAX_TARGETS
from regen.images import ImageWarning
from regen.images.regions import Region


class SampleJson(ObjectModel):
    """A sample of the generator: a seed, or an image that the generator translates or inpaints."""

    model_config = ConfigDict(
        json_schema_extra={"anyOf": [{"required": ["seed"]}, {"required": ["picture"]}]}
    )

    seed: Seed | None = Field(
        default=None,
        description="Seed of the sample; together with a picture and a style or a hole, the seed "
        "of the random part.",
    )
    truncation: Truncation | None = Field(
        default=None,
        description="How far the sample may be from the mean: 1, the default, does not truncate, "
        "and 0 is the mean. For generators that support truncation.",
    )
    picture: ImageField | None = Field(
        default=None,
        description="The image that the generator translates or inpaints: a path relative to this "
        "file, a data URI, or skimage:NAME.",
    )
    style: StyleField | None = Field(
        default=None,
        description="For a generator that translates: the style of the result, by its seed, or as "
        "that of a picture.",
    )
    hole: HoleField | None = Field(
        default=None,
        description="For a generator that inpaints: the region to fill, in pixels of the picture. "
        "Everything outside it is kept.",
    )


def _sample(written: SampleJson, _: EditsFile) -> SampleSpec:
    hole = written.hole
    region, grow = (None, (0,)) if hole is None else (hole.region, hole.grow)
    return SampleSpec(
        written.seed, written.truncation, written.picture, written.style, region, grow
    )


SampleField = Annotated[SampleSpec, ReadAs(SampleJson, _sample)]


class TargetJson(SampleJson):
    """A sample of the generator, and the region of it that the pattern takes over.

    The sample is either a seed, or an image that the generator translates or inpaints.
    """

    region: RegionField = Field(
        description="The part of the generated image that the pattern takes over, in its pixels."
    )


def _target(written: TargetJson, file: EditsFile) -> Target:
    return Target(_sample(written, file), written.region)


TargetField = Annotated[Target, ReadAs(TargetJson, _target)]


class EditJson(ObjectModel):
    """A pattern, and the samples that receive it."""

    exemplar: ExemplarField = Field(
        description="The image that holds the new pattern: a path relative to this file, a data "
        "URI, or skimage:NAME for a photograph of scikit-image; or a face that the renderer of "
        "the portraits draws with a pattern."
    )
    region: RegionField = Field(
        description="Where the pattern is in the exemplar, in pixels of the exemplar."
    )
    targets: Annotated[
        list[TargetField],
        Field(min_length=1, max_length=MAX_TARGETS),
        Expected(f"a list of at least one target and at most {MAX_TARGETS}"),
    ] = Field(description="The samples that receive the pattern: one to three are usual.")

    @field_validator("region")
    @classmethod
    def _is_known(cls, region: Region | NamedRegion, info: ValidationInfo) -> Region | NamedRegion:
        if isinstance(region, NamedRegion) and isinstance(info.data.get("exemplar"), Image):
            problem = "only an exemplar that is a pattern has named regions"
            raise located(EditsError(problem, remedy="give a box or a polygon"))
        return region


def _edit(written: EditJson, _: EditsFile) -> Edit:
    return Edit(written.exemplar, written.region, tuple(written.targets))


EditField = Annotated[Edit, ReadAs(EditJson, _edit)]


class WeightsJson(ObjectModel):
    """Weights of the loss inside the region and in the rest of the targets (Eq. (11))."""

    new: WeightOfRegion | None = Field(default=None, description="p, inside the region.")
    old: WeightFrom0 | None = Field(default=None, description="q, outside of the region.")


class PasteOracleJson(ObjectModel):
    """The pattern pasted into each sample, for generators whose samples are aligned."""

    paste: Annotated[Literal[True], Expected("true")] = Field(
        description="true: compare with the exemplar pasted into every sample at the mean place "
        "of its targets' regions, a pseudo-oracle."
    )


WeightsField = Annotated[
    Weights, ReadAs(WeightsJson, lambda written, _: Weights(written.new, written.old))
]
_EITHER = Expected('the name of a pattern, or {"paste": true}')
_OracleJson = Annotated[
    Annotated[str, NOT_EMPTY, _EITHER, Tag(TEXT)] | Annotated[PasteOracleJson, Tag(OBJECT)],
    TEXT_OR_OBJECT,
    _EITHER,
]
OracleField = Annotated[
    str | PasteOracle,
    ReadAs(_OracleJson, lambda written, _: written if isinstance(written, str) else PasteOracle()),
]


class EditsJson(ObjectModel):
    """What to rewrite in a generator: patterns, and the samples that receive them.

    Paths are relative to the file. Whatever is not given here is taken from the run's settings.
    """

    model_config = ConfigDict(title="An edits file of regen")

    version: Annotated[Literal[1], Expected("1")] = Field(description="Version of this format: 1.")
    edits: Annotated[
        list[EditField],
        Field(min_length=1, max_length=MAX_EDITS),
        Expected(f"a list of at least one edit and at most {MAX_EDITS}"),
    ] = Field(description="The patterns, each with the samples that receive it.")
    generator: NameOrFile | None = Field(
        default=None,
        description=f"Name or file of the generator; by default {DEFAULT_GENERATOR}.",
    )
    projector: ExistingFile | None = Field(
        default=None, description="File of the projector; by default the generator's own."
    )
    value_layer: Integer1 | None = Field(
        default=None,
        description="Convolution whose output is the value, counted from 1; by default the "
        "projector's.",
    )
    memory_layers: Integer1 | None = Field(
        default=None,
        description="Number of convolutions, up to the value layer, that learn the rule.",
    )
    weights: WeightsField | None = Field(default=None, description="Weights p and q of the loss.")
    align: Annotated[Literal["image", "feature"], OneOf()] | None = Field(
        default=None,
        description="Whether the exemplar is pasted into the target as an image and then "
        "projected, or is projected and pasted as features.",
    )
    scale: Annotated[Literal["uniform", "stretch"], OneOf()] | None = Field(
        default=None,
        description="How the exemplar's region is resized to the target's: enlarged equally along "
        "both axes until it covers it, or stretched to fit exactly.",
    )
    shape: Annotated[Literal["auto", "exemplar", "target"], OneOf()] | None = Field(
        default=None,
        description="Whose outline is pasted: the exemplar's own, inside the target's region, or "
        "that of the target's region; auto, the default, takes the exemplar's where it is "
        "transparent in places, or where its region is a mask.",
    )
    blend: Annotated[Literal["none", "gain", "poisson"], OneOf()] | None = Field(
        default=None,
        description="How the pattern's light is fitted to the image around it: gain brightens or "
        "darkens all of it, poisson shifts its colours so that they agree at the seam; none, the "
        "default, keeps its colours.",
    )
    feather: Feather | None = Field(
        default=None, description="Radius of the soft edge of what is pasted, in pixels."
    )
    oracle: OracleField | None = Field(
        default=None,
        description="What the result is measured against: the name of a pattern that the "
        "generator's oracle knows, or the pattern pasted into each sample.",
    )
    samples: SamplesField | None = Field(
        default=None,
        description="For a generator that changes images: where the samples that must stay, and "
        "the unseen ones, are taken from.",
    )
    json_schema: Annotated[str, Expected("text")] | None = Field(
        default=None, alias="$schema", description="Path of this schema, for editors; ignored."
    )

    @field_validator("memory_layers")
    @classmethod
    def _fits(cls, memory_layers: int | None, info: ValidationInfo) -> int | None:
        value_layer = info.data.get("value_layer")
        if memory_layers is not None and value_layer is not None and memory_layers > value_layer:
            expected = f"at most the value_layer, {value_layer}"
            raise located(EditsError("", got=memory_layers, expected=expected))
        return memory_layers


def _regions(written: EditsJson) -> Iterator[tuple[str, object]]:
    """Every region of a file, with its path."""
    for index, edit in enumerate(written.edits):
        yield f"edits[{index}].region", edit.region
        for number, target in enumerate(edit.targets):
            yield f"edits[{index}].targets[{number}].region", target.region
            yield f"edits[{index}].targets[{number}].hole", target.sample.hole
    holes = None if written.samples is None else written.samples.holes
    yield "samples.holes", holes.region if isinstance(holes, Hole) else None


def _make_remarks(written: EditsJson, file: EditsFile) -> None:
    """Say what the user of a mask should know, with its path, once all paths are known."""
    paths = {id(region): path for path, region in _regions(written)}
    for region, remark in file.remarks:
        if id(region) in paths:
            said = f"{file.name}: {paths[id(region)]}.mask: {remark}"
            warnings.warn(said, ImageWarning, stacklevel=2)


def _edits(written: EditsJson, file: EditsFile) -> Edits:
    targets = sum(len(edit.targets) for edit in written.edits)
    if targets > MAX_TARGETS:
        raise EditsError("targets", got=f"{targets} in all", expected=f"at most {MAX_TARGETS}")
    _make_remarks(written, file)
    return Edits(
        edits=tuple(written.edits),
        generator=written.generator or DEFAULT_GENERATOR,
        projector=written.projector,
        value_layer=written.value_layer,
        memory_layers=written.memory_layers,
        weights=written.weights or Weights(),
        align=written.align,
        scale=written.scale,
        shape=written.shape,
        blend=written.blend,
        feather=written.feather,
        oracle=written.oracle,
        samples=written.samples,
        file=file.name,
    )


EditsField = Annotated[Edits, ReadAs(EditsJson, _edits)]
