"""Copy the examples, which ship with regen, into a folder of the user's."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from regen.errors import StoreError
from regen.files.atomic import atomic_write, ensure_folder

_PACKAGE = Path(__file__).parents[1]
SCHEMA = "edits.schema.json"


def examples_folder() -> Path:
    """Where the examples are: in the package, or beside it where regen runs from its sources."""
    inside = _PACKAGE / "examples"
    return inside if inside.is_dir() else _PACKAGE.parent / "examples"


def copy_examples(folder: Path) -> list[Path]:
    """Write the edits files of the examples, their images and the schema of edits files.

    Files that are there already and hold the same are left alone, so the command may be repeated.
    Nothing is written into the folder that the examples come from. Whatever goes wrong, a full disk
    for instance, either all files are there afterwards or those that were there before.

    Args:
        folder: Made if it does not exist.

    Returns:
        The edits files in it, sorted.

    Raises:
        StoreError: If something else has the name of a file, a link that leads nowhere for
            instance, the folder lies in that of the examples, or cannot be written to.
    """
    source = examples_folder()
    if source.resolve() in folder.resolve().parents:
        raise StoreError(
            f"{folder} lies in the folder that the examples come from",
            remedy="choose another folder with -o",
        )
    if not (folder.is_dir() and folder.samefile(source)):
        _copy(source, folder)
    return sorted(folder / path.name for path in source.glob("*.json") if path.name != SCHEMA)


def generator_of(edits: Path) -> str:
    """The name of the generator that an example rewrites."""
    return str(json.loads(edits.read_text(encoding="utf-8"))["generator"])


def _copy(source: Path, folder: Path) -> None:
    files = {path: path.read_bytes() for path in source.rglob("*") if path.is_file()}
    contents = {folder / path.relative_to(source): data for path, data in files.items()}
    for path in list(contents):
        if path.suffix == ".json":  # which name the schema by its place in the sources
            contents[path] = contents[path].replace(f"../docs/{SCHEMA}".encode(), SCHEMA.encode())
    if not (source / SCHEMA).exists():
        contents[folder / SCHEMA] = (source.parent / "docs" / SCHEMA).read_bytes()
    lacking = {path: data for path, data in contents.items() if not _holds(path, data)}
    for path in sorted({path.parent for path in lacking}):
        ensure_folder(path)
    _write_all(lacking)


def _write_all(contents: Mapping[Path, bytes]) -> None:
    """Write all files or none: each gets its name when all are on the disk."""
    with ExitStack() as written:
        for path, data in contents.items():
            written.enter_context(atomic_write(path)).write_bytes(data)


def _holds(path: Path, data: bytes) -> bool:
    """Whether the file is there; raises StoreError if anything but `data` is in its place."""
    try:
        os.lstat(path)
        if path.is_file() and path.read_bytes() == data:
            return True
        problem = f"{path} is there already, and differs from the example"
    except (FileNotFoundError, NotADirectoryError):  # the latter is told when folders are made
        return False
    except OSError as error:
        problem = f"{path} cannot be compared with the example: {error.strerror}"
    raise StoreError(problem, remedy="choose another folder with -o, or move it away")
