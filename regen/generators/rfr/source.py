"""Samples of an inpainting generator: an image, and the hole in it that is to be filled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from regen.edits.schema import NamedRegion
from regen.errors import GeneratorError
from regen.generators.pictures import (
    Folder,
    People,
    Person,
    Pictures,
    PictureSample,
    PictureSource,
    picture_of,
    pictures_in,
)
from regen.generators.protocol import Oracle, Sample
from regen.images.listing import image_files
from regen.images.regions import Region
from regen.numbers import plain

MOST_GROWN = 64  # pixels
MOST_PASSES = 8
RANDOM = "random"
PARTS = ("eyes", "nose", "mouth", "glasses")  # of a person, that random holes hide
_KNOWN = ("seed", "picture", "hole", "grow", "passes")


@dataclass(frozen=True)
class RandomHole:
    """A hole of a random kind; equal seeds and images give equal holes."""

    seed: int


@dataclass(frozen=True)
class MaskFile:
    """A mask in a file of any size, white where the image is to be filled."""

    location: str


Hole = Region | NamedRegion | RandomHole | MaskFile


@dataclass(frozen=True, kw_only=True)
class FillSample(PictureSample):
    """An image and its hole.

    Attributes:
        hole: What of it is to be filled.
        grow: By how many pixels of the generator's image the hole is larger than that.
        passes: How often the network fills it, for holes that one pass leaves grey in the middle.
        label: Name of the image.
    """

    hole: Hole
    grow: int = 0
    passes: int = 1
    label: str = field(init=False)

    def __post_init__(self) -> None:
        _check_count("grow", self.grow, 0, MOST_GROWN)
        _check_count("passes", self.passes, 1, MOST_PASSES)
        object.__setattr__(self, "label", self.picture.label)


@dataclass(frozen=True)
class FillSource(PictureSource):
    """Numbered images, each with a hole.

    Attributes:
        hole: The one that all have; None for a random one each.
        grow: By how many pixels `hole` is larger.
        masks: Files of masks, one for each image; instead of `hole`.
        passes: As those of `FillSample`.
    """

    hole: Hole | None = None
    grow: int = 0
    masks: Sequence[Path] = ()
    passes: int = 1

    def alike(self, sample: Sample, indices: Iterable[int]) -> list[Sample]:
        """Images of these numbers with the hole of a sample.

        A shape belongs to its own image alone, and only people have parts with names.
        """
        assert isinstance(sample, FillSample)
        if not isinstance(sample.hole, NamedRegion) or not isinstance(self.pictures, People):
            return self.samples(indices)
        return replace(self, hole=sample.hole, grow=sample.grow, masks=()).samples(indices)

    def sample(self, index: int) -> FillSample:
        """The image of a number, with its hole."""
        hole: Hole = self.hole or RandomHole(index % 2**32)
        if self.masks:
            hole = MaskFile(str(self.masks[index % len(self.masks)]))
        grow = 0 if self.hole is None else self.grow
        picture = self.pictures.picture(index)
        return FillSample(picture=picture, hole=hole, grow=grow, passes=self.passes, index=index)


def read_source(
    images: Path | None, inputs: Mapping[str, object], oracle: Oracle | None
) -> FillSource:
    """The source of a folder of images, or of rendered people where there is none.

    Args:
        images: The folder.
        inputs: ``holes``: a region, the path of a mask, a folder of masks, or "random";
            ``grow`` and ``passes``: as those of `FillSample`.
        oracle: Of the generator, which is needed for people.

    Raises:
        GeneratorError: If there are neither images nor people, or there are other inputs.
        ImageError: If a folder has no images.
    """
    for name in inputs:
        if name not in ("holes", "grow", "passes"):
            raise _unknown(f"samples with {name}", "holes")
    pictures = pictures_in(images, oracle, "fill holes in")
    holes = inputs.get("holes", RANDOM)
    grow, passes = _counts(inputs)
    source = FillSource(pictures, oracle, passes=passes)
    if holes == RANDOM:
        return source
    if isinstance(holes, Path):
        return replace(source, masks=_masks(holes, pictures))
    if isinstance(holes, str):
        return replace(source, hole=MaskFile(holes), grow=grow)
    if not isinstance(holes, (Region, NamedRegion)):
        raise GeneratorError("holes", got=repr(holes), expected="a region, or a folder of masks")
    return replace(source, hole=holes, grow=grow)


def _masks(folder: Path, pictures: Pictures) -> Sequence[Path]:
    """The masks of a folder, for each image the one of the same name, or all in their order."""
    masks = [folder.resolve() / path.name for path in image_files(folder)]
    if not isinstance(pictures, Folder):
        return masks
    by_name = {path.stem: path for path in masks}
    if all(path.stem in by_name for path in pictures.paths):
        return [by_name[path.stem] for path in pictures.paths]
    if len(masks) not in (1, pictures.count):
        raise GeneratorError(
            f"masks in {folder}",
            got=str(len(masks)),
            expected=f"one for each of {pictures.count} images, by name or in order, or one",
        )
    return masks


def read_sample(request: Mapping[str, object]) -> FillSample:
    """The sample that a request describes.

    Args:
        request: ``seed`` or ``picture``, ``hole`` (a region, or the path of a mask, or random if
            absent), and any of ``grow`` and ``passes``.

    Raises:
        GeneratorError: If there is neither seed nor picture, or both, or any other key; or if a
            value is of the wrong kind.
    """
    for name in request:
        if name not in _KNOWN:
            raise _unknown(f"a sample with a {name}", f"one of {', '.join(_KNOWN)}")
    picture = picture_of(request)
    hole = request.get("hole")
    if hole is None and isinstance(picture, Person):
        hole = RandomHole(picture.seed)
    if hole is None:
        raise GeneratorError(
            f"{picture.label}: hole", got="none", expected="a region or a mask, white to be filled"
        )
    if isinstance(hole, (str, Path)):
        hole = MaskFile(str(hole))
    if not isinstance(hole, (Region, NamedRegion, RandomHole, MaskFile)):
        raise GeneratorError("hole", got=repr(hole), expected="a region or a mask")
    grow, passes = _counts(request)
    usual = isinstance(picture, Person) and hole == RandomHole(picture.seed) and not grow
    index = picture.seed if usual and passes == 1 and isinstance(picture, Person) else None
    return FillSample(picture=picture, hole=hole, grow=grow, passes=passes, index=index)


def _unknown(problem: str, expected: str) -> GeneratorError:
    remedy = "this generator, of the family rfr, fills holes in images"
    return GeneratorError(problem, expected=expected, remedy=remedy)


def _counts(given: Mapping[str, object]) -> tuple[int, int]:
    """`grow` and `passes`, where they are given. Raises GeneratorError for others than counts."""
    grow, passes = plain(given.get("grow", 0)), plain(given.get("passes", 1))
    _check_count("grow", grow, 0, MOST_GROWN)
    _check_count("passes", passes, 1, MOST_PASSES)
    return grow, passes


def _check_count(name: str, value: object, least: int, most: int) -> None:
    if type(value) is not int or not least <= value <= most:
        raise GeneratorError(name, got=repr(value), expected=f"an integer from {least} to {most}")
