"""Folders of real images, divided by who is on them: some to measure with, some to train with.

No image of a person or cat that is measured may have been seen in training. An image's file
name begins with its subject: ``s10_2.jpg`` shows the cat s10, ``004_08.jpg`` the person 004.
"""

from __future__ import annotations

from pathlib import Path

from regen.errors import ImageError
from regen.images.listing import image_files

FOLDERS = {"cats": "cat_faces_128", "faces": "faces_london_256"}
_WHOLE = "no_black_corner.txt"  # where there is such a list, other images have black corners


def images_in(folder: Path) -> list[Path]:
    """The images of a folder, by name; of those in a list of usable ones, where there is a list.

    Raises:
        ImageError: If it has none.
    """
    listed = folder / _WHOLE
    names = set(listed.read_text().split()) if listed.is_file() else None
    files = image_files(folder)
    files = [p for p in files if names is None or p.name in names or p.stem in names]
    if not files:
        raise ImageError(f"{folder}: none of its images is named in {_WHOLE}")
    return files


def by_subject(files: list[Path]) -> tuple[list[Path], list[Path]]:
    """Every other subject's images to measure with, and the rest to train with.

    Example:
        >>> names = ["a_1.jpg", "a_2.jpg", "b_1.jpg", "c_1.jpg"]
        >>> measured, training = by_subject([Path(name) for name in names])
        >>> [path.name for path in measured], [path.name for path in training]
        (['a_1.jpg', 'a_2.jpg', 'c_1.jpg'], ['b_1.jpg'])
    """
    subjects = sorted({path.stem.split("_")[0] for path in files})
    measured = set(subjects[::2])
    chosen = [path for path in files if path.stem.split("_")[0] in measured]
    return chosen, [path for path in files if path not in set(chosen)]


def real_sets(data: Path | None) -> tuple[list[tuple[str, list[Path]]], list[Path]]:
    """Named sets to measure with, and all images to train with; empty where there is no data."""
    sets, training = [], []
    for name, folder in FOLDERS.items():
        if data is not None and (data / folder).is_dir():
            measured, rest = by_subject(images_in(data / folder))
            sets.append((name, measured))
            training += rest
    return sets, training
