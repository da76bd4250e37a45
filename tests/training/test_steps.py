from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from regen.files.run_files import CHECKPOINT_FILE
from regen.training import steps
from regen.training.checkpoint import read_checkpoint
from regen.training.distributed import Workers
from regen.training.interrupt import Interrupt
from regen.training.steps import Means, Schedule, take_steps

WHO = {"version": 1}


class Counter:
    """Counts its steps, and remembers when it was saved."""

    def __init__(self, done: int = 0) -> None:
        self.done, self.workers, self.saved = done, Workers(), list[int]()
        self.interrupt, self.press_at = Interrupt(), -1

    def step(self) -> None:
        self.done += 1
        self.interrupt.pressed = self.done == self.press_at

    def state(self) -> dict[str, Any]:
        self.saved.append(self.done)
        return {"done": self.done}

    def train(self, folder: Path, schedule: Schedule) -> None:
        take_steps(self, self.step, schedule, folder=folder, who=WHO, interrupt=self.interrupt)


@pytest.mark.parametrize(
    ("began", "total", "saved"), [(0, 7, [3, 6, 7]), (0, 6, [3, 6]), (4, 7, [6, 7]), (7, 7, [7])]
)
def test_checkpoints_are_written_on_the_way_and_once_at_the_end(
    began: int, total: int, saved: list[int], tmp_path: Path
) -> None:
    counter = Counter(began)
    counter.train(tmp_path, Schedule(total, save_every=3))
    assert counter.done == total and counter.saved == saved
    assert read_checkpoint(tmp_path, WHO) == {"done": total}


def test_a_ctrl_c_ends_the_step_and_leaves_a_checkpoint(tmp_path: Path) -> None:
    counter = Counter()
    counter.press_at = 2
    with pytest.raises(KeyboardInterrupt):
        counter.train(tmp_path, Schedule(9, save_every=5))
    assert counter.saved == [2] and read_checkpoint(tmp_path, WHO) == {"done": 2}


def test_the_deadline_ends_the_step_and_leaves_a_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = iter(range(0, 1000, 50))
    monkeypatch.setattr(steps.time, "monotonic", lambda: float(next(seconds)))
    counter = Counter()
    counter.train(tmp_path, Schedule(9, save_every=5, minutes=2))
    assert counter.done == 3 and counter.saved == [3]


def test_the_second_process_writes_no_checkpoint(tmp_path: Path) -> None:
    counter = Counter()
    counter.workers = Workers(rank=1, count=1)
    counter.train(tmp_path, Schedule(2, save_every=1))
    assert counter.saved == [1, 2] and not (tmp_path / CHECKPOINT_FILE).exists()


def test_means_are_of_the_steps_that_named_the_number() -> None:
    means = Means()
    for numbers in ({"a": 1.0, "b": 5.0}, {"a": 3.0}):
        means.add(numbers)
    assert means.take() == {"a": 2.0, "b": 5.0}
    assert means.take() == {}
