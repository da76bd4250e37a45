"""Where training images come from: a folder, or what NVIDIA's dataset_tool makes of one.

dataset_tool writes a zip, or a folder, with the images in folders of its own and dataset.json
beside them, which may give each a class. Entries of a zip are read one at a time.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from os.path import isdir, isfile  # unlike those of Path, they raise nothing
from pathlib import Path

from regen.errors import ImageError
from regen.files.limits import MAX_ENTRY_BYTES
from regen.images.decoding import Source
from regen.images.listing import has_image_suffix, image_files, is_hidden, look_into, no_images

LABELS_FILE = "dataset.json"
_LOOKED_AT_BYTES = 1 << 16  # of the labels' file, to see whether there are any
_LABELLED = re.compile(rb'"labels"\s*:\s*[\[{]\s*["\[{]')


@dataclass(frozen=True)
class Entry:
    """One image.

    Attributes:
        name: Its path in the collection.
        label: What messages call it.
        source: Gives it, as `load_image` takes it; raises ImageError.
    """

    name: str
    label: str
    source: Callable[[], Source]


@dataclass(frozen=True)
class Collection:
    """Images in the order of their names.

    Attributes:
        entries: At least one.
        folders: Names of folders that are not looked into.
        others: Names of files that do not end as images do.
        labelled: Whether there are classes.
    """

    entries: tuple[Entry, ...]
    folders: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    labelled: bool = False


@contextmanager
def open_collection(place: Path) -> Iterator[Collection]:
    """The images of a folder or zip. Folders in a folder are looked into only beside dataset.json.

    Raises:
        ImageError: If it is neither, cannot be looked into, or has no images.
    """
    if not isfile(place):
        yield _folder(place)
        return
    try:
        with zipfile.ZipFile(place) as archive:
            yield _zip(place, archive)
    except (zipfile.BadZipFile, NotImplementedError) as error:
        raise ImageError(
            f"{place} is not a folder, and not a zip of images", expected="one of both"
        ) from error
    except OSError as error:
        raise ImageError(f"{place} cannot be read: {error.strerror or error}") from error


def _folder(place: Path) -> Collection:
    labels = place / LABELS_FILE
    deep = isfile(labels)
    files = _deep_files(place) if deep else image_files(place)
    there = [path for path in look_into(place) if not is_hidden(path)]
    entries = [
        Entry(path.relative_to(place).as_posix(), str(path), partial(_itself, path))
        for path in files
    ]
    return Collection(
        tuple(entries),
        folders=() if deep else tuple(path.name for path in there if isdir(path)),
        others=tuple(
            path.name
            for path in there
            if not isdir(path) and not has_image_suffix(path) and not (deep and path == labels)
        ),
        labelled=deep and _is_labelled(_start_of(labels)),
    )


def _itself(path: Path) -> Source:
    return path


def _deep_files(place: Path) -> list[Path]:
    try:
        files = [path for path in place.rglob("*") if _is_image(path.relative_to(place))]
    except OSError as error:
        raise ImageError(f"cannot look into {place} ({error.strerror})") from error
    if not files:
        raise no_images(place)
    return sorted(path for path in files if not isdir(path))


def _start_of(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_LOOKED_AT_BYTES)
    except OSError:
        return b""


def _is_labelled(start: bytes) -> bool:
    return _LABELLED.search(start) is not None


def _is_image(path: Path) -> bool:
    return has_image_suffix(path) and not any(is_hidden(Path(part)) for part in path.parts)


def _zip(place: Path, archive: zipfile.ZipFile) -> Collection:
    entries, others, labelled = [], [], False
    for info in sorted(archive.infolist(), key=lambda info: info.filename):
        path = Path(info.filename)
        if info.is_dir() or any(part.startswith((".", "__MACOSX")) for part in path.parts):
            continue
        label = f"{place}: {info.filename}"
        if has_image_suffix(path):
            read = partial(_read_entry, archive, info, label)
            entries.append(Entry(info.filename, label, read))
        elif info.filename == LABELS_FILE:
            labelled = _is_labelled(_read_entry(archive, info, label, _LOOKED_AT_BYTES))
        else:
            others.append(info.filename)
    if not entries:
        raise no_images(place)
    return Collection(tuple(entries), others=tuple(others), labelled=labelled)


def _read_entry(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, label: str, most: int | None = None
) -> bytes:
    """The content of an entry, or its first bytes. Raises ImageError."""
    if most is None and info.file_size > MAX_ENTRY_BYTES:
        raise ImageError(
            f"{label} is too large",
            got=f"{info.file_size} bytes",
            expected=f"at most {MAX_ENTRY_BYTES}",
        )
    try:
        with archive.open(info) as file:
            return file.read(MAX_ENTRY_BYTES if most is None else most)
    except Exception as error:  # a damaged zip makes zipfile raise nearly anything
        raise ImageError(f"{label} cannot be read from the zip: {error}") from error
