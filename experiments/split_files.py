"""Files cut into parts of a limited size, and put together again.

    python -m experiments.split_files join FOLDER

A file F becomes F.part00, F.part01, ... and F.parts.json, which names them and the SHA-256 of the
whole. Joining checks it.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import click

from regen.errors import StoreError
from regen.files.atomic import write_bytes, write_json


def split_file(path: Path, largest_bytes: int) -> list[Path]:
    """Replace a file by parts of at most so many bytes; the parts, in order."""
    data = path.read_bytes()
    pieces = [data[i : i + largest_bytes] for i in range(0, len(data), largest_bytes)]
    parts = [path.with_name(f"{path.name}.part{i:02d}") for i in range(len(pieces))]
    for part, piece in zip(parts, pieces, strict=True):
        write_bytes(part, piece)
    names = [part.name for part in parts]
    whole = {"name": path.name, "sha256": hashlib.sha256(data).hexdigest(), "parts": names}
    write_json(path.with_name(f"{path.name}.parts.json"), whole)
    path.unlink()
    return parts


def join_files(folder: Path) -> list[Path]:
    """Put together every file of a folder that was split.

    Raises:
        StoreError: If a part is missing, or the whole is not what was split.
    """
    whole = []
    for listing in sorted(folder.glob("*.parts.json")):
        content = json.loads(listing.read_text())
        parts = [folder / name for name in content["parts"]]
        missing = [part.name for part in parts if not part.is_file()]
        data = b"" if missing else b"".join(part.read_bytes() for part in parts)
        if missing or hashlib.sha256(data).hexdigest() != content["sha256"]:
            got = f"{', '.join(missing)} missing" if missing else "other bytes than were split"
            raise StoreError(f"{listing}: parts", got=got, remedy="copy the parts again")
        write_bytes(folder / content["name"], data)
        for path in (*parts, listing):
            path.unlink()
        whole.append(folder / content["name"])
    return whole


@click.group()
def main() -> None:
    """Put split files together."""


@main.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def join(folder: Path) -> None:
    """Put together every file of FOLDER that was split."""
    for path in join_files(folder):
        click.echo(path)


if __name__ == "__main__":
    main()
