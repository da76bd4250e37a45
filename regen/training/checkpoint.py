"""Checkpoints of a training: written whole or not at all, and resumed only if nothing changed.

A checkpoint is a torch file of tensors and plain values, read with ``weights_only``. Unlike the
projector it leads to, it is not a format of exchange: it belongs to one run folder. It carries a
digest of what it holds, so that a bit that flipped on the disk is not trained on. Checkpoints of
earlier versions have none; they are still resumed, without that protection.
"""

from __future__ import annotations

import io
from collections.abc import Collection
from dataclasses import asdict, is_dataclass
from os.path import exists, isfile  # unlike those of Path, they raise nothing
from pathlib import Path
from typing import Any, BinaryIO, cast

import torch

from regen.errors import TrainingError
from regen.files.atomic import atomic_write
from regen.files.run_files import CHECKPOINT_FILE
from regen.training.state_digest import state_digest

_VERSION = 1
_LONG = 12  # characters of a digest that are enough to distinguish two
Identity = dict[str, Any]


class AnotherTrainingError(TrainingError):
    """A checkpoint was made with other settings, or from something else.

    Args:
        problem: As of every `RegenError`, and so are the other `parts`.
        name: The first setting, or other part of what it was made with, that differs.
    """

    def __init__(self, problem: str, *, name: str, **parts: Any) -> None:
        super().__init__(problem, **parts)
        self.name = name


def identity(settings: object, may_differ: Collection[str], **more: object) -> Identity:
    """What must be equal for a checkpoint to be resumed.

    Args:
        settings: A dataclass.
        may_differ: Names of those that do not change the result.
        more: Anything else that must be equal; plain values.
    """
    assert is_dataclass(settings) and not isinstance(settings, type)
    named = {name: value for name, value in asdict(settings).items() if name not in may_differ}
    return {"version": _VERSION, **more, **named}


def write_checkpoint(folder: Path, who: Identity, state: dict[str, Any]) -> None:
    """Replace the checkpoint of a run folder.

    Raises:
        StoreError: If it cannot be written; the one before is kept.
    """
    content = {"identity": who, "state": state}
    with atomic_write(folder / CHECKPOINT_FILE) as part, part.open("wb", buffering=0) as file:
        keeping = _KeepingErrors(file)
        try:
            torch.save({**content, "digest": state_digest(content)}, cast(BinaryIO, keeping))
        except RuntimeError as error:  # torch's writer finds that the file is not what it wrote
            raise keeping.error or OSError(str(error).splitlines()[0]) from error


class _KeepingErrors(io.RawIOBase):
    """A file for torch to write to that remembers why writing failed, of which torch says nothing.

    Attributes:
        error: The first error.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.error: OSError | None = None
        self._file = file

    def write(self, data: Any) -> int:
        """Write all of `data`; after an error nothing, since the file is lost anyway."""
        size = memoryview(data).nbytes
        if self.error is None:
            try:
                view = memoryview(data).cast("B")
                while view:
                    view = view[self._file.write(view) :]
            except OSError as error:
                self.error = error
        if self.error is not None:
            raise self.error
        return size

    def flush(self) -> None:
        """Nothing is kept back."""


def missing_checkpoint(folder: Path) -> TrainingError:
    """The error of a run folder without a checkpoint."""
    return TrainingError(
        f"{folder / CHECKPOINT_FILE}: no checkpoint to resume", remedy="start without resuming"
    )


def read_checkpoint(folder: Path, who: Identity) -> dict[str, Any]:
    """The state in a run folder's checkpoint.

    Raises:
        TrainingError: If there is none, or it is damaged.
        AnotherTrainingError: If it was made with other settings.
    """
    path = folder / CHECKPOINT_FILE
    if not isfile(path):
        raise missing_checkpoint(folder)
    try:
        saved = torch.load(path, map_location="cpu", weights_only=True)
        theirs, state = _checked(dict(saved))
    except Exception as error:  # torch raises whatever the damage leads to
        why = str(error) if isinstance(error, _Damage) else type(error).__name__
        raise TrainingError(
            f"{path} is damaged ({why})", remedy="delete it and start again"
        ) from error
    for name in {**who, **theirs}:
        if who.get(name) != theirs.get(name):
            raise AnotherTrainingError(
                f"cannot resume {path}: {name}",
                got=_brief(who.get(name), theirs.get(name)),
                expected=f"{_brief(theirs.get(name), who.get(name))}, as when it started",
                remedy="repeat the options of its start, see settings.json beside it, or choose "
                "another run folder",
                name=name,
            )
    return dict(state)


class _Damage(Exception):
    """What is wrong with a checkpoint that torch can read."""


def _checked(saved: dict[str, Any]) -> tuple[Identity, dict[str, Any]]:
    """Identity and state of what a checkpoint held, if it is what was written."""
    digest = saved.pop("digest", None)  # checkpoints of earlier versions have none
    if set(saved) != {"identity", "state"}:
        raise _Damage("it holds something else")
    if digest is not None and digest != state_digest(saved):
        raise _Damage("it does not hold what was saved")
    return dict(saved["identity"]), dict(saved["state"])


def _brief(value: object, other: object) -> object:
    """A value for a message: of a dictionary only what differs from the other one."""
    if isinstance(value, dict) and isinstance(other, dict):
        return {name: v for name, v in value.items() if other.get(name) != v}
    if isinstance(value, str) and len(value) > _LONG:
        return f"{value[:_LONG]}..."
    return "none" if value in (None, "") else value


def kept(folder: Path, steps: int) -> str:
    """How much of a training of so many steps a run folder keeps, in words; "" for nothing."""
    path = folder / CHECKPOINT_FILE
    try:
        done = int(torch.load(path, weights_only=True, mmap=True)["state"]["done"])
    except Exception:  # none, or none that can be resumed
        return ""
    return f"{done} of {steps} steps are in {path}; --resume with the same options continues"


def refuse_checkpoint(folder: Path, *results: str) -> None:
    """Keep a new training from overwriting an earlier one.

    Args:
        folder: Run folder.
        results: Names of files that a finished training leaves.

    Raises:
        TrainingError: If the folder has a checkpoint, or one of the results.
    """
    if exists(folder / CHECKPOINT_FILE):
        raise TrainingError(
            f"{folder} holds an earlier training",
            remedy="resume it, or choose another folder",
        )
    for name in results:
        if exists(folder / name):
            raise TrainingError(
                f"{folder / name} is there already", remedy="move it away, or choose another folder"
            )
