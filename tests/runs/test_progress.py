"""What a terminal and a log see of a job."""

from __future__ import annotations

import errno
import io
from contextlib import redirect_stderr

import pytest
import tqdm.std

from regen.runs.progress import Progress, track


class Clock:
    """Time that passes when a test says so."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


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
