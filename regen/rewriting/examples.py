"""From an edits file to the examples of a rule: targets generated, and their regions found."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from regen.edits.schema import Edits, NamedRegion, Target
from regen.errors import EditsError, within
from regen.generators.convolution_keys import KeyedSplit
from regen.generators.protocol import Generator, Oracle, Sample, Source
from regen.generators.split import Latent, Split
from regen.images.raster import size_of
from regen.images.regions import Region
from regen.rewriting.composite import Example
from regen.rewriting.exemplars import check_inside, load_exemplars
from regen.rewriting.settings import FitSettings

_MOST_GIVEN = 0.02  # of a region: its soft edge


def load_examples(
    edits: Edits, generator: Generator, source: Source | None = None
) -> list[Example]:
    """Load every exemplar and target of an edits file.

    Args:
        edits: The edits.
        generator: Makes the targets.
        source: Samples beside which they are learned, whose size they must have; by default they
            must have one size.

    Returns:
        One example for each target, in the order of the file; one for each hole of a target with
        several.

    Raises:
        EditsError: If a region is given by a name that no oracle knows, a target cannot be a
            sample of this generator, or has an image of another size.
        ImageError: If an exemplar cannot be read.
        RegionError: If a region reaches outside its image, or shows nothing of its exemplar.
    """
    examples: list[Example] = []
    first = None if source is None else _size_of_samples(generator, source)
    for index, exemplar in enumerate(load_exemplars(edits, generator)):
        for number, target in enumerate(edits.edits[index].targets):
            path = edits.where(f"edits[{index}].targets[{number}]")
            for sample in target_samples(generator, target, path):
                region = _target_region(generator.oracle, target, sample, path)
                with within(path):
                    latent = generator.latents([sample])
                    size = _size_of(generator, latent)
                    first = first or size
                    _check_size(size, first)
                check_inside(region, f"{path}.region", *size)
                guide = generator.changeable(latent)
                _check_changeable(region, f"{path}.region", guide)
                examples.append(
                    Example(
                        exemplar.image,
                        exemplar.region,
                        latent,
                        region,
                        exemplar_label=exemplar.label,
                        target_label=sample.label,
                        alpha=exemplar.alpha,
                        drawn=exemplar.drawn,
                        guide=guide,
                        area=float(region.mask(*size).mean()),
                    )
                )
    return examples


def _size_of(generator: Generator, latent: Latent) -> tuple[int, int]:
    """Height and width of the image of a latent; images of one's own may be longer than others."""
    given = generator.shown_input(latent)
    return generator.image_size if given is None else size_of(given)


def _size_of_samples(generator: Generator, source: Source) -> tuple[int, int]:
    """Height and width of a source's images: those of a folder may be longer than wide."""
    if source.count is None:
        return generator.image_size
    return _size_of(generator, generator.latents(source.samples([0])))


def _check_size(size: tuple[int, int], wanted: tuple[int, int]) -> None:
    if size != wanted:
        (height, width), (high, wide) = size, wanted
        raise EditsError(
            "size of its image for this generator",
            got=f"{width} x {height}",
            expected=f"{wide} x {high}, as that of the samples beside it",
            remedy="crop it to that shape, or give a folder of images of its own with --images",
        )


def target_samples(generator: Generator, target: Target, path: str) -> list[Sample]:
    """The samples of a generator that a target describes: several where it has several holes.

    Raises:
        EditsError: If the generator has no such sample, naming the target's path.
    """
    with within(path, EditsError):
        return [generator.sample(request) for request in target.sample.requests()]


def taken_by(edits: Edits, generator: Generator, source: Source) -> set[int]:
    """Numbers of a generator's source that are targets, or of which targets are variants."""
    targets = (target for edit in edits.edits for target in edit.targets)
    numbers = (source.index_of(generator.sample(target.sample.request())) for target in targets)
    return {number for number in numbers if number is not None}


def mean_area(examples: Sequence[Example]) -> float:
    """Mean area of the targets' regions, as a share of the image."""
    return sum(example.area for example in examples) / max(1, len(examples))


def resolved_fit(asked: FitSettings, split: Split, examples: Sequence[Example]) -> FitSettings:
    """Settings of a fit with those that depend on the memory, and on how large regions are."""
    keyed = isinstance(split, KeyedSplit)
    return asked.resolved(keyed=keyed, layers=split.memory_layers, area=mean_area(examples))


def _check_changeable(region: Region, path: str, changeable: Tensor | None) -> None:
    """Raise EditsError if a part of a region is where images can never change."""
    if changeable is None:
        return
    mask = region.mask(*changeable.shape[2:])
    given = float((mask * (1 - changeable.cpu())).sum() / mask.sum())
    if given > _MOST_GIVEN:
        raise EditsError(
            path,
            got=f"{given:.0%} of it outside of the hole",
            expected="a region inside of the hole",
            remedy="pixels outside of it are given, not generated: enlarge the hole with 'grow'",
        )


def _target_region(oracle: Oracle | None, target: Target, sample: Sample, path: str) -> Region:
    if not isinstance(target.region, NamedRegion):
        return target.region
    if oracle is None:
        raise EditsError(
            f"{path}.region",
            got=f"the name {target.region.name!r}",
            expected="a box, polygon, ellipse or mask",
            remedy="only the bundled portraits have named regions",
        )
    if not oracle.knows(sample):
        raise EditsError(
            f"{path}.region",
            got=f"the portraits' region {target.region.name!r} for a sample the renderer lacks",
            expected="a sample that the renderer knows: people by their seeds, untruncated",
            remedy="give a box or polygon instead",
        )
    with within(f"{path}.region"):
        return Region.from_mask(oracle.region(target.region.name, [sample]))
