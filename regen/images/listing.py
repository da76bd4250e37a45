"""Which files of a folder are images, by their names."""

from __future__ import annotations

import os
from itertools import islice
from pathlib import Path

from regen.errors import ImageError
from regen.files.addresses import address_of, not_there

_SEARCHED_FOLDERS = 1000
SUFFIXES = frozenset(
    {
        *(".png", ".jpg", ".jpeg", ".jfif", ".webp", ".avif", ".heic", ".heif"),
        *(".bmp", ".gif", ".tif", ".tiff"),
    }
)
"""What the name of an image file ends with, in lower case."""


def has_image_suffix(path: Path) -> bool:
    """Whether a file's name is that of an image, in any case.

    Example:
        >>> has_image_suffix(Path("cat.JPG")), has_image_suffix(Path("cat.txt"))
        (True, False)
    """
    return path.suffix.lower() in SUFFIXES


def image_files(folder: Path) -> list[Path]:
    """The image files of a folder in the order of their names; nothing is opened.

    Folders in it, hidden files, and files with another suffix are left out.

    Raises:
        ImageError: If it is not a folder, cannot be looked into, or has no images.
    """
    files = [
        path
        for path in look_into(folder)
        if has_image_suffix(path) and not is_hidden(path) and not os.path.isdir(path)
    ]
    if not files:
        deeper = _deeper(folder)
        raise no_images(folder, None if deeper is None else f"there are some in {deeper}")
    return files


def _deeper(folder: Path) -> str | None:
    """A folder below that has images; the search is given up soon."""
    for place, _, names in islice(os.walk(folder), _SEARCHED_FOLDERS):
        if any(has_image_suffix(Path(name)) for name in names):
            return place
    return None


def look_into(folder: Path) -> list[Path]:
    """All that is in a folder, by name. Raises ImageError if it is not one, or cannot be read."""
    try:
        if not folder.is_dir():
            if address_of(folder) is not None:
                raise not_there(folder, ImageError, expected="a local folder of images")
            raise ImageError(f"{folder} is not a folder", expected="a folder of images")
        return sorted(folder.iterdir())
    except OSError as error:
        raise ImageError(f"cannot look into {folder} ({error.strerror})") from error


def is_hidden(path: Path) -> bool:
    """Whether a name begins with a dot."""
    return path.name.startswith(".")


def no_images(place: Path, remedy: str | None = None) -> ImageError:
    """The error of a folder or zip without images."""
    return ImageError(f"{place} has no images", expected=", ".join(sorted(SUFFIXES)), remedy=remedy)
