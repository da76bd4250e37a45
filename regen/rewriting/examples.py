"""From an edits file to the examples of a rule: images loaded, targets generated, regions found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from regen.edits.schema import Edit, Edits, Image, NamedRegion, Pattern, Target
from regen.errors import EditsError, RegionError, within
from regen.files.limits import MAX_EDITS_PIXELS, MAX_WHOLE_PIXELS
from regen.generators import bundled
from regen.generators.convolution_keys import KeyedSplit
from regen.generators.protocol import Generator, Oracle, Sample, Source
from regen.generators.registry import open_generator
from regen.generators.split import Latent, Split
from regen.images.regions import Region
from regen.images.shapes import Mask
from regen.images.transparency import VISIBLE, seen
from regen.rewriting.composite import Example
from regen.rewriting.settings import FitSettings

_MOST_GIVEN = 0.02  # of a region: its soft edge


@dataclass(frozen=True)
class Exemplar:
    """The image that an edit takes its pattern from.

    Attributes:
        image: ``[1, 3, H, W]`` in [-1, 1].
        region: Where the pattern is, in pixels of `image`.
        label: Its name, to display.
        alpha: Opacity, ``[1, 1, H, W]`` in [0, 1], or None where it is opaque.
        drawn: Whether the region is a mask of the pattern itself, not only a shape around it.
    """

    image: Tensor
    region: Region
    label: str
    alpha: Tensor | None
    drawn: bool


def load_exemplars(edits: Edits, generator: Generator) -> list[Exemplar]:
    """The exemplar of every edit: read, or drawn by the renderer of the portraits.

    Args:
        edits: The edits.
        generator: Decides at which size the renderer draws.

    Raises:
        EditsError: If a region is given by a name that no oracle knows.
        ImageError: If an exemplar cannot be read.
        RegionError: If a region reaches outside its image, or shows nothing of its exemplar.
    """
    images = _Images()
    return [
        _exemplar(edit, edits.where(f"edits[{index}]"), generator, images)
        for index, edit in enumerate(edits.edits)
    ]


def load_examples(edits: Edits, generator: Generator) -> list[Example]:
    """Load every exemplar and target of an edits file.

    Returns:
        One example for each target, in the order of the file; one for each hole of a target with
        several.

    Raises:
        EditsError: If a region is given by a name that no oracle knows, or a target cannot be a
            sample of this generator.
        ImageError: If an exemplar cannot be read.
        RegionError: If a region reaches outside its image, or shows nothing of its exemplar.
    """
    examples, images = [], _Images()
    for index, edit in enumerate(edits.edits):
        where = edits.where(f"edits[{index}]")
        exemplar = _exemplar(edit, where, generator, images)
        for number, target in enumerate(edit.targets):
            path = f"{where}.targets[{number}]"
            for sample in target_samples(generator, target, path):
                region = _target_region(generator.oracle, target, sample, path)
                with within(path):
                    latent = generator.latents([sample])
                size = _size_of(generator, latent)
                _check_inside(region, f"{path}.region", *size)
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
    return generator.image_size if given is None else (int(given.shape[2]), int(given.shape[3]))


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


def _label(edit: Edit) -> str:
    """Name of an edit's exemplar, to display."""
    exemplar = edit.exemplar
    if isinstance(exemplar, Pattern):
        return f"{exemplar.pattern.replace('_', ' ')} on the face of seed {exemplar.seed}"
    return "embedded image" if exemplar.source.startswith("data:") else exemplar.source


def _is_drawn(region: Region | NamedRegion) -> bool:
    """Whether a region of an exemplar is a mask that somebody drew around the pattern itself."""
    return isinstance(region, Region) and all(isinstance(s, Mask) for s in region.shapes)


def _check_inside(region: Region, path: str, height: int, width: int) -> None:
    """Raise RegionError, naming the path in the edits file, if a region is not inside its image."""
    with within(path):
        region.mask(height, width)


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


class _Images:
    """The images of an edits file, each loaded once, and all together of a bounded size."""

    def __init__(self) -> None:
        self._loaded: dict[Image, tuple[Tensor, Tensor | None]] = {}
        self._pixels_left = MAX_EDITS_PIXELS

    def load(self, image: Image, where: str) -> tuple[Tensor, Tensor | None]:
        if image not in self._loaded:
            most = min(self._pixels_left, MAX_WHOLE_PIXELS)
            loaded = image.load_layers(within=where, most_pixels=most)
            self._pixels_left -= loaded[0][0, 0].numel()
            self._loaded[image] = loaded
        return self._loaded[image]


def _exemplar(edit: Edit, where: str, generator: Generator, images: _Images) -> Exemplar:
    image, alpha, region = _image_and_region(edit, where, generator, images)
    _check_inside(region, f"{where}.region", *image.shape[2:])
    if alpha is not None and seen(region.mask(*alpha.shape[2:]), alpha).amax() < VISIBLE:
        got = "only transparent pixels of the exemplar"
        raise RegionError(f"{where}.region", got=got, expected="a region where it is visible")
    return Exemplar(image, region, _label(edit), alpha, _is_drawn(edit.region))


def _image_and_region(
    edit: Edit, where: str, generator: Generator, images: _Images
) -> tuple[Tensor, Tensor | None, Region]:
    """The exemplar's image, its opacity if any of it is transparent, and its region."""
    exemplar = edit.exemplar
    if not isinstance(exemplar, Pattern):
        if isinstance(edit.region, NamedRegion):
            raise EditsError(
                f"{where}.region",
                got=f"the portraits' region {edit.region.name!r}",
                expected="a box, polygon, ellipse or mask in pixels of the exemplar",
                remedy="only images of the renderer have named regions",
            )
        return *images.load(exemplar, f"{where}.exemplar"), edit.region
    with within(f"{where}.exemplar"):
        image, region = _drawn(exemplar, edit.region, generator)
    return image, None, region


def _drawn(
    exemplar: Pattern, region: Region | NamedRegion, generator: Generator
) -> tuple[Tensor, Region]:
    """The face that the renderer draws, or that a generator makes of its seed, and its region."""
    person = Sample(label=f"seed {exemplar.seed}", index=exemplar.seed)
    if exemplar.generator is None:
        oracle = generator.oracle or bundled.renderer(generator.image_size)
        image = oracle.wanted([person], exemplar.pattern)
    else:
        other = open_generator(exemplar.generator)
        oracle = other.oracle or bundled.renderer(other.image_size)
        image = other.images([other.sample({"seed": exemplar.seed})])
    if not isinstance(region, NamedRegion):
        return image, region
    return image, Region.from_mask(oracle.region(region.name, [person]))


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
