"""Where generators that change images take them from: rendered people, or a folder of files.

Both number their images, so that a sample keeps its meaning: with `People` a number is the seed of
a person that the renderer draws, exactly and without any file; with `Folder` it is the position of
a file among the others. What a family asks for beside the image, a hole or a style, is its own.
`regen.generators.album` loads the images themselves.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from regen.errors import GeneratorError, ImageError
from regen.files.paths import checked_path
from regen.generators.protocol import Oracle, Sample
from regen.images.listing import image_files
from regen.numbers import plain
from regen.seeds import ANY_SEED, CONTEXTS, LARGEST_SEED


@dataclass(frozen=True)
class Person:
    """Somebody whom the renderer draws."""

    seed: int

    def __post_init__(self) -> None:
        if type(self.seed) is not int or not 0 <= self.seed <= LARGEST_SEED:
            raise GeneratorError("seed", got=repr(self.seed), expected=ANY_SEED)

    @property
    def label(self) -> str:
        """Name to display."""
        return f"seed {self.seed}"


@dataclass(frozen=True)
class PictureFile:
    """An image file, by its path or as a data URI."""

    location: str

    @property
    def label(self) -> str:
        """Name to display."""
        return "embedded image" if self.location.startswith("data:") else Path(self.location).name


Picture = Person | PictureFile


class Pictures(Protocol):
    """Numbered images."""

    @property
    def count(self) -> int | None:
        """How many there are; None for an infinite source."""
        ...

    def picture(self, index: int) -> Picture:
        """The image of a number."""
        ...

    def index_of(self, picture: Picture) -> int | None:
        """The number of an image, None where it has none."""
        ...


@dataclass(frozen=True)
class People:
    """Everybody whom the renderer can draw, by seed."""

    count: None = None

    def picture(self, index: int) -> Picture:
        """The person of a seed."""
        return Person(index)

    def index_of(self, picture: Picture) -> int | None:
        """The person's seed."""
        return picture.seed if isinstance(picture, Person) else None


def checked_folder(folder: object) -> Path | None:
    """A folder of images as a path; None where none is given. Raises ImageError for no path."""
    return None if folder is None else Path(checked_path(folder, ImageError, "folder of images"))


@dataclass(frozen=True)
class Folder:
    """The image files of a folder, by name."""

    paths: Sequence[Path]

    @classmethod
    def of(cls, folder: Path) -> Folder:
        """The images of a folder. Raises ImageError if it has none."""
        place = folder.resolve()
        return cls(tuple(place / path.name for path in image_files(folder)))

    @property
    def count(self) -> int:
        """How many files there are."""
        return len(self.paths)

    def picture(self, index: int) -> Picture:
        """The file of a number. Raises GeneratorError if there is none."""
        if index not in range(self.count):
            raise GeneratorError("image", got=index, expected=f"0 to {self.count - 1}")
        return PictureFile(str(self.paths[index]))

    def index_of(self, picture: Picture) -> int | None:
        """The position of a file, however its path is written."""
        if not isinstance(picture, PictureFile) or picture.location.startswith("data:"):
            return None
        path = Path(picture.location).resolve()
        return self.paths.index(path) if path in self.paths else None


@dataclass(frozen=True, kw_only=True)
class PictureSample(Sample):
    """A sample that is made of an image.

    Attributes:
        picture: The image.
    """

    picture: Picture


@dataclass(frozen=True)
class PictureSource(ABC):
    """Numbered images, each with what a family asks for beside it.

    Attributes:
        pictures: Where the images come from.
        oracle: Of the generator, if there is one.
    """

    pictures: Pictures
    oracle: Oracle | None = None

    @abstractmethod
    def sample(self, index: int) -> Sample:
        """The sample of a number."""

    @property
    def count(self) -> int | None:
        """As many as there are images."""
        return self.pictures.count

    def samples(self, indices: Iterable[int]) -> list[Sample]:
        """The samples of these numbers."""
        return [self.sample(index) for index in indices]

    varied = samples

    def typical(self, count: int) -> list[Sample]:
        """The first images of a finite source, people of a reserved band otherwise."""
        known = self.count
        return self.samples(CONTEXTS.take(count) if known is None else range(known)[:count])

    def index_of(self, sample: Sample) -> int | None:
        """The number of a sample's image, whatever it has beside it."""
        if not isinstance(sample, PictureSample):
            return None
        return self.pictures.index_of(sample.picture)


def picture_of(request: Mapping[str, object]) -> Picture:
    """The image that a request names by its ``seed`` or its ``picture``.

    Raises:
        GeneratorError: If it has neither or both, or the value is of the wrong kind.
    """
    seed, picture = request.get("seed"), request.get("picture")
    if (seed is None) == (picture is None):
        got = "neither" if seed is None else "both"
        raise GeneratorError("seed or picture of a sample", got=got, expected="one of them")
    if picture is None:
        return Person(plain(seed))  # which checks it
    if not isinstance(picture, (str, Path)):
        raise GeneratorError("picture", got=repr(picture), expected="an image, by its path")
    return PictureFile(str(picture))


def check_known(picture: Picture, oracle: object) -> None:
    """Raise GeneratorError for a person, where there is no oracle that knows people."""
    if oracle is None and not isinstance(picture, PictureFile):
        raise GeneratorError(
            "seed of a sample",
            got=picture.label,
            expected="a picture",
            remedy="only the bundled portraits know people by seeds",
        )


def pictures_in(folder: Path | None, oracle: object, purpose: str) -> Pictures:
    """The images of a folder, or people where there is none.

    Args:
        folder: Of images.
        oracle: Of the generator, which is needed for people.
        purpose: What becomes of images, for the message.

    Raises:
        GeneratorError: If there are neither images nor people.
        ImageError: If the folder is no path, or has no images.
    """
    folder = checked_folder(folder)
    if folder is None and oracle is None:
        raise GeneratorError(
            "source of samples",
            got="no images",
            expected=f"a folder of images to {purpose}",
            remedy="name it with --images",
        )
    return People() if folder is None else Folder.of(folder)
