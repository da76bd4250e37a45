"""Checkpoints of training: written whole or not at all, and gone on from only if nothing changed.

A checkpoint is a torch file of tensors and plain values, read with ``weights_only``. Unlike the
projector it leads to, it is no format of exchange: it belongs to one run folder.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from regen.atomic import atomic_write
from regen.errors import ProjectorError
from regen.projector.settings import TrainingConfig

NAME = "checkpoint.pt"
_VERSION = 1
_MAY_DIFFER = {"checkpoint_every_kimg", "report_every_kimg"}  # neither changes the result

Identity = dict[str, Any]


def identity(config: TrainingConfig, **more: object) -> Identity:
    """What must be equal for a training to be the same one: settings, and whatever `more` names."""
    settings = {name: value for name, value in asdict(config).items() if name not in _MAY_DIFFER}
    return {"version": _VERSION, **more, **settings}


def write_checkpoint(folder: Path, who: Identity, state: dict[str, Any]) -> None:
    """Replace the checkpoint of a run folder.

    Raises:
        StoreError: If it cannot be written; the one before is kept.
    """
    with atomic_write(folder / NAME) as part:
        try:
            torch.save({"identity": who, "state": state}, part)
        except RuntimeError as error:  # how torch's writer reports a full disk
            raise OSError(str(error).splitlines()[0]) from error


def read_checkpoint(folder: Path, who: Identity) -> dict[str, Any]:
    """The state in a run folder's checkpoint.

    Raises:
        ProjectorError: If there is none, it is damaged, or it was made with other settings.
    """
    path = folder / NAME
    if not path.is_file():
        raise ProjectorError(f"{path}: no checkpoint to resume", remedy="start without resuming")
    try:
        saved = torch.load(path, map_location="cpu", weights_only=True)
        theirs, state = saved["identity"], saved["state"]
    except Exception as error:  # torch raises whatever the damage leads to
        raise ProjectorError(
            f"{path} is damaged ({type(error).__name__})", remedy="delete it and start again"
        ) from error
    for name in {**who, **theirs}:
        if who.get(name) != theirs.get(name):
            raise ProjectorError(
                f"cannot resume {path}: {name}",
                got=who.get(name),
                expected=f"{theirs.get(name)}, with which it was begun",
                remedy="use that, or start another run folder",
            )
    return dict(state)


def refuse_checkpoint(folder: Path) -> None:
    """Keep a new training from overwriting an earlier one.

    Raises:
        ProjectorError: If the folder has a checkpoint.
    """
    if (folder / NAME).exists():
        raise ProjectorError(
            f"{folder} holds a training that was begun earlier",
            remedy="resume it, or choose another folder",
        )
