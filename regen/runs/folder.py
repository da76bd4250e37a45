"""The folder that a command fills: one run at a time, and nothing of an earlier one beside it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path

from regen.files.atomic import cannot_write, ensure_folder
from regen.files.folder_lock import LOCK_FILE, folder_lock
from regen.training.environment import is_first


@contextmanager
def run_folder(path: Path | str) -> Iterator[Path]:
    """Make a run folder where there is none, and keep other runs out of it until the block ends.

    Of several processes that work together the first one keeps it for all.

    Raises:
        StoreError: If it cannot be made or written to, or another run fills it, naming that run.
    """
    folder = ensure_folder(path)
    with folder_lock(folder) if is_first() else nullcontext():
        yield folder


def refuse_busy(path: Path | str) -> None:
    """Raise at once what `run_folder` would: ask before reading what takes long.

    Raises:
        StoreError: If another run fills the folder, naming that run.
    """
    if is_first() and os.path.exists(Path(path, LOCK_FILE)):
        with folder_lock(Path(path)):
            pass


def remove_results(folder: Path, names: Sequence[str]) -> None:
    """Remove what an earlier run of the same command left, so that it is not taken for this one's.

    Call it when everything that can be known to fail has been checked, before the first result.

    Args:
        folder: Run folder.
        names: Files in it that only the command writes; ``*`` and ``?`` stand for other letters.
            The first is removed first. Folders stay. Where a link stands the file behind it goes,
            as if it were written anew.

    Raises:
        StoreError: If one of them cannot be removed.
    """
    for name in names:
        for path in sorted(folder.glob(name)):
            if path.is_file():
                _remove(Path(os.path.realpath(path)))


def events_of(command: str) -> str:
    """The names of a command's TensorBoard events, for `remove_results`."""
    return f"events.out.tfevents.*.{command}"


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise cannot_write(path, error) from error
