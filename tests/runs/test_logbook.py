"""Run folders, curves and progress."""

from __future__ import annotations

import errno
import io
import json
import math
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from regen.errors import StoreError
from regen.files.as_json import to_json
from regen.runs.logbook import Logbook, Progress, format_seconds, track


@dataclass(frozen=True)
class Settings:
    steps: int = 3
    folder: Path = Path("runs")
    rates: tuple[float, ...] = (0.5, math.nan)


class Clock:
    """Time that passes when told to."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def read_events(folder: Path) -> dict[str, list[tuple[int, float]]]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder))
    events.Reload()
    curves = {
        tag: [(e.step, e.value) for e in events.Scalars(tag)] for tag in events.Tags()["scalars"]
    }
    return {**curves, **{tag: [] for tag in events.Tags()["images"]}}


def test_settings_are_json_beside_the_result(tmp_path: Path) -> None:
    Logbook(tmp_path / "a" / "run").settings(Settings())
    written = json.loads((tmp_path / "a" / "run" / "settings.json").read_text())
    assert written == {"steps": 3, "folder": "runs", "rates": [0.5, None]}


def test_curves_and_images_are_there_even_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), Logbook(tmp_path) as book:
        book.scalars({"loss/l1": 0.5, "loss/ssim": 2.0}, step=0)
        book.scalars({"loss/l1": 0.25}, step=10)
        book.images("samples", torch.rand(2, 3, 8, 8) * 4 - 2, step=10)
        raise KeyboardInterrupt
    found = read_events(tmp_path)
    assert found["loss/l1"] == [(0, 0.5), (10, 0.25)]
    assert found["loss/ssim"] == [(0, 2.0)]
    assert any(tag.startswith("samples") for tag in found)


def test_a_run_that_logs_nothing_writes_no_events(tmp_path: Path) -> None:
    with Logbook(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot write .*file"):
        Logbook(tmp_path / "file" / "run")


def test_a_full_disk_is_an_error_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from torch.utils.tensorboard import SummaryWriter

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(SummaryWriter, "add_scalar", full)
    with pytest.raises(StoreError) as error, Logbook(tmp_path) as book:
        book.scalars({"loss": 1.0}, step=0)
    assert str(error.value) == (
        f"cannot write TensorBoard events to {tmp_path}: No space left on device; "
        "free some space, or choose another folder"
    )


def test_a_short_job_says_nothing() -> None:
    stream, clock = io.StringIO(), Clock()
    with Progress(4, "fitting", stream=stream, clock=clock) as progress:
        for _ in range(4):
            clock.now += 0.4
            progress.advance()
    assert stream.getvalue() == ""


def test_a_log_gets_a_line_now_and_then() -> None:
    stream, clock = io.StringIO(), Clock()
    with Progress(100, "fitting", stream=stream, clock=clock) as progress:
        for step in range(100):
            clock.now += 0.2
            progress.advance(note=f"loss {1 / (step + 1):.2f}")
    assert stream.getvalue().splitlines() == [
        "fitting: 10/100 (10%), 18 s left, loss 0.10",
        "fitting: 60/100 (60%), 8 s left, loss 0.02",
        "fitting: 100/100 in 20 s",
    ]


def test_a_terminal_sees_one_line_that_changes() -> None:
    stream, clock = Terminal(), Clock()
    with Progress(3, "fitting", stream=stream, clock=clock) as progress:
        for _ in range(3):
            clock.now += 3
            progress.advance()
    shown = stream.getvalue()
    assert shown.count("\n") == 1 and shown.endswith("\n")
    states = [state.rstrip() for state in shown.strip().split("\r")]
    assert states == [
        "fitting: 1/3 (33%), 6 s left",
        "fitting: 2/3 (66%), 3 s left",
        "fitting: 3/3 (100%)",
        "fitting: 3/3 in 9 s",
    ]


def test_a_resumed_job_counts_its_own_pace() -> None:
    clock = Clock()
    progress = Progress(100, "training", done=50, stream=io.StringIO(), clock=clock)
    clock.now += 10
    progress.advance(10)
    assert progress.line(clock.now) == "training: 60/100 (60%), 40 s left"


def test_track_gives_every_item_and_needs_no_length() -> None:
    assert list(track(iter("abc"), "reading", total=3)) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(59.4, "59 s"), (59.6, "1 min 0 s"), (3599.4, "59 min 59 s"), (3600, "1 h 0 min")],
)
def test_durations(seconds: float, said: str) -> None:
    assert format_seconds(seconds) == said


def test_json_takes_tensors_and_refuses_what_it_has_no_word_for() -> None:
    assert to_json({1: torch.tensor([1.0, math.inf])}) == {"1": [1.0, None]}
    with pytest.raises(TypeError, match="set has no place in JSON"):
        to_json({1, 2})
