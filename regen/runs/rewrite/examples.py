"""From an edits file to the examples of a rule: images loaded, seeds drawn, regions found."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from regen.edits.schema import Edit, Edits, NamedRegion, PasteOracle, Pattern, Target
from regen.edits.values import DEFAULT_GENERATOR
from regen.errors import EditsError, RegionError
from regen.generators.registry import AnyGenerator, open_generator
from regen.images.regions import Region
from regen.portraits import attributes, region, render, seed_to_z
from regen.rewriting.rule import Example


@dataclass(frozen=True)
class LabelledExample:
    """An example of a rule, and the seed it belongs to.

    Attributes:
        example: What the rule is built from.
        seed: Of the target.
        label: What the report calls the exemplar.
    """

    example: Example
    seed: int
    label: str


def load_examples(edits: Edits, generator: AnyGenerator) -> list[LabelledExample]:
    """Load every exemplar and target of an edits file.

    Returns:
        One entry per target, in the order of the file.

    Raises:
        EditsError: If a named region is asked for where the renderer does not know it, or a target
            is a picture.
        ImageError: If an exemplar cannot be read.
        RegionError: If a region reaches outside its image.
    """
    check_names(edits)
    examples = []
    for index, edit in enumerate(edits.edits):
        image, place = _exemplar(edit, index, generator.resolution)
        _check_inside(place, f"edits[{index}].region", *image.shape[2:])
        for number, target in enumerate(edit.targets):
            path = f"edits[{index}].targets[{number}]"
            seed, truncation = _seed(target, path), _truncation(target)
            latent = generator.latents([seed], truncation)
            onto = _target_region(target, seed, path, generator.resolution)
            _check_inside(onto, f"{path}.region", generator.resolution, generator.resolution)
            example = Example(image, place, latent, onto)
            examples.append(LabelledExample(example, seed, _label(edit)))
    return examples


def check_names(edits: Edits) -> None:
    """Raise EditsError if edits name regions or an oracle that their generator does not have."""
    if isinstance(edits.oracle, PasteOracle):
        raise EditsError(
            "oracle",
            got='{"paste": true}, which regen does not measure yet',
            expected="the name of a pattern",
            remedy="remove it",
        )
    if edits.generator == DEFAULT_GENERATOR:
        return
    if edits.oracle:
        raise EditsError("oracle: only the generator 'portraits' has one", remedy="remove it")
    for index, edit in enumerate(edits.edits):
        for number, target in enumerate(edit.targets):
            if isinstance(target.region, NamedRegion):
                raise EditsError(
                    f"edits[{index}].targets[{number}].region: only the generator 'portraits' has "
                    "named regions",
                    remedy="give a box or a polygon",
                )


def _seed(target: Target, path: str) -> int:
    sample = target.sample
    if sample.seed is None or (sample.picture, sample.style, sample.hole) != (None, None, None):
        raise EditsError(
            path,
            got=f"a target with {', '.join(sample.to_json(embed=False))}",
            expected="a seed, which is all that samples of this generator are made of",
        )
    return sample.seed


def _truncation(target: Target) -> float:
    return 1.0 if target.sample.truncation is None else target.sample.truncation


def _check_inside(region: Region, path: str, height: int, width: int) -> None:
    """Raise RegionError, naming the path in the edits file, if a region leaves its image."""
    try:
        region.mask(height, width)
    except RegionError as error:
        raise RegionError(
            f"{path}: {error.problem}",
            got=error.got,
            expected=error.expected,
            remedy=error.remedy,
        ) from error


def _label(edit: Edit) -> str:
    exemplar = edit.exemplar
    if isinstance(exemplar, Pattern):
        return f"{exemplar.pattern.replace('_', ' ')} drawn on the face of seed {exemplar.seed}"
    return "embedded image" if exemplar.source.startswith("data:") else exemplar.source


def _exemplar(edit: Edit, index: int, resolution: int) -> tuple[Tensor, Region]:
    """The exemplar's image and its region."""
    exemplar = edit.exemplar
    if not isinstance(exemplar, Pattern):
        image = exemplar.load()
        if isinstance(edit.region, NamedRegion):
            raise EditsError(
                f"edits[{index}].region",
                got=f"the portraits' region {edit.region.name!r}",
                expected="a box, polygon, ellipse or mask in pixels of the exemplar",
                remedy="regions have names only in images that the renderer draws",
            )
        return image, edit.region
    person = attributes(seed_to_z([exemplar.seed]))
    if exemplar.generator is None:
        image = render(person, resolution, exemplar.pattern)
    else:
        other = open_generator(exemplar.generator)
        image = other(other.latents([exemplar.seed]))
    if not isinstance(edit.region, NamedRegion):
        return image, edit.region
    mask = region(person, edit.region.name, image.shape[2])
    return image, Region.drawn(mask)


def _target_region(target: Target, seed: int, path: str, resolution: int) -> Region:
    if not isinstance(target.region, NamedRegion):
        return target.region
    if (truncation := _truncation(target)) != 1:
        raise EditsError(
            f"{path}.region",
            got=f"the portraits' region {target.region.name!r} at truncation {truncation:g}",
            expected="truncation 1",
            remedy="the renderer knows only untruncated seeds; draw a box or polygon instead",
        )
    person = attributes(seed_to_z([seed]))
    return Region.drawn(region(person, target.region.name, resolution))
