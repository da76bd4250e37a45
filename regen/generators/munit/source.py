"""Samples of a translating generator: an image, and the style that it is translated in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from regen.errors import GeneratorError
from regen.generators.munit.styles import RandomStyle, Style, read_style
from regen.generators.pictures import (
    Person,
    PictureSample,
    PictureSource,
    picture_of,
    pictures_in,
)
from regen.generators.protocol import Oracle, Sample

RANDOM = "random"
_KNOWN = ("seed", "picture", "style")


@dataclass(frozen=True, kw_only=True)
class TranslateSample(PictureSample):
    """An image and a style.

    Attributes:
        style: The style.
        label: Names of both.
    """

    style: Style
    label: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "label", f"{self.picture.label}, {self.style.label}")

    @property
    def name(self) -> str:
        """Name of the image."""
        return self.picture.label


@dataclass(frozen=True)
class TranslateSource(PictureSource):
    """Numbered images, each with a style.

    Attributes:
        style: The one that all have; None for the random one of each number.
    """

    style: Style | None = None

    def alike(self, sample: Sample, indices: Iterable[int]) -> list[Sample]:
        """Those of `samples`: a rule should hold in every style, whatever that of a target is."""
        return self.samples(indices)

    def sample(self, index: int) -> TranslateSample:
        """The image of a number, with its style."""
        style = self.style or RandomStyle(index % 2**32)
        return TranslateSample(picture=self.pictures.picture(index), style=style, index=index)


def read_source(
    images: Path | None, inputs: Mapping[str, object], oracle: Oracle | None
) -> TranslateSource:
    """The source of a folder of images, or of rendered people where there is none.

    Args:
        images: The folder.
        inputs: ``styles``: "random", or one style for all, a seed or the path of an image.
        oracle: Of the generator, which is needed for people.

    Raises:
        GeneratorError: If there are neither images nor people, or there are other inputs.
        ImageError: If a folder has no images.
    """
    for name in inputs:
        if name != "styles":
            raise _unknown(f"samples with {name}", "styles")
    styles = inputs.get("styles", RANDOM)
    style = None if styles == RANDOM else read_style(styles)
    return TranslateSource(pictures_in(images, oracle, "translate"), oracle, style)


def read_sample(request: Mapping[str, object]) -> TranslateSample:
    """The sample that a request describes.

    Args:
        request: ``seed`` or ``picture``, and ``style``: a seed, or the path of an image of the
            target domain. Without one, people have the random style of their seed, and images that
            of seed 0.

    Raises:
        GeneratorError: If there is neither seed nor picture, or both, or any other key; or if a
            value is of the wrong kind.
    """
    for name in request:
        if name not in _KNOWN:
            raise _unknown(f"a sample with a {name}", f"one of {', '.join(_KNOWN)}")
    picture = picture_of(request)
    usual = RandomStyle(picture.seed if isinstance(picture, Person) else 0)
    given = request.get("style")
    style = usual if given is None else read_style(given)
    index = picture.seed if isinstance(picture, Person) and style == usual else None
    return TranslateSample(picture=picture, style=style, index=index)


def _unknown(problem: str, expected: str) -> GeneratorError:
    remedy = "this generator, of the family munit, translates images"
    return GeneratorError(problem, expected=expected, remedy=remedy)
