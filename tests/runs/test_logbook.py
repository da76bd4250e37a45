"""Run folders, curves and progress."""

from __future__ import annotations

import errno
import io
import json
import math
import threading
from contextlib import redirect_stderr
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
import tqdm.std

from regen.errors import StoreError
from regen.runs.logbook import Logbook, Progress, format_seconds, track


@dataclass(frozen=True)
class Settings:
    steps: int = 3
    folder: Path = Path("runs")
    rates: tuple[float, ...] = (0.5, math.nan)


class Clock:
    """Time that passes when a test says so."""

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


def test_a_full_disk_is_a_store_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from torch.utils.tensorboard import SummaryWriter

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(SummaryWriter, "add_scalar", full)
    with pytest.raises(StoreError) as error, Logbook(tmp_path) as book:
        book.scalars({"loss": 1.0}, step=0)
    assert str(error.value) == (
        f"cannot write TensorBoard events to {tmp_path}: No space left on device; "
        "free some space, or choose a folder on another disk"
    )


def test_the_thread_that_writes_events_prints_no_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from tensorboard.summary.writer.record_writer import RecordWriter

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    before = threading.excepthook
    monkeypatch.setattr(RecordWriter, "write", full)
    with pytest.raises(StoreError, match="TensorBoard events to .*: No space left on device"):  # noqa: SIM117
        with Logbook(tmp_path) as book:
            book.scalars({"loss": 1.0}, step=0)
    assert "Traceback" not in capsys.readouterr().err
    assert threading.excepthook is before


def test_a_resumed_run_hides_what_was_logged_beyond_its_checkpoint(tmp_path: Path) -> None:
    for done, loss in ((0, 1.0), (2, 5.0)):
        with Logbook(tmp_path, "train", done=done) as book:
            for step in range(done + 1, 5):
                book.scalars({"loss": loss * step}, step)
    assert read_events(tmp_path)["loss"] == [(1, 1.0), (2, 2.0), (3, 15.0), (4, 20.0)]
    assert all(path.name.endswith(".train") for path in tmp_path.iterdir())


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The time that tqdm sees; progress is shown, unlike in other tests."""
    monkeypatch.delenv("REGEN_PROGRESS")
    clock = Clock()
    monkeypatch.setattr(tqdm.std, "time", clock)
    return clock


@pytest.mark.parametrize("kind", [io.StringIO, Terminal])
def test_a_short_job_shows_nothing(kind: type[io.StringIO], clock: Clock) -> None:
    with redirect_stderr(kind()) as shown, Progress(4, "fitting") as progress:
        for _ in range(4):
            clock.now += 0.4
            progress.advance()
    assert shown.getvalue() == ""


def test_a_log_gets_a_line_now_and_then(clock: Clock) -> None:
    with redirect_stderr(io.StringIO()) as log, Progress(100, "fitting") as progress:
        for step in range(100):
            clock.now += 0.25
            progress.advance(note=f"loss {1 / (step + 1):.2f}")
    assert log.getvalue().splitlines() == [
        "fitting: 40/100 (40%), 00:15 left, loss 0.03",
        "fitting: 80/100 (80%), 00:05 left, loss 0.01",
        "fitting: 100/100 (100%), 00:00 left, loss 0.01",
    ]


def test_a_terminal_sees_one_line_that_changes(clock: Clock) -> None:
    with redirect_stderr(Terminal()) as terminal, Progress(3, "fitting") as progress:
        for _ in range(3):
            clock.now += 3
            progress.advance(note="loss 0.5")
    shown = terminal.getvalue()
    assert shown.count("\n") == 1 and shown.endswith("\n")
    states = shown.strip().split("\r")
    assert [state.split("%")[0] for state in states[:2]] == ["fitting:  33", "fitting:  67"]
    assert "1/3 [00:03<00:06" in states[0] and states[-1].rstrip().endswith("loss 0.5]")


def test_bars_in_bars_are_lines_in_a_log_as_well(clock: Clock) -> None:
    with redirect_stderr(io.StringIO()) as log, Progress(1, "layers") as outer:
        with Progress(2, "fitting") as inner:
            for _ in range(2):
                clock.now += 11
                inner.advance()
        outer.advance()
    assert [line[:12] for line in log.getvalue().splitlines()] == [
        *("fitting: 1/2", "fitting: 2/2", "layers: 1/1 "),
    ]


def test_an_interrupted_job_shows_how_far_it_came(clock: Clock) -> None:
    log = io.StringIO()
    with (
        pytest.raises(KeyboardInterrupt),
        redirect_stderr(log),
        Progress(10, "fitting") as progress,
    ):
        clock.now += 20
        progress.advance()
        progress.advance()
        raise KeyboardInterrupt
    assert log.getvalue().splitlines()[-1] == "fitting: 2/10 (20%), 01:20 left"


def test_a_resumed_job_counts_its_own_pace(clock: Clock) -> None:
    with redirect_stderr(io.StringIO()) as log, Progress(100, "training", done=50) as progress:
        clock.now += 10
        progress.advance(10)
        assert progress.done == 60
        assert log.getvalue() == "training: 60/100 (60%), 00:40 left\n"


def test_progress_can_be_turned_off(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGEN_PROGRESS", "off")
    with redirect_stderr(io.StringIO()) as log, Progress(2, "fitting") as progress:
        for _ in range(2):
            clock.now += 1000
            progress.advance(note="loss 0.5")
    assert log.getvalue() == "" and progress.done == 2


def test_a_terminal_that_was_closed_stops_no_job(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(text: str) -> int:
        raise OSError(errno.EIO, "Input/output error")

    terminal = Terminal()
    monkeypatch.setattr(terminal, "write", closed)
    with redirect_stderr(terminal), Progress(2, "fitting") as progress:
        for _ in range(2):
            clock.now += 1000
            progress.advance()
    assert progress.done == 2


def test_track_gives_every_item(clock: Clock) -> None:
    seen = []
    with redirect_stderr(io.StringIO()) as log:
        for item in track("abc", "reading"):
            clock.now += 20
            seen.append(item)
    assert seen == ["a", "b", "c"] and log.getvalue().startswith("reading: 1/3 ")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(59.4, "59 s"), (59.6, "1 min 0 s"), (3599.4, "59 min 59 s"), (3600, "1 h 0 min")],
)
def test_durations(seconds: float, text: str) -> None:
    assert format_seconds(seconds) == text
