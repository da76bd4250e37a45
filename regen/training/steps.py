"""Steps until a training is over, with checkpoints in between, and the means of their losses."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch

from regen.training.checkpoint import Identity, write_checkpoint
from regen.training.distributed import Workers
from regen.training.interrupt import Interrupt


class Trainer(Protocol):
    """A training that `take_steps` carries out.

    Attributes:
        done: Steps taken.
        workers: The processes that train together.
    """

    done: int
    workers: Workers

    def state(self) -> dict[str, Any]:
        """What a checkpoint holds; every process must call this."""
        ...


@dataclass(frozen=True)
class Schedule:
    """How long to train.

    Attributes:
        steps: In all, those before a resumed checkpoint included.
        save_every: Steps between checkpoints.
        minutes: Stop after the step in which so many have passed; None for no limit.
    """

    steps: int
    save_every: int
    minutes: float | None = None


def take_steps(
    trainer: Trainer,
    step: Callable[[], None],
    schedule: Schedule,
    *,
    folder: Path,
    who: Identity,
    interrupt: Interrupt,
) -> None:
    """Train to the end, the deadline or Ctrl-C, and leave a checkpoint in any case.

    Args:
        trainer: Whose steps and state these are.
        step: Takes one step; adds one to `trainer.done`.
        schedule: How long.
        folder: Run folder.
        who: What must be equal for a checkpoint to be resumed.
        interrupt: Whether Ctrl-C was pressed.

    Raises:
        StoreError: If a checkpoint cannot be written; the one before is kept.
        KeyboardInterrupt: In all processes, after the step in which one of them was interrupted.
    """
    end = None if schedule.minutes is None else time.monotonic() + 60 * schedule.minutes
    saved, stopped = -1, False
    while trainer.done < schedule.steps and not stopped:
        step()
        interrupted, late = _asked_to_stop(trainer.workers, interrupt, end)
        stopped = interrupted or late
        if stopped or trainer.done % schedule.save_every == 0:
            _save(trainer, folder, who)
            saved = trainer.done
        if interrupted:
            raise KeyboardInterrupt
    if saved != trainer.done:
        _save(trainer, folder, who)


def _asked_to_stop(workers: Workers, interrupt: Interrupt, end: float | None) -> tuple[bool, bool]:
    """Whether Ctrl-C was pressed or time is up in any process; all stop after the same step."""
    late = end is not None and time.monotonic() > end
    asked = torch.tensor([float(interrupt.pressed), float(late)])
    pressed, over = workers.average(asked).tolist()
    return pressed > 0, over > 0


def _save(trainer: Trainer, folder: Path, who: Identity) -> None:
    state = trainer.state()
    if trainer.workers.rank == 0:
        write_checkpoint(folder, who, state)
    trainer.workers.wait()


class Means:
    """Named numbers of several steps, losses for instance, and their means."""

    def __init__(self) -> None:
        self._seen: dict[str, list[float]] = {}

    def add(self, numbers: Mapping[str, float]) -> None:
        """Take in the numbers of a step; a name may be missing in some steps."""
        for name, number in numbers.items():
            self._seen.setdefault(name, []).append(number)

    def take(self) -> dict[str, float]:
        """The mean of each name since the last call."""
        seen, self._seen = self._seen, {}
        return {name: sum(numbers) / len(numbers) for name, numbers in seen.items()}
