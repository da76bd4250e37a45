"""Copy the examples, which ship with regen, into a folder of the user's."""

from __future__ import annotations

import json
from pathlib import Path

from regen.errors import StoreError
from regen.files.atomic import ensure_folder, write_bytes

_PACKAGE = Path(__file__).parents[1]
SCHEMA = "edits.schema.json"


def examples_folder() -> Path:
    """Where the examples are: in the package, or beside it where regen runs from its sources."""
    inside = _PACKAGE / "examples"
    return inside if inside.is_dir() else _PACKAGE.parent / "examples"


def copy_examples(folder: Path) -> list[Path]:
    """Write the edits files of the examples, their images and the schema of edits files.

    Files that are there already and hold the same are left alone, so the command may be repeated.
    Nothing is written into the folder that the examples come from.

    Args:
        folder: Made if it does not exist.

    Returns:
        The edits files in it, sorted.

    Raises:
        StoreError: If a file of that name holds something else, or the folder lies in that of the
            examples (nothing is written then), or the folder cannot be written to.
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
    for path, data in lacking.items():
        write_bytes(path, data)


def _holds(path: Path, data: bytes) -> bool:
    """Whether the file is there; raises StoreError if it holds anything but `data`."""
    if not path.exists():
        return False
    if not path.is_file() or path.read_bytes() != data:
        raise StoreError(
            f"{path} is there already, and differs from the example",
            remedy="choose another folder with -o, or move it away",
        )
    return True
